"""How much of the gap between logistic regression and a fine-tuned transformer a teacher closes.

    python -m benchmarks.teacher FOLDER

FOLDER has pairs <name>.train.csv and <name>.test.csv, with the columns text and label. The
transformer trains on `LABELLED` rows and predicts a pool of other training rows, whose labels
nobody sees. `student` is logistic regression on words and letters trained on the labelled rows,
`labels` also on the pool with the transformer's labels, `taught` on its probabilities instead, as
`train.<model>.teacher` does. Intervals are of the bootstrap over the test rows.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import results
from benchmarks.inputs import WEIGHTS, fetch_weights
from benchmarks.presets import read
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.external import External
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.models.common.teaching import Teacher
from textclf.models.settings import Train
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

SETS, LABELLED, POOL, TESTED, SEED = ("subj",), 400, 2000, 800, 0
MODELS = ("student", "labels", "taught", "teacher")
TERMS = {
    "analyzer": "word+char_wb",
    "ngram_range": [1, 2],
    "char_ngram_range": [3, 5],
    "sublinear_tf": True,
}
VECTORIZE = {"words": {**TERMS, "weighting": "tfidf"}, "pieces": {"method": "wordpieces"}}
TRAIN: dict[str, dict[str, Any]] = {
    "student": {
        "kind": "logistic_regression",
        "features": "words",
        "C": [1, 3, 10, 30, 100],
        "max_iter": 1000,
    },
    "teacher": {"kind": "transformer", "features": "pieces"},
}


def fit(
    name: str, train: pd.DataFrame, others: dict[str, pd.DataFrame], teacher: Teacher | None = None
) -> list[Any]:
    """Return the probabilities of the other rows by a model that is fitted on the training rows."""
    settings, classes = Train.model_validate(TRAIN)[name], sorted(train["label"].unique())
    rows = {"train": train, **others}
    parts = vectorize_splits(
        rows, settings.features, Vectorize.model_validate(VECTORIZE), Combine(), classes, WEIGHTS
    )
    datasets = {"train": Dataset.of_rows(parts["train"]), "test": Dataset.of_rows(parts["test"])}
    if teacher is not None:
        datasets["train"] = teacher.teach_all(datasets["train"])
    layers = fit_model(settings.kind, datasets, settings, Folders(WEIGHTS)).layers
    return [layers.predict_proba(parts[split].X) for split in others]


def measure(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Return the models' accuracies and the closed share of the gap, with 95% intervals."""
    classes, rows = (
        sorted(train["label"].unique()),
        train.sample(LABELLED + POOL, random_state=SEED),
    )
    labelled, pool = rows[:LABELLED], rows[LABELLED:]
    by_teacher, of_pool = fit("teacher", labelled, {"test": test, "pool": pool})
    told = pd.concat([labelled, pool.assign(label=np.array(classes)[of_pool.argmax(axis=1)])])
    teacher = Teacher(
        External(Path(), pd.Index(pool["id"]), of_pool, False, tuple(classes)), len(pool)
    )
    (student,), (labels,) = (fit("student", each, {"test": test}) for each in (labelled, told))
    (taught,) = fit("student", told, {"test": test}, teacher)
    decided = [
        np.array(classes)[each.argmax(axis=1)] for each in (student, labels, taught, by_teacher)
    ]
    scores = np.array([each == test["label"] for each in decided], dtype=float)
    drawn = np.random.default_rng(SEED).integers(len(test), size=(2000, len(test)))
    means, repeated = scores.mean(axis=1), scores[:, drawn].mean(axis=2)
    gaps = [(each[2] - each[0]) / (each[3] - each[0]) for each in (means, repeated)]
    ends = np.quantile(np.vstack([repeated, gaps[1]]), [0.025, 0.975], axis=1).T.tolist()
    named = zip((*MODELS, "gap_closed"), (*means.tolist(), float(gaps[0])), ends, strict=True)
    return {
        "test_rows": len(test),
        **{name: {"value": value, "interval": ends} for name, value, ends in named},
    }


def main() -> None:
    """Measure all sets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    fetch_weights()
    result = {}
    for name in SETS:
        train, test = (read(folder / f"{name}.{split}.csv") for split in ("train", "test"))
        train["id"], test["id"] = (
            [f"train {n}" for n in range(len(train))],
            [f"test {n}" for n in range(len(test))],
        )
        result[name] = measure(train, test.sample(TESTED, random_state=SEED))
        results.tell(f"{name}: {result[name]}")
    results.write("teacher", {"labelled": LABELLED, "pool": POOL, "sets": result})


if __name__ == "__main__":
    main()
