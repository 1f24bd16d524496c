"""How much a review of suspicious labels mends, with planted wrong labels.

A script reviews what an audit lists.

    python -m benchmarks.review

Yelp, drawn anew into 750 training and 250 test rows in each of 20 repetitions. 5% of the labels, of
the training rows or of all rows, are wrong. Logistic regression on words and on sentence vectors
judges; of the answers about the first 100 rows, 10% are wrong. Accuracies are on test rows with
their true labels.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks import results
from benchmarks.inputs import WEIGHTS, fetch_weights, read_rows
from textclf.core.arrow import hash_normalized
from textclf.evaluate.settings import Evaluate
from textclf.label.review import Reviews
from textclf.label.rows import Row
from textclf.models.settings import Train
from textclf.split.settings import Split
from textclf.studies.audit.summary import audit, issue_table
from textclf.studies.measure import Setup, measure
from textclf.studies.settings import Audit
from textclf.tables.corrections import read
from textclf.vectorize.settings import Combine, Vectorize

SEEDS, SHARE, MISTAKEN, REVIEWED, TRAIN, CLASSES = 20, 0.05, 0.1, 100, 750, ["0", "1"]
ENCODER = {"method": "encoder", "pretrained": "all-minilm-l6-v2"}
VECTORIZE = Vectorize.model_validate({"words": {}, "sentences": ENCODER})
MODELS = Train.model_validate(
    {name: {"kind": "logistic_regression", "features": name} for name in VECTORIZE.names()}
)
SETUP = Setup(Split(), VECTORIZE, Combine(), MODELS, Evaluate(), WEIGHTS)


def repeat(size: int, seed: int) -> dict[str, float]:
    """Return wrong labels and accuracies before (given) and after a review of planted labels.

    The labels are planted in the first rows.
    """
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(read_rows("yelp"), columns=["text", "true"])
    rows = rows.sample(frac=1, random_state=seed, ignore_index=True)
    rows = rows.assign(
        id=rows.index.astype(str), split=np.where(rows.index < TRAIN, "train", "test")
    )
    rows["group"], other = (
        hash_normalized(rows["text"]).astype(str),
        rows["true"].map({"0": "1", "1": "0"}),
    )
    wrong = rows.index.isin(generator.choice(size, round(SHARE * size), replace=False))
    rows["given"] = rows["true"].where(~wrong, other)
    issues = issue_table(
        audit(rows.assign(label=rows["given"]), len(rows), CLASSES, SETUP, Audit(seed=seed))
    )
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder) / "corrections.csv").write_text("id,label\n")
        listed = [Row(name, "", given=rows["given"][int(name)]) for name in issues["id"][:REVIEWED]]
        reviews = Reviews(path, listed, multilabel=False)
        for row in listed:
            reviews.answer(
                row.id,
                (other if generator.random() < MISTAKEN else rows["true"])[int(row.id)],
                "script",
            )
        rows["after"] = rows["id"].map(read(path).labels).fillna(rows["given"])
    numbers = {"found": wrong[issues["id"][:REVIEWED].astype(int)].sum(), "planted": wrong.sum()}
    for labels in ("given", "after", "true"):
        known = {
            "train": rows[:TRAIN].assign(label=rows[labels]),
            "test": rows[TRAIN:].assign(label=rows["true"]),
        }
        numbers[f"errors_{labels}"] = (rows[labels] != rows["true"]).sum()
        numbers |= {
            f"{name}_{labels}": measure(known, CLASSES, name, SETUP)["accuracy"]
            for name in MODELS.names()
        }
    return {name: float(number) for name, number in numbers.items()}


if __name__ == "__main__":
    fetch_weights()
    content: dict[str, dict[str, object]] = {}
    for planted, size in (("train", TRAIN), ("all", 1000)):
        repeats = pd.DataFrame([repeat(size, seed) for seed in range(SEEDS)])
        content[planted] = {"mean": repeats.mean().to_dict()}
        for name in ("errors", *MODELS.names()):
            change = repeats[f"{name}_after"] - repeats[f"{name}_given"]
            interval = stats.ttest_1samp(change, 0).confidence_interval()
            content[planted][f"{name}_change"] = {"mean": change.mean(), **interval._asdict()}
    results.write("review", content)
