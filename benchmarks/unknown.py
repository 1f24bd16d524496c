"""Measure how texts of no class are found: on CLINC150 as published, and with held-out classes of 20 of its classes.

    python -m benchmarks.unknown CLINC.csv

CLINC.csv has the columns text, label and split, with the label oos for texts of no class (Larson et al. 2019,
EMNLP-IJCNLP, doi:10.18653/v1/D19-1131; the full version). `published` has each model with a threshold chosen on
validation rows, and trained with a class oos. `held_out` draws 20 classes `DRAWS` times, of which 5 are not trained:
thresholds keep 95% of the accuracy on validation rows of the other 15; means over the draws with Student's intervals.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks import results
from benchmarks.inputs import WEIGHTS, report
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.artifacts.unknown import fit_means, scores_of
from textclf.core.files import UNKNOWN
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.measure import HeldOut
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.unknown import measure_unknown
from textclf.fetch.pretrained import fetch_pretrained
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, predict
from textclf.models.common.loading import load_model
from textclf.pretrained.catalogue import ENGLISH
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

RESULT, LABEL = "unknown", "oos"
DRAWS, DRAWN, HELD = 20, 20, 5
TERMS = {"method": "terms", "weighting": "tfidf", "sublinear_tf": True, "ngram_range": [1, 2]}
VECTORIZE = Vectorize.model_validate({"words": TERMS, "sentences": {"method": "encoder"}})
MODELS: dict[str, tuple[str, dict[str, Any], str]] = {
    "linear SVM on words": ("linear_svm", {}, "words"),
    "logistic regression on words": ("logistic_regression", {"C": 100.0}, "words"),
    "logistic regression on sentence vectors": ("logistic_regression", {"C": 10.0}, "sentences"),
}
SETTINGS = Evaluate(calibration="temperature")


def features(rows: pd.DataFrame, classes: list[str], name: str) -> dict[str, Features]:
    """Return the features of each split; rows of no class are in splits of their own, those of train left out."""
    is_known = rows["label"].isin(classes)
    parts = {str(split): some for split, some in rows[is_known].groupby("split")}
    parts |= {f"{split}{UNKNOWN}": some.assign(label=classes[0]) for split, some in rows[~is_known].groupby("split")}
    parts.pop(f"train{UNKNOWN}", None)
    made = vectorize_splits(parts, name, VECTORIZE, Combine(), classes, WEIGHTS)
    return {split: replace(X, y=0 * X.y - 1) if split.endswith(UNKNOWN) else X for split, X in made.items()}


def fit(rows: pd.DataFrame, classes: list[str], model: str) -> Predictions:
    """Return the predictions of a model for validation and test rows, those of no class too."""
    kind, changes, name = MODELS[model]
    parts = features(rows, classes, name)
    datasets = {split: Dataset.of_rows(parts[split]) for split in ("train", "validation")}
    fitted = fit_model(kind, datasets, load_model(kind).Settings(**changes), Folders(WEIGHTS)).layers
    means = fit_means(datasets["train"])
    made = [
        predict(fitted, split, part, lambda X: scores_of(fitted, means, X))
        for split, part in parts.items()
        if split != "train"
    ]
    return concatenate(made)


def measure(rows: Predictions, score: str = "probability") -> dict[str, Any]:
    """Return what metrics/unknown.json has of the test rows."""
    decision = choose_decision(rows.take(rows.split == "validation"), SETTINGS)
    tests = np.isin(rows.split, ("test", f"test{UNKNOWN}"))
    keys = {"test": np.arange(tests.sum(), dtype=np.uint64)}
    settings = SETTINGS.model_copy(update={"unknown_score": score})
    _, measured, _ = measure_unknown({"a": [rows]}, {"a": decision}, HeldOut(), LABEL, keys, settings)
    found: dict[str, Any] = measured["a"]["test"]
    return found


def published(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the test rows of CLINC150 by model: by the threshold of each score, and trained with a class oos."""
    known = sorted(set(rows["label"]) - {LABEL})
    found: dict[str, Any] = {}
    for model in MODELS:
        held_out, trained = fit(rows, known, model), fit(rows, [*known, LABEL], model)
        results.tell(model)
        scores = ["probability", *held_out.scores]
        found[model] = {"threshold": {score: measure(held_out, score) for score in scores}, "trained": measure(trained)}
    return found


def held_out(rows: pd.DataFrame) -> dict[str, Any]:
    """Return accuracy, recall and area under the ROC curve by model and score, over draws of classes."""
    known = np.array(sorted(set(rows["label"]) - {LABEL}))
    values: dict[str, dict[str, list[list[float]]]] = {model: {} for model in MODELS}
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).permutation(known)[:DRAWN].tolist()
        some = rows[rows["label"].isin(drawn)]
        some = some[some["label"].isin(drawn[HELD:]) | (some["split"] == "test")]
        for model in MODELS:
            for score, cells in measure(fit(some, sorted(drawn[HELD:]), model))["scores"].items():
                three = [cells[key]["value"] for key in ("accuracy", "recall", "roc_auc")]
                values[model].setdefault(score, []).append(three)
    return {
        model: {score: _means(np.array(each)) for score, each in by_score.items()} for model, by_score in values.items()
    }


def _means(draws: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the mean of each column with Student's interval."""
    half = stats.t.ppf(0.975, len(draws) - 1) * draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    means = draws.mean(axis=0)
    columns = zip(("accuracy", "recall", "roc_auc"), means, half, strict=True)
    return {name: {"value": mean, "low": mean - width, "high": mean + width} for name, mean, width in columns}


def share(cell: Mapping[str, float]) -> str:
    """Return a share in percent, with its interval."""
    return "{:.1f} ({:.1f} to {:.1f})".format(*(100 * cell[key] for key in ("value", "low", "high")))


def table() -> str:
    """Return the test rows of CLINC150 as a table in Markdown."""
    content = results.read(RESULT)
    header = ["model", "decides by", "accuracy within the classes, %", "recall of no class, %"]
    lines = []
    for model, found in content["published"].items():
        ways: dict[str, Any] = {}
        for score, cells in found["threshold"].items():
            ways |= {f"{score}, best mean": cells, f"{score}, 95% of the accuracy": cells["scores"][score]}
        for way, cells in (ways | {"a class of its own": found["trained"]}).items():
            lines.append([model, way, share(cells["accuracy"]), share(cells["recall"])])
    return results.markdown(header, lines)


def held_out_table() -> str:
    """Return the draws of held-out classes as a table in Markdown."""
    content = results.read(RESULT)
    header = ["model", "score", "accuracy kept, %", "recall of no class, %", "area under the ROC curve, %"]
    return results.markdown(
        header,
        [
            [model, score, *(share(cells[key]) for key in ("accuracy", "recall", "roc_auc"))]
            for model, found in content["held_out"].items()
            for score, cells in found.items()
        ],
    )


def main() -> None:
    """Write the result, and print the tables."""
    parser = argparse.ArgumentParser(description="Measure how texts of no class are found.")
    parser.add_argument("clinc", type=Path, metavar="CLINC.csv", help="columns text, label, split")
    rows = pd.read_csv(parser.parse_args().clinc, dtype=str, keep_default_na=False)
    rows = rows.assign(id=rows.index.astype(str))
    fetch_pretrained([ENGLISH], WEIGHTS, report)
    results.write(RESULT, {"published": published(rows), "held_out": held_out(rows)})
    print(table(), held_out_table(), sep="\n\n")


TABLES = {"unknown": table, "unknown-held-out": held_out_table}

if __name__ == "__main__":
    main()
