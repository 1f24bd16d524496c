"""Ordered classes decided by expected distance, beside the most probable class.

    python -m benchmarks.order FOLDER

FOLDER has pairs <name>.train.csv and <name>.test.csv, with the columns text and label; the labels
are integers in their order. One model, logistic regression on tf-idf of words and pairs of words,
as the preset fast has it, is fitted to the training rows; a temperature is fitted to held-out ones.
Its probabilities for the test rows are decided in both ways.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.inputs import WEIGHTS
from benchmarks.presets import read
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import Decision
from textclf.core.scale import scale_of
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.registry import METRICS, OF_SCALE, format_value
from textclf.evaluate.results import Difference, format_difference
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import Evaluate
from textclf.models.common.crossvalidation import crossvalidate
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, settled
from textclf.models.settings import Train
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

RESULT = "order"
WORDS = {"method": "terms", "weighting": "tfidf", "sublinear_tf": True, "ngram_range": [1, 2]}
MODEL = {
    "kind": "logistic_regression",
    "features": "words",
    "C": [3.0, 10.0, 30.0],
    "max_iter": 300,
}
# Spearman's correlation depends on no decision.
SHOWN = ("accuracy", *(name for name in OF_SCALE if name != "spearman"))
CONFIDENCE = 0.95
PAIR = ("order", "most_probable")  # the ways to decide


def measure(folder: Path, corpus: str) -> dict[str, Any]:
    """Return the metrics of both decisions on the test rows, and their paired differences."""
    splits = {split: read(folder / f"{corpus}.{split}.csv") for split in ("train", "test")}
    for split, rows in splits.items():
        rows["id"] = [f"{split} {number}" for number in range(len(rows))]
    classes = sorted(splits["train"]["label"].unique(), key=int)
    vectorize = Vectorize.model_validate({"words": WORDS})
    features = vectorize_splits(splits, "words", vectorize, Combine(), classes, WEIGHTS)
    datasets = {split: Dataset.of_rows(part) for split, part in features.items()}
    settings, folders = Train.model_validate({"model": MODEL})["model"], Folders(WEIGHTS)
    fitted = fit_model(settings.kind, datasets, settings, folders)
    held_out = crossvalidate(
        settings.kind, features["train"], settled(settings, fitted.record), folders
    )
    if held_out is None:
        raise ValueError(f"{corpus} has too few rows of a class to hold some out")
    scale = scale_of(classes)
    evaluate = Evaluate(calibration="temperature")
    by_order = choose_decision(held_out, evaluate, scale=scale)
    probabilities = by_order.calibrate(fitted.layers.predict_proba(features["test"].X))
    y = features["test"].y
    judged = {
        name: JudgedRows(y, probabilities, decision.decide(probabilities), scale=scale)
        for name, decision in zip(PAIR, (by_order, Decision()), strict=True)
    }
    differences = {}
    for name in SHOWN:
        (found,) = METRICS[name].compare(judged, [PAIR], CONFIDENCE).values()
        if found is not None:
            differences[name] = found.rounded()
    return {
        "classes": len(classes),
        "test_rows": len(y),
        "metrics": {
            way: {name: METRICS[name].value(rows) for name in SHOWN} for way, rows in judged.items()
        },
        "differences": differences,
    }


def table() -> str:
    """Return the metrics by corpus: most probable class, lowest expected distance, difference."""
    lines = []
    for corpus, each in results.read(RESULT)["corpora"].items():
        for name in SHOWN:
            before, after = (
                format_value(name, each["metrics"][way][name]) for way in ("most_probable", "order")
            )
            ends = Difference.model_validate(each["differences"][name])
            value, interval = format_difference(name, ends.difference, ends)
            title = METRICS[name].title
            lines.append([corpus, title, before, after, f"{value} ({interval})"])
    header = ["corpus", "metric", "most probable class", "by order", "difference"]
    return results.markdown(header, lines)


def main() -> None:
    """Measure the corpora of a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    names = sorted(path.name.removesuffix(".train.csv") for path in folder.glob("*.train.csv"))
    results.write(RESULT, {"corpora": {name: measure(folder, name) for name in names}})


if __name__ == "__main__":
    main()
