"""A new project by `textclf init`: what it writes, what it keeps, and what it refuses."""

import json
import re
from pathlib import Path

import pytest

from tests import layouts
from tests.processes import ROOT, Ended, git
from tests.processes import Command as Run
from textclf import params
from textclf.core import installed
from textclf.core.errors import UserError
from textclf.core.extras import how_to_install
from textclf.core.settings import PARAMS_FILE
from textclf.project import generated
from textclf.project.init import command
from textclf.project.init.command import placed

# Of a library of DVC.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


def test_nothing_in_the_readme_is_markup(run: Run) -> None:
    name = "../[x](javascript:1)|`@all`.csv"
    Path(name).write_text(
        "text,label\n" + "".join(f"thing {n},{('<img src=x>', '@me')[n % 2]}\n" for n in range(20))
    )
    assert run("init", "--data", name, "--title", "# <b>![a](http://x.y)\n@you `z`").status == 0
    first, _, third = Path("README.md").read_text().splitlines()[:3]
    assert first == r"# \# \<b\>\!\[a\](http:\//x.y) \@you \`z\`"
    assert third.startswith(
        "Text classifiers for "
        "<code>texts&#47;&#91;x&#93;&#40;javascript&#58;1&#41;&#124;&#96;&#64;all"
    )
    assert r"2 classes: \<img src=x\> (10), \@me (10)." in third


def test_versions_that_are_locked_and_not_installed_are_told(
    init: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        installed, "installed_version", lambda name: "9.9" if name == "numpy" else None
    )
    out = init().out
    assert "\n1 package of another version than in requirements.txt: textclf doctor\n" in out


def test_what_dvc_init_and_the_user_have_made_stays(init: Run) -> None:
    git("init", "--quiet")
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    remote = store\n")
    Path(".dvcignore").write_text("# mine\n")
    Path(".gitattributes").write_bytes(b"*.csv text\r\n")
    Path(".gitignore").write_bytes(b"caf\xe9\n")
    done = init()
    assert (done.status, done.err) == (0, "")
    added = Path(".gitignore").read_bytes().count(b"\n") - 1
    said = {
        ".dvc/config stays as it is",
        ".dvcignore: 1 line added",
        f".gitignore: {added} lines added",
    }
    assert said <= set(done.lines)
    assert Path(".dvc/config").read_text() == "[core]\n    remote = store\n"
    assert Path(".dvcignore").read_text() == "# mine\n.*.scratch\n"
    assert Path(".gitattributes").read_bytes().startswith(b"*.csv text\r\n# Checksums are of bytes")
    assert Path(".gitignore").read_bytes().startswith(b"caf\xe9\n# Made by the pipeline")


def test_a_clone_by_git_that_converts_line_ends_has_the_same_bytes(
    init: Run, tmp_path: Path
) -> None:
    git("init", "--quiet")
    git("config", "core.autocrlf", "true")  # as on Windows
    Path(".gitattributes").write_text("*.csv text\n*.json text eol=crlf\n")
    assert init().status == 0
    Path("texts/mixed.csv").write_bytes(b"text,label\r\na,0\nb,1\r\n")
    Path("dvc.lock").write_bytes(b"schema: '2.0'\r\n")  # as DVC writes it there
    git("add", ".")
    git("commit", "--quiet", "-m", "a project")
    git("clone", "--quiet", "-c", "core.autocrlf=true", ".", "../clone")
    assert layouts.contents(tmp_path / "clone") == {
        **layouts.contents(Path()),
        "dvc.lock": b"schema: '2.0'\n",
    }


@pytest.mark.parametrize("rule", ["*.json", "/dvc.yaml", "corrections.*"])
def test_a_project_that_git_would_ignore_is_refused(init: Run, rule: str) -> None:
    git("init", "--quiet")
    Path(".gitignore").write_text(f"{rule}\n")
    done = init()
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert f"of the project; it does by .gitignore:1:{rule}; change this rule" in done.err
    assert not Path("params.yaml").exists()
    assert not Path("texts").exists()


