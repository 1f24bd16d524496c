"""Predictions made elsewhere, in the whole pipeline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import verify
from tests.settings import put
from tests.verify import Copy


def set_external(copy: Copy, value: str) -> None:
    path = copy.folder / "params.yaml"
    path.write_text(put("evaluate.external", value, text=path.read_text(encoding="utf-8")), encoding="utf-8")


def metrics(folder: Path, name: str) -> dict[str, Any]:
    """Return what a metrics file says of each model."""
    content: dict[str, Any] = json.loads((folder / "metrics" / f"{name}.json").read_text())
    return content


@pytest.mark.slow
def test_predictions_made_elsewhere_are_measured_like_those_of_a_model(workshop: Callable[[], Copy]) -> None:
    copy = workshop()
    folder = copy.folder
    rows = pd.read_parquet(folder / "data" / "predictions" / "keras.parquet").sample(frac=1, random_state=0)
    rows.to_csv(folder / "mine.csv", index=False)
    rows.loc[rows["split"] == "test", ["id", "label"]].to_parquet(folder / "labels.parquet")
    before = (folder / "models" / "index.json").read_bytes()
    set_external(copy, "{theirs: mine.csv, labels: labels.parquet}")
    ran = verify.stages_run(copy.dvc("repro"))
    assert sorted(ran) == ["check", "evaluate", "export", "external@labels", "external@theirs", "plot", "report"]
    measured, compared = metrics(folder, "evaluation"), metrics(folder, "comparisons")
    assert measured["theirs"] == measured["keras"]
    assert compared["theirs_vs_keras"]["difference"] == 0
    assert list(measured["labels"]) == ["test"]
    assert measured["labels"]["test"]["accuracy"] == 1
    assert (folder / "models" / "index.json").read_bytes() == before
    assert "labels" in (folder / "plots" / "confusion.svg").read_text()
    assert "were made elsewhere and read from mine.csv" in (folder / "reports" / "report.html").read_text()
    set_external(copy, "{}")
    assert "data/predictions/theirs.parquet removed" in copy.dvc("repro")
    assert set(metrics(folder, "evaluation")) == {"majority", "logistic_regression", "keras"}
    assert not (folder / "data" / "trained" / "labels").exists()
