"""The commands that run one stage, without DVC itself."""

import os
import sys
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.processes import ROOT, Command
from tests.settings import put
from textclf.core.extras import how_to_install
from textclf.core.ownership import note_made
from textclf.core.settings import load_yaml
from textclf.project.outcomes import AUDITED, OUTCOMES, Outcome
from textclf.project.run import ISSUES

# What a stage prints of its results.
SUMMARY = "40 of 1,000"


@pytest.fixture
def ran(here: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list that gets each command of DVC, in a folder with a params.yaml."""
    (here / "params.yaml").write_text(put())
    for folder in ("data/raw", "reports", "plots"):
        Path(folder).mkdir(parents=True)
    commands: list[list[str]] = []
    monkeypatch.setattr("dvc.cli.main", commands.append)
    for name, outcome in OUTCOMES.items():
        described = Outcome(outcome.output, lambda _: iter([SUMMARY]))
        monkeypatch.setitem(OUTCOMES, name, described)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    return commands


@pytest.mark.parametrize("name", ["report", "search", "crossvalidate", "learning-curve"])
def test_a_command_runs_its_stage_which_exists(
    name: str, ran: list[list[str]], command_line: Command
) -> None:
    assert command_line(name) == (0, f"{SUMMARY}\n", "")
    stage, file = name.replace("-", "_"), "dvc.yaml" if name == "report" else "studies/dvc.yaml"
    assert ran == [["repro", stage if name == "report" else f"{file}:{stage}"]]
    assert stage in load_yaml(ROOT / file)["stages"]
    assert os.environ["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


@pytest.mark.parametrize(
    ("page", "runs"), [(None, 2), (1, 2), (3, 1)], ids=["no page", "an older page", "a newer page"]
)
def test_audit_runs_again_for_a_page_that_is_missing_or_old(
    page: int | None, runs: int, ran: list[list[str]], command_line: Command
) -> None:
    for path, seconds in ((ISSUES, 2), (AUDITED, page)):
        if seconds is not None:
            path.touch()
            os.utime(path, (seconds, seconds))
    assert command_line("audit") == (0, f"{SUMMARY}\n", "")
    again = ["repro", "--force", "--single-item", "studies/dvc.yaml:audit"]
    assert ran == [["repro", "studies/dvc.yaml:audit"], again][:runs]


def test_a_stage_that_has_run_printed_its_results_itself(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    def make(_: list[str]) -> None:
        note_made(OUTCOMES["search"].output, ISSUES)

    monkeypatch.setattr("dvc.cli.main", make)
    for name, printed in {"search": "", "report": f"{SUMMARY}\n"}.items():
        assert command_line(name) == (0, printed, ""), ran


@pytest.mark.parametrize(("changed", "runs"), [("corrections.csv", 0), ("params.yaml", 1)])
def test_a_review_goes_on_with_its_list_until_more_than_the_corrections_has_changed(
    changed: str,
    runs: int,
    ran: list[list[str]],
    command_line: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = {"split": [{"changed deps": {changed: "modified"}}]}
    monkeypatch.setattr("dvc.repo.Repo", lambda: nullcontext(Namespace(status=lambda **_: changes)))
    monkeypatch.setattr("textclf.label.review.run", lambda _: 0)
    assert command_line("audit", "--review").status == 0
    assert ran == [["repro", "studies/dvc.yaml:audit"]] * runs


@pytest.mark.parametrize(("code", "status"), [(1, 2), (255, 2), (252, 130)])
def test_a_run_that_fails_or_is_interrupted_ends_the_command(
    code: int,
    status: int,
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    command_line: Command,
) -> None:
    assert ran == []
    monkeypatch.setattr("dvc.cli.main", lambda _: code)
    monkeypatch.setattr("os._exit", sys.exit)  # after an interrupt
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)  # of the tests
    assert command_line("audit") == (status, "", "")


@pytest.mark.parametrize(("name", "package"), [("audit", "cleanlab"), ("search", "optuna")])
def test_a_package_that_is_missing_is_told_before_dvc_starts(
    name: str,
    package: str,
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    command_line: Command,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    line = (
        f"error: {name}: the package {package} must be installed for this; {how_to_install(name)}\n"
    )
    assert command_line(name) == (2, "", line)
    assert ran == []


def test_wrong_settings_are_told_before_dvc_starts(
    ran: list[list[str]], command_line: Command
) -> None:
    Path("params.yaml").write_text(put("split.seed", "a"))
    line = "error: report: params.yaml: split.seed must be an integer; got a\n"
    assert command_line("report") == (2, "", line)
    assert ran == []