def test_a_file_of_somebody_else_is_not_overwritten_without_force(init: Run) -> None:
    Path("dvc.yaml").write_text("stages: {}\n")
    assert re.fullmatch(
        "error: init: textclf init would overwrite dvc.yaml; move what is there, or add --force\n"
        "error: init: or make the project in a folder of its own: "
        r"textclf init classifier --data \S+/rows.csv\n",
        init().err,
    )
    assert Path("dvc.yaml").read_text() == "stages: {}\n"
    assert init("--force").status == 0


STAYS = {
    "README.md": "and describes an earlier table or its classes; edit its first paragraph",
    "labelled.csv": "; delete the rows below its first line that are of an earlier table",
}


def test_what_stays_of_an_earlier_table_is_told(init: Run, run: Run) -> None:
    def stays(done: Ended) -> dict[str, str]:
        assert done.status == 0
        told = [line.split(" stays as it is") for line in done.lines]
        return {parts[0]: parts[1].lstrip(" ") for parts in told if len(parts) == 2}

    assert init("--preset", "fast").status == 0
    assert stays(init("--force")) == {}
    Path("labelled.csv").write_text("id,text,label,chosen,round\n1,good,p,,1\n")
    Path("other.csv").write_text(Path("texts/rows.csv").read_text().replace(",p", ",q"))
    assert stays(run("init", "--data", "other.csv", "--force")) == STAYS
    Path("README.md").write_text("# Mine\n")
    assert [*stays(run("init", "--data", "texts/rows.csv", "--force"))] == ["labelled.csv"]


def test_a_second_call_for_the_same_table_has_nothing_to_write(init: Run) -> None:
    assert init().status == 0
    line = Path("README.md").read_text().splitlines()[2]
    assert line.startswith("Text classifiers for `texts/rows.csv`: 2 classes: n (20), p (20). ")
    before = Path("params.yaml").read_bytes()
    # Although nothing is committed.
    assert init().status == 0
    assert Path("params.yaml").read_bytes() == before
    assert "must be committed" in init("--title", "Another").err


def test_the_lesson_takes_no_option_of_tables(run: Run) -> None:
    assert "--lesson has its own table" in run("init", "--lesson", "--sheet", "x").err


@pytest.mark.parametrize("installed", [True, False])
def test_the_lesson_has_its_network_if_tensorflow_is_installed(
    run: Run, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: name if installed else None)
    done = run("init", "--lesson")
    lesson, made = (params.load(path).model_dump() for path in (ROOT / "params.yaml", PARAMS_FILE))
    if not installed:
        line = (
            f"left out: the lesson's network, which needs keras, tensorflow; "
            f"{how_to_install('keras')}, and make the project in another folder to have it"
        )
        assert done.lines[0] == line
        gate = lesson["gate"]
        for models in (lesson["train"], gate["minimum"], gate["maximum_drop"]):
            del models["keras"]
    assert ("left out" in done.out) != installed
    assert made == lesson
    assert ("\ntensorflow==" in Path("requirements.txt").read_text()) == installed


@pytest.mark.parametrize(
    ("rule", "tracked", "warnings"),
    [
        ("*.csv\n!/*.csv", "other.dvc", ["dvc add texts/rows.csv, or change the rule"]),
        # Git would ignore rows.csv.dvc, too.
        ("/texts/", "other.dvc", ["change the rule"]),
        ("/texts/*.csv", "texts/rows.csv.dvc", []),
        ("/texts/", "texts.dvc", []),
    ],
)
def test_a_table_that_git_ignores_is_not_to_be_added(
    init: Run, rule: str, tracked: str, warnings: list[str]
) -> None:
    git("init", "--quiet")
    Path(".gitignore").write_text(f"{rule}\n")
    Path("texts").mkdir()
    Path(tracked).touch()
    *others, line = init().out.splitlines()
    assert line == "project made: 49 files; next: git add ., git commit, dvc repro"
    start = "warning: Git ignores texts/rows.csv, so a clone would lack it: "
    assert [line for line in others if "warning" in line] == [start + end for end in warnings]


