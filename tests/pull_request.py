"""A project of two revisions with predictions, for the tests of `textclf pr-report`."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from tests.conftest import run_stage
from tests.processes import ROOT, git
from textclf.artifacts import predictions

PREDICTIONS = "data/predictions/majority.parquet"
GATE = (
    "gate: {minimum: {majority: {test: {accuracy: 0.01}}}, maximum_drop: {majority: {test: "
    "{accuracy: 0.9}}}}"
)
# The files of a revision that pr-report reads.
READ = (
    "dvc.lock",
    "dvc.yaml",
    "params.yaml",
    *(
        f"metrics/{name}.json"
        for name in (
            "decisions",
            "evaluation",
            "features",
            "intervals",
            "slices",
            "splits",
            "training",
        )
    ),
    PREDICTIONS,
)


def make(project: Path) -> None:
    """Commit the project as the base; change its predictions and metrics for the head."""
    shutil.copy(ROOT / "dvc.yaml", project)
    shutil.copy(ROOT / ".gitignore", project)
    (project / ".dvc").mkdir(exist_ok=True)
    (project / ".dvc" / "config").touch()
    (project / ".dvc" / ".gitignore").write_text("tmp/\n")
    params = (project / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("kind: majority", "kind: naive_bayes")  # a baseline would not be judged
    (project / "params.yaml").write_text(
        "\n".join(
            [line for line in params.splitlines() if not line.startswith("gate:")] + [GATE, ""]
        ),
        encoding="utf-8",
    )
    lock(project)
    git("init", "--quiet", folder=project)
    commit(project)
    rows = predictions.read(project / PREDICTIONS)
    better = rows.probabilities.copy()
    better[::3] = np.eye(2)[rows.y[::3]] * 0.8 + 0.1
    predictions.write([replace(rows, probabilities=better)], project / PREDICTIONS)
    assert run_stage(project, "evaluate") in {None, 0}
    lock(project)


def lock(project: Path) -> None:
    """Record the predictions in dvc.lock and in DVC's cache."""
    data = (project / PREDICTIONS).read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    cached = project / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(data)
    stages = {
        "split": {
            "cmd": "python -m stages.split",
            "deps": [{"path": "data/raw", "md5": "0" * 32, "size": 1}],
            "params": {"params.yaml": {"split": {"seed": 1000}}},
            "outs": [{"path": "data/splits", "md5": "1" * 32 + ".dir", "nfiles": 3}],
        },
        "train@majority": {
            "cmd": "python -m stages.train",
            "params": {
                "params.yaml": {"train.majority": {"kind": "majority", "features": "words"}}
            },
            "outs": [{"path": PREDICTIONS, "md5": md5}],
        },
    }
    (project / "dvc.lock").write_text(
        yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8"
    )


def commit(project: Path, path: str = "--all") -> None:
    """Commit a file, or every file that Git does not ignore."""
    git("add", path, folder=project)
    git("commit", "--quiet", "--allow-empty", "--message", "change", folder=project)
