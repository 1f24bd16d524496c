"""Texts of no class: no label, and the reason, from Python and by `textclf predict`."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import textclf
from tests.unit.predict.models import export, three_classes, two_classes
from textclf.artifacts.checksums import MANIFEST, write_manifest
from textclf.artifacts.decisions import Rejection
from textclf.artifacts.unknown import write_means
from textclf.core.errors import UserError
from textclf.predict.predictor import Predictor

TEXTS = ["great place", "bad", "", "food"]
Run = Callable[..., tuple[object, str, str]]


def rejecting(score: Any, threshold: float, base: Predictor | None = None) -> Predictor:
    """Return a model that rejects texts with a score below a threshold."""
    base = base or two_classes()
    return replace(base, decision=replace(base.decision, rejection=Rejection(score, threshold)))


def test_a_text_below_the_threshold_has_no_label() -> None:
    plain = two_classes()
    highest = plain.predict_proba(TEXTS).max(axis=1)
    threshold = float(np.sort(highest)[2])  # which one text has, and keeps its label
    labels = [label if value >= threshold else None for label, value in zip(plain.predict(TEXTS), highest, strict=True)]
    model = rejecting("probability", threshold)
    assert None in labels
    assert model.predict(TEXTS).tolist() == labels
    assert model.answer(TEXTS)[1] == [None if label else "unknown" for label in labels]
    assert model.predict([]).tolist() == []


def test_the_energy_is_that_of_the_text(tmp_path: Path) -> None:
    base = three_classes()
    X = base.vectorizer.transform(TEXTS)
    energies = base.model.log_sum(X)
    threshold = float(np.sort(energies)[1:3].mean())
    folder = export(rejecting("energy", threshold, base), tmp_path / "energy")
    assert [label is None for label in textclf.load(folder).predict(TEXTS)] == (energies < threshold).tolist()


def test_means_are_read_with_the_model_and_must_have_its_checksum(tmp_path: Path) -> None:
    folder = export(rejecting("distance", -1.0), tmp_path / "model")
    write_means(np.eye(2, 4), folder)
    with pytest.raises(UserError, match="is damaged or was edited"):
        textclf.load(folder)
    (folder / MANIFEST).unlink()
    write_manifest(folder)
    means = textclf.load(folder).means
    assert means is not None
    assert np.array_equal(means, np.eye(2, 4))


def test_each_format_has_the_reason_after_the_label(command_line: Run, tmp_path: Path) -> None:
    folder = export(rejecting("probability", 0.8), tmp_path / "model")
    expected = [("yes", None), ("no", None), (None, "unknown"), (None, "unknown")]
    status, out, err = command_line("predict", "--model", folder, *TEXTS)
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert list(rows[0])[:4] == ["id", "text", "label", "reason"]
    assert [(row["label"], row["reason"]) for row in rows] == expected
    _, out, _ = command_line("predict", "--model", folder, "--to", "csv", *TEXTS)
    cells = [(row["label"] or None, row["reason"] or None) for row in csv.DictReader(io.StringIO(str(out)))]
    assert cells == expected
    command_line("predict", "--model", folder, "--output", tmp_path / "out.parquet", *TEXTS)
    table = pq.read_table(tmp_path / "out.parquet")
    assert list(zip(table["label"].to_pylist(), table["reason"].to_pylist(), strict=True)) == expected


def test_a_model_that_rejects_nothing_has_no_reason(command_line: Run, tmp_path: Path) -> None:
    _, out, _ = command_line("predict", "--model", export(two_classes(), tmp_path / "model"), "food")
    assert "reason" not in json.loads(out)
