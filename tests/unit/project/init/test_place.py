"""Where `textclf init` puts tables that lie outside of a project."""

from pathlib import Path

import pytest

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.project.init.command import placed


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project, beside files of the user's."""
    (tmp_path / "project").mkdir()
    for name in ("train.csv", "class/a/1.txt", "class/b/2.txt", "project/own.csv", "project/data/own.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def test_a_table_in_the_repository_of_the_project_stays_where_it_is(here: Path) -> None:
    git("-C", "..", "init", "--quiet")
    with placed([here / "class"]) as found:
        assert found == ([Path("../class")], [])
    with placed([here / "class/a/1.txt", here / "class/b/2.txt"]) as found:
        assert found == ([Path("../class/a/1.txt"), Path("../class/b/2.txt")], [])
    with placed([here / "train.csv", here / "class/a/1.txt"]) as (paths, _):  # their folder would hold the project
        assert paths == [Path("texts/train.csv"), Path("texts/1.txt")]


@pytest.mark.parametrize("name", ["train.csv", "class"])
def test_a_table_elsewhere_is_copied(here: Path, name: str) -> None:
    for _ in range(2):  # the second finds what the first has copied
        with placed([here / name]) as (paths, lines):
            assert paths == [Path("texts") / Path(name).name]
            assert len(lines) == 1
    names = [path.relative_to(here / name) for path in (here / name).rglob("*")]
    assert sorted(names) == sorted(path.relative_to(paths[0]) for path in paths[0].rglob("*"))


def test_a_copy_is_removed_if_the_project_fails(here: Path) -> None:
    with pytest.raises(KeyError), placed([here / "class"]):
        raise KeyError
    assert not Path("texts").exists()


def test_another_file_is_not_overwritten(here: Path) -> None:
    Path("texts").mkdir()
    Path("texts/train.csv").write_text("mine")
    with pytest.raises(UserError, match=r"texts/train\.csv must not exist, because .*train\.csv is copied there"):
        placed([here / "train.csv"]).__enter__()
    assert Path("texts/train.csv").read_text() == "mine"
