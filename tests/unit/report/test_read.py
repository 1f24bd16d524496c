"""The stage report, from the artifacts of a run."""

from pathlib import Path

import pytest

from tests.conftest import run_stage


def test_it_prints_the_outcome_and_each_package_that_is_not_the_locked_one(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for lock in (project / "requirements").glob("*.txt"):
        lock.write_text(lock.read_text().replace("\nnumpy==", "\nnumpy==0."))
    # The fixture has written one of its own.
    (project / "reports/report.html").unlink()
    assert run_stage(project, "report") in {None, 0}
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("warning: the stages computed with 1 package ") for line in lines)
    assert lines[-1] == "report: reports/report.html"
    assert "default model: majority, the only model" in lines
    page = (project / "reports/report.html").read_text(encoding="utf-8")
    assert "(locked: 0." in page
