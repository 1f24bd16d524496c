from pathlib import Path

import pytest

from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.unchanged import unchanged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("old")
    return tmp_path


def read(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of_file(path) for path in folder.iterdir()}


def test_a_file_that_stays_the_same_is_accepted(folder: Path) -> None:
    with unchanged(folder, lambda: read(folder)) as checksums:
        (folder / "a.csv").write_text("old")  # written again with the same bytes
    assert list(checksums) == list(read(folder))


@pytest.mark.parametrize("change", ["write", "remove", "add"])
def test_an_input_that_changes_while_it_is_read_is_refused(folder: Path, change: str) -> None:
    name = {"write": "a.csv", "remove": "b.csv", "add": "c.csv"}[change]
    rule = (
        f"{folder} must not change while it is read; .*{name}.* did; "
        "run dvc repro again when it is complete"
    )
    with pytest.raises(UserError, match=rule), unchanged(folder, lambda: read(folder)):
        (folder / name).unlink() if change == "remove" else (folder / name).write_text("new")


def test_an_error_of_the_block_comes_first(folder: Path) -> None:
    def fail() -> None:
        (folder / "a.csv").write_text("new")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), unchanged(folder, lambda: read(folder)):
        fail()
