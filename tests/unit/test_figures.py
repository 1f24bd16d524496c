import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from textclf import figures


def history(*models: str) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"model": model, "epoch": [1, 2], "split": split, "loss": [0.7, 0.5], "accuracy": [0.5, 1.0]})
        for model in models
        for split in ("train", "test")
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["model", "epoch", "split", "loss", "accuracy"])


def confusion(*classes: str) -> pd.DataFrame:
    pairs = [(actual, predicted) for actual in classes for predicted in classes]
    frame = pd.DataFrame(pairs, columns=["actual", "predicted"]).assign(count=3, share=1 / len(classes))
    return pd.concat([frame.assign(model=model) for model in ("majority", "logistic_regression")])


ROC = pd.DataFrame(
    {
        "model": ["a", "a", "b", "b", "b"],
        "false_positive_rate": [0.0, 1.0, 0.0, 0.0, 1.0],
        "true_positive_rate": [0.0, 1.0, 0.0, 1.0, 1.0],
    }
)

RELIABILITY = pd.DataFrame(
    {
        "model": ["majority", "logistic_regression", "logistic_regression"],
        "confidence": [0.52, 0.65, 0.93],
        "accuracy": [0.5, 0.6, 1.0],
        "accuracy_low": [0.4, 0.35, 0.8],
        "accuracy_high": [0.6, 0.85, 1.0],
    }
)
LEARNING_CURVE = RELIABILITY.drop(columns="confidence").assign(rows=[75, 75, 150])

FIGURES = [
    pytest.param(figures.history, history("keras"), id="history"),
    pytest.param(figures.history, history("keras", "other"), id="history of two models"),
    pytest.param(figures.history, history(), id="history of no model"),
    pytest.param(figures.history, history("keras").replace("test", "validation"), id="history of validation"),
    pytest.param(figures.confusion, confusion("0", "1"), id="confusion"),
    pytest.param(figures.confusion, confusion("<b>&", "--", "]]>"), id="confusion of classes with markup"),
    pytest.param(figures.roc, ROC, id="roc"),
    pytest.param(figures.reliability, RELIABILITY, id="reliability"),
    pytest.param(figures.reliability, RELIABILITY[:1], id="reliability of one bin"),
    # As a CSV of rounded numbers may have it: the accuracy a little outside of its interval.
    pytest.param(figures.reliability, RELIABILITY.assign(accuracy_high=0.5), id="reliability above its interval"),
    pytest.param(figures.learning_curve, LEARNING_CURVE, id="learning curve"),
    pytest.param(figures.learning_curve, LEARNING_CURVE[:1], id="learning curve of one point"),
]


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_a_figure_is_xml_and_repeats_byte_for_byte_without_a_date(
    tmp_path: Path, draw: Callable[[pd.DataFrame, Path], None], rows: pd.DataFrame
) -> None:
    for name in ("a", "b"):
        draw(rows, tmp_path / name)
    first = (tmp_path / "a").read_bytes()
    assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own)
    assert first == (tmp_path / "b").read_bytes()
    assert not re.search(rb"\d{4}-\d\d-\d\d|dc:date|Matplotlib v", first)


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    # Glyphs are drawn as paths; matplotlib leaves the text beside them as comments.
    figures.roc(ROC, tmp_path / "roc")
    figures.confusion(confusion("0", "1"), tmp_path / "confusion")
    figures.history(history("keras"), tmp_path / "history")
    figures.history(history(), tmp_path / "empty")
    figures.reliability(RELIABILITY, tmp_path / "reliability")
    figures.learning_curve(LEARNING_CURVE, tmp_path / "learning_curve")
    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert "<!-- a (0.500) -->" in texts["roc"]
    assert "<!-- b (1.000) -->" in texts["roc"]
    assert "logistic regression" in texts["confusion"]
    assert "6 of 12 right" in texts["confusion"]
    assert "<!-- The test rows were watched, as in the lesson; they decided nothing. -->" in texts["history"]
    assert "0.500, epoch 2" in texts["history"]
    assert "<!-- calibrated -->" in texts["reliability"]
    assert "<!-- training rows -->" in texts["learning_curve"]
    for name in ("reliability", "learning_curve"):
        assert "<!-- logistic regression -->" in texts[name]
        assert "<!-- majority -->" in texts[name]
    assert "<!-- no model was trained in epochs -->" in texts["empty"]


def test_a_failed_drawing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        figures.roc(pd.DataFrame({"model": ["a"]}), tmp_path / "roc")
    assert list(tmp_path.iterdir()) == []


def test_drawing_changes_no_setting_of_matplotlib(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures.roc(ROC, tmp_path / "roc")
    assert dict(mpl.rcParams) == before
