"""Revisions of a project, as Git and the working tree have them."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from tests import pull_request
from tests.processes import git
from tests.refusal import refusal
from tests.unit.review.samples import behaviour, rates
from textclf.core.differences import compare_values
from textclf.core.errors import UserError
from textclf.evaluate.settings import Evaluate
from textclf.review import base
from textclf.review.revisions import Revision, commit_of
from textclf.review.settings import Gate


@pytest.fixture
def project(here: Path) -> Path:
    git("init", "--quiet", folder=here)
    return here


def tree() -> Revision:
    """Return the working tree, of which nothing is read yet."""
    return Revision("0" * 40, tree=True)


def commit() -> Revision:
    pull_request.commit(Path())
    return Revision(commit_of("HEAD"))


def test_a_commit_and_the_working_tree_are_read_by_the_same_yaml_dialect_as_params(
    project: Path,
) -> None:
    (project / "params.yaml").write_text("evaluate: {confidence: 0.95}")
    base = commit()
    (project / "params.yaml").write_text("evaluate: {confidence: 95e-2}")  # text in YAML 1.1
    head = Revision(base.commit, tree=True)
    assert base.section("evaluate", Evaluate) == head.section("evaluate", Evaluate)
    assert compare_values(base.params, head.params) == []
    assert head.section("evaluate", Evaluate).confidence == 0.95


def test_a_missing_section_has_its_defaults_and_an_invalid_one_is_an_error(project: Path) -> None:
    assert tree().section("gate", Gate) == Gate()  # there is no file at all
    (project / "params.yaml").write_text("gate: {minimum: {keras: {test: {accuracy: high}}}}")
    line = "params.yaml: gate.minimum.keras.test.accuracy must be a number; got high"
    assert refusal(tree().section, "gate", Gate) == line


BILLIONS = "\n".join(
    ["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
)
MERGES = "\n".join(
    [
        "a0: &a0 {a: 1}",
        *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)),
    ]
)


@pytest.mark.parametrize("text", [BILLIONS, "a: &a {a: *a}", f"a: {'[' * 60}{']' * 60}"])
def test_few_lines_that_stand_for_very_many_values_are_refused(project: Path, text: str) -> None:
    (project / "params.yaml").write_text(text)
    with pytest.raises(
        UserError, match=r"^params\.yaml of .* at most 100,000 values and 50 levels"
    ):
        _ = tree().params


def test_few_lines_that_merge_very_many_values_are_refused(project: Path) -> None:
    (project / "params.yaml").write_text(MERGES)
    with pytest.raises(UserError, match=r"^params\.yaml of .*: merges of more than 100,000 values"):
        _ = tree().params


def test_a_damaged_file_is_named_with_its_revision(project: Path) -> None:
    (project / "params.yaml").write_bytes(b"a: [")
    revision = commit()
    with pytest.raises(
        UserError, match=rf"^params\.yaml of {revision.commit[:8]}:1: .* expected YAML$"
    ):
        _ = revision.params


def test_the_results_of_a_revision_are_those_of_its_params_where_dvc_yaml_says(
    project: Path,
) -> None:
    for folder, name, content in (
        ("numbers", "mine", json.dumps(rates(typos=3))),
        ("numbers", "dropped", "["),
        ("data/cases", "mine", "{}"),
    ):
        (project / folder).mkdir(parents=True, exist_ok=True)
        (project / folder / f"{name}.json").write_text(content)
    outs = "['data/cases/${key}.json', {'numbers/${key}.json': {cache: false}}]"
    (project / "dvc.yaml").write_text(
        f"stages: {{behave: {{foreach: x, do: {{cmd: x, outs: {outs}}}}}}}"
    )
    (project / "params.yaml").write_text("behave: {tests: {mine: a.yaml, new: b.yaml}}")
    assert tree().behaviour() == behaviour(typos=3)
    assert Revision("0" * 40).behaviour() == {}  # no such commit
    (project / "numbers" / "mine.json").write_text("[")
    with pytest.raises(
        UserError, match=r"^numbers/mine\.json of the working tree must be JSON with finite numbers"
    ):
        tree().behaviour()
    for params in ("{}", "behave: 1", "behave: {tests: [a]}", "behave: {tests: {}}"):
        (project / "params.yaml").write_text(params)
        assert tree().behaviour() == {}


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('more'); print('error: check: first'); print('ERROR: second')", "check: first"),
        ("print('one'); print('two')", "two"),
        ("pass", "exit code 3"),
    ],
)
def test_the_first_error_printed_is_the_reason(
    program: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = partial(base.run, echo=True)
    assert refusal(run, sys.executable, "-c", f"{program}; raise SystemExit(3)") == reason
    assert capfd.readouterr().out == ""


def test_a_command_in_a_clone_does_not_see_the_repository_of_a_hook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_DIR", "elsewhere")
    assert base.run(sys.executable, "-c", "import os; print(os.environ.get('GIT_DIR'))") == "None\n"
