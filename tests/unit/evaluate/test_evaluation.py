"""What the stage evaluate prints of a run, from its artifacts."""

import os
import sys
from pathlib import Path

from tests import processes
from tests.conftest import address, arguments
from tests.settings import models, put

ROOT = Path(__file__).parents[3]
ROWS = 120


def run_stage(project: Path, stage: str) -> str:
    """Run a stage as a process of its own, which must succeed, and return what it prints."""
    name = stage.partition("@")[0]
    line = [sys.executable, str(ROOT / "stages" / f"{name}.py"), *arguments(name)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": address(stage)}
    status, out, err = processes.run(*line, folder=project, environment=environment)
    assert status == 0, err
    return out


def test_it_prints_the_metrics_the_slices_left_out_and_the_warnings(project: Path) -> None:
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
        run_stage(project, stage)
    lines = run_stage(project, "evaluate").splitlines()
    starts = (
        "majority: accuracy train ",
        "naive_bayes: accuracy train ",
        "naive_bayes: calibration: ",
        "too rare or too many to compare as slices: ",
        "warning: only ",
        "warning: naive_bayes: ",
    )
    assert [start for start in starts if not any(line.startswith(start) for line in lines)] == []
    (few,) = [line for line in lines if line.startswith("warning: only ")]
    assert "of no class: the thresholds" in few
