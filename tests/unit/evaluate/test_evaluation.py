"""What the stage evaluate prints of a run, from its artifacts."""

from pathlib import Path

import pytest

from tests.conftest import run_stage
from tests.settings import models, put

ROWS = 120


def test_it_prints_the_metrics_the_slices_left_out_and_the_warnings(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    labels = ("oos", "a", "b", "a", "b")
    table = [f"word{n} of{n % 5},{labels[n % 5]},site{n}" for n in range(ROWS)]
    (project / "t.csv").write_text("\n".join(["text,label,site", *table]) + "\n")
    settings = {
        "data.path": "t.csv",
        "data.unknown": "oos",
        "data.slices": "[site]",
        "split.validation_size": "0.2",
        "evaluate.calibration": "temperature",
    }
    changes = [part for pair in settings.items() for part in pair]
    text = put(*models("majority", "naive_bayes"), "export.model", "null", *changes)
    (project / "params.yaml").write_text(text, encoding="utf-8")
    for stage in ("check", "split", "vectorize", "train@majority", "train@naive_bayes"):
        assert run_stage(project, stage) in {None, 0}
    capfd.readouterr()
    assert run_stage(project, "evaluate") in {None, 0}
    lines = capfd.readouterr().out.splitlines()
    starts = (
        "majority: accuracy train ",
        "naive_bayes: accuracy train ",
        "naive_bayes: calibration: ",
        "slices not compared, such as those of few rows: ",
        "warning: only ",
        "warning: naive_bayes: ",
    )
    assert [start for start in starts if not any(line.startswith(start) for line in lines)] == []
    (few,) = [line for line in lines if line.startswith("warning: only ")]
    assert "of no class: the thresholds" in few
