"""Run one stage of dvc.yaml or studies/dvc.yaml, and those it depends on, after `textclf check`."""

import os
from importlib.util import find_spec
from pathlib import Path

from textclf.core.extras import EXTRAS
from textclf.core.failures import USAGE_ERROR
from textclf.core.installed import path_of_programs
from textclf.project.arguments import Audit, RunStage
from textclf.project.check import load_for_run
from textclf.project.outcomes import AUDITED, OUTCOMES

# DVC's exit code after Ctrl-C.
INTERRUPTED = 252
ISSUES = Path("plots/audit.csv")


def run(arguments: RunStage) -> int:
    """Run the stage of the command; return 0, or 2 if it failed."""
    for package in EXTRAS.get(arguments.name, ()):
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    settings, outcome = load_for_run(), OUTCOMES[arguments.name]
    if isinstance(arguments, Audit) and arguments.review:
        return _review(arguments)
    made = outcome.made()
    status = dvc("repro", arguments.stage)
    # The page of an audit has texts, so it is no output of the stage that DVC or Git keeps: after a
    # checkout it may be missing.
    if (
        not status
        and isinstance(arguments, Audit)
        and (not AUDITED.exists() or AUDITED.stat().st_mtime_ns < ISSUES.stat().st_mtime_ns)
    ):
        status = dvc("repro", "--force", "--single-item", arguments.stage)
    # A stage that has run printed it.
    if not status and outcome.made() == made:
        print(*outcome.describe(settings), sep="\n")
    return status


def _review(arguments: Audit) -> int:
    status = 0 if is_listed(arguments.stage) else dvc("repro", arguments.stage)
    if status:
        return status
    from textclf.label import review

    return review.run(arguments.answers)


def is_listed(stage: str) -> bool:
    """Return whether at most corrections.csv has changed since an audit.

    Then a review goes on with the same list.
    """
    from dvc.repo import Repo

    with Repo() as repo:
        changes = repo.status(targets=[stage], with_deps=True).values()
    corrected = [{"changed deps": {"corrections.csv": "modified"}}]
    return all(change == corrected for change in changes)


def dvc(*arguments: str) -> int:
    """Run a command of DVC in this process; return 0, or 2 if it failed.

    DVC and the stages print what went wrong.
    """
    from dvc.cli import main

    os.environ["PATH"] = path_of_programs()
    code = main(list(arguments))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return USAGE_ERROR if code else 0
