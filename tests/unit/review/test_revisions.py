"""Revisions of a project, as Git and the working tree have them."""

import subprocess
from pathlib import Path

import pytest

from textclf.core.differences import compare_values
from textclf.core.errors import UserError
from textclf.evaluate.settings import Evaluate
from textclf.review.revisions import Revision, commit_of
from textclf.review.settings import Gate


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Git repository, the current folder."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    return tmp_path


def commit() -> Revision:
    """Commit every file and return the revision."""
    name = ["-c", "user.name=textclf", "-c", "user.email=textclf@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", *name, "commit", "--quiet", "-m", "change"], check=True)
    return Revision(commit_of("HEAD"))


def test_a_commit_and_the_working_tree_are_read_by_the_same_yaml_dialect_as_params(project: Path) -> None:
    (project / "params.yaml").write_text("evaluate: {confidence: 0.95}")
    base = commit()
    (project / "params.yaml").write_text("evaluate: {confidence: 95e-2}")  # text in YAML 1.1
    head = Revision(base.commit, tree=True)
    assert base.section("evaluate", Evaluate) == head.section("evaluate", Evaluate)
    assert compare_values(base.params, head.params) == []
    assert compare_values(commit().params, base.params) == []
    assert head.section("evaluate", Evaluate).confidence == 0.95


def test_a_missing_section_has_its_defaults_and_an_invalid_one_is_an_error(project: Path) -> None:
    tree = Revision("0" * 40, tree=True)
    assert tree.section("gate", Gate) == Gate()  # there is no file at all
    (project / "params.yaml").write_text("gate: {minimum: {keras: {test: {accuracy: high}}}}")
    with pytest.raises(UserError) as error:
        Revision("0" * 40, tree=True).section("gate", Gate)
    assert error.value.lines == ("params.yaml: gate.minimum.keras.test.accuracy must be a number; got high",)


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"a: [", "expected YAML"), (b"[1]", "must be a mapping"), (b"a: \xff", "must be UTF-8")],
    ids=["not YAML", "no mapping", "not UTF-8"],
)
def test_a_damaged_file_is_named_with_its_revision(project: Path, content: bytes, rule: str) -> None:
    (project / "params.yaml").write_bytes(content)
    with pytest.raises(UserError) as error:
        _ = commit().params
    (line,) = error.value.lines
    assert line.startswith("params.yaml of ")
    assert rule in line