def test_the_next_step_adds_a_table_of_the_repository_around_the_project(run: Run) -> None:
    git("init", "--quiet")
    Path("../rows.csv").rename("my rows.csv")
    line = run("init", "a b", "--data", "my rows.csv").out.splitlines()[-1]
    steps = "cd 'a b', git add '../my rows.csv' ., git commit, dvc repro"
    assert line == f"project made: 49 files; next: {steps}"
    git("add", "--all")
    git("commit", "--quiet", "-m", "one")
    line = run("init", "a b", "--data", "my rows.csv", "--preset", "fast").out.splitlines()[-1]
    assert line == "next: cd 'a b', git add '../my rows.csv', dvc repro"


def test_a_workflow_is_written_at_the_top_of_a_repository_alone(run: Run, init: Run) -> None:
    git("init", "--quiet")
    assert init("--ci", "github").status == 0
    assert "textclf-pipeline" in Path(".github/workflows/textclf.yml").read_text()
    line = "must be of a project at the top of its repository; got one in sub/"
    assert line in run("init", "sub", "--data", "../rows.csv", "--ci", "gitlab").err
    assert not Path("sub").exists()


def test_a_workflow_is_added_to_a_project_by_upgrade(run: Run, init: Run) -> None:
    assert init().status == 0
    assert "add a workflow by textclf upgrade --ci" in init("--ci", "gitlab").err
    said = "\n.gitlab-ci.yml: textclf is named by its path on this machine; others install it from"
    assert said in run("upgrade", "--ci", "gitlab").out
    assert Path(".gitlab-ci.yml").exists()
    assert json.loads(Path(".textclf/project.json").read_text())["ci"] == "gitlab"


def test_an_upgrade_keeps_the_extras_that_only_another_machine_has(
    run: Run, init: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init().status == 0
    before = Path("requirements.txt").read_text()
    assert "\ncleanlab==" in before
    monkeypatch.setattr(generated, "find_spec", lambda _name: None)
    assert run("upgrade").status == 0
    assert Path("requirements.txt").read_text() == before


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project, beside files of the user's."""
    (tmp_path / "project").mkdir()
    for name in (
        "train.csv",
        "class/a/1.txt",
        "class/b/2.txt",
        "project/own.csv",
        "project/data/own.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def test_a_table_in_the_repository_of_the_project_stays_where_it_is(here: Path) -> None:
    git("-C", "..", "init", "--quiet")
    for names in (["class"], ["class/a/1.txt", "class/b/2.txt"]):
        with placed([here / name for name in names]) as placement:
            assert placement == ([Path("..", name) for name in names], [])
    # Their folder would hold the project.
    with placed([here / "train.csv", here / "class/a/1.txt"]) as (paths, _):
        assert paths == [Path("texts/train.csv"), Path("texts/1.txt")]


@pytest.mark.parametrize("name", ["train.csv", "class"])
def test_a_table_elsewhere_is_copied(here: Path, name: str) -> None:
    # The second time, the copy is there.
    for _ in range(2):
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
    with pytest.raises(
        UserError, match=r"texts/train\.csv must not exist, because .*train\.csv is copied there"
    ):
        placed([here / "train.csv"]).__enter__()
    assert Path("texts/train.csv").read_text() == "mine"


def test_a_table_in_a_folder_that_a_run_writes_into_is_refused(run: Run) -> None:
    Path("data").mkdir()
    Path("../rows.csv").rename("data/train.csv")
    Path("data/test.csv").write_text("text,label\nThe thing is good,p\nThe thing is bad,n\n")
    done = run("init", "--data", "data/train.csv", "--test", "data/test.csv", "--preset", "fast")
    assert done.status == 2
    assert "data must hold texts alone, since a run writes data/" in done.err
    assert sorted(map(str, Path().iterdir())) == ["data"]
