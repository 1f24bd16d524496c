"""Measure how often `textclf drift` finds drift where there is none, and where there is some.

    python -m benchmarks.drift drift-yelp drift-copies

In each simulated case a model is trained on 400 rows of a corpus; 200 others are its test rows, and up to 400 others
are new. What is measured is the answer with `--reference train`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import results
from benchmarks.inputs import NAMES, read_rows
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import Decision
from textclf.artifacts.features import Features
from textclf.core.progress import track
from textclf.drift.measure import Settings, measure
from textclf.drift.sample import Pool, pool, sample_texts, text_keys
from textclf.evaluate.intervals import wilson
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.predict.predictor import Predictor
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ALPHA = 0.05
SETTINGS = Settings(ALPHA, permutations=199, seed=0)
TRAIN, TEST, NEW = 400, 200, 400  # rows
SPLITS, SPLITS_OF_COPIES = 500, 200  # simulated cases without drift
REPEATS = 100  # with drift, per size
SIZES = (25, 50, 100, 400)  # new rows
COPIED, MOST_COPIES = 500, 4  # rows that are repeated, and how often at most
MODEL = "logistic_regression"

Row = tuple[str, str]  # a text and its label
Deal = Callable[[list[Row], np.random.Generator], list[list[Row]]]


class Sides(NamedTuple):
    """What is compared: rows that the model is trained on, rows that it has not seen, and new rows."""

    train: list[Row]
    test: list[Row]
    new: list[Row]


def shuffled(rows: Sequence[Row], generator: np.random.Generator) -> list[Row]:
    """Return the rows in random order."""
    return [rows[place] for place in generator.permutation(len(rows)).tolist()]


def cut(rows: Sequence[Row]) -> Sides:
    """Return rows as train, test and new rows, in the proportions of the constants."""
    whole = TRAIN + TEST + NEW
    ends = [len(rows) * size // whole for size in (TRAIN, TRAIN + TEST)]
    return Sides([*rows[: ends[0]]], [*rows[ends[0] : ends[1]]], [*rows[ends[1] :]])


def copied(rows: Sequence[Row], generator: np.random.Generator) -> list[list[Row]]:
    """Return 1 to `MOST_COPIES` copies of each row, in a list per row."""
    return [[row] * number for row, number in zip(rows, generator.integers(1, MOST_COPIES + 1, len(rows)), strict=True)]


def split_rows(rows: list[Row], generator: np.random.Generator) -> Sides:
    """Return a random split."""
    return cut(shuffled(rows, generator))


def split_copies(rows: list[Row], generator: np.random.Generator) -> Sides:
    """Return a random split of copies, each row of which is drawn by itself."""
    return cut(shuffled([row for copies in copied(rows, generator) for row in copies], generator))


def split_texts(rows: list[Row], generator: np.random.Generator) -> Sides:
    """Return a random split of copies that keeps all copies of a text in one part."""
    keys = text_keys([text for text, _ in rows], 0)
    distinct = [rows[place] for place in np.unique(keys, return_index=True)[1].tolist()]
    parts = cut(shuffled(distinct, generator))
    return Sides(*([row for copies in copied(part, generator) for row in copies] for part in parts))


def train(rows: Sequence[Row]) -> Predictor:
    """Return logistic regression on words, trained on rows."""
    texts, labels = zip(*rows, strict=True)
    vectorizer = Vectorizer.fit(texts, Terms())
    classes = sorted(set(labels))
    y = np.array([classes.index(label) for label in labels], dtype=np.int64)
    ids = np.array([str(number) for number in range(len(rows))])
    dataset = Dataset.of_rows(Features(ids, vectorizer.transform(texts), y, np.array(classes)))
    fitted = fit_model(MODEL, {"train": dataset, "test": dataset}, getattr(Train(), MODEL), Folders(Path()))
    return Predictor(vectorizer, fitted.layers, Decision(0.5))


def texts_of(rows: Sequence[Row]) -> list[str]:
    """Return the texts of rows."""
    return [text for text, _ in rows]


def pool_texts(reference: Sequence[Row], new: Sequence[Row], seed: int) -> Pool:
    """Return the pool that `textclf drift` compares."""
    return pool(*(sample_texts([texts_of(rows)], seed) for rows in (reference, new)))


def pool_rows(reference: Sequence[Row], new: Sequence[Row], seed: int) -> Pool:
    """Return a pool in which each row counts as a text of its own, which `textclf drift` does not do."""
    generator = np.random.default_rng(seed)
    texts = [*texts_of(reference), *texts_of(new)]
    is_new = np.arange(len(texts)) >= len(reference)
    order = generator.permutation(len(texts))
    placed = tuple(texts[place] for place in order.tolist())
    return Pool(placed, (~is_new[order]).astype(np.int64), is_new[order].astype(np.int64))


def found(sides: Sides, seed: int, make_pool: Callable[..., Pool] = pool_texts) -> dict[str, bool]:
    """Return by check whether its own p-value is at most alpha, and as `answer` whether drift was found."""
    pools = [make_pool(reference, sides.new, seed) for reference in (sides.train, sides.test)]
    findings = measure(pools[0], pools[1], train(sides.train), replace(SETTINGS, seed=seed))
    alarms = {name: p <= ALPHA for name, p in findings.p.items()}
    return alarms | {"answer": bool(findings.drifted(ALPHA))}


def rates(outcomes: Sequence[dict[str, bool]]) -> dict[str, Any]:
    """Return the share of cases in which each check found drift, with its interval."""
    shares = {}
    for name in outcomes[0]:
        alarms = sum(outcome[name] for outcome in outcomes)
        shares[name] = {"share": alarms / len(outcomes), **wilson(alarms, len(outcomes))._asdict()}
    return shares


def without_drift(corpus: str) -> dict[str, Any]:
    """Return the rates of false alarms in random splits of one corpus."""
    rows = read_rows(corpus)
    outcomes = [
        found(split_rows(rows, np.random.default_rng([0, number])), number) for number in track(range(SPLITS), corpus)
    ]
    return {"cases": [{"rows": corpus, "splits": SPLITS, "rates": rates(outcomes)}]}


def with_copies() -> dict[str, Any]:
    """Return the rates of false alarms in random splits of one corpus whose texts are repeated."""
    rows = read_rows("yelp")[:COPIED]
    kinds: tuple[tuple[str, Callable[..., Sides], Callable[..., Pool]], ...] = (
        ("yelp with copies, each row drawn by itself", split_copies, pool_texts),
        ("yelp with copies, all of a text on one side", split_texts, pool_texts),
        ("the same, rows taken as independent", split_texts, pool_rows),
    )
    content = []
    for title, split, make_pool in kinds:
        outcomes = [
            found(split(rows, np.random.default_rng([1, number])), number, make_pool)
            for number in track(range(SPLITS_OF_COPIES), title)
        ]
        content.append({"rows": title, "splits": SPLITS_OF_COPIES, "rates": rates(outcomes)})
    return {"cases": content}


def with_drift() -> dict[str, Any]:
    """Return the power: rates for new rows of another corpus, and for a mixture."""
    own, others = read_rows("yelp"), {name: read_rows(name) for name in ("amazon", "imdb")}
    kinds = (("imdb", "imdb", 1.0), ("amazon", "amazon", 1.0), ("yelp with 10% imdb", "imdb", 0.1))
    content = []
    for title, other, share in kinds:
        for size in SIZES:
            outcomes = []
            for number in track(range(REPEATS), f"{title}, {size}"):
                generator = np.random.default_rng([2, number])
                sides = split_rows(own, generator)
                foreign = round(share * size)
                new = [*shuffled(others[other], generator)[:foreign], *sides.new[: size - foreign]]
                outcomes.append(found(sides._replace(new=new), number))
            content.append({"new": title, "size": size, "repeats": REPEATS, "rates": rates(outcomes)})
    return {"cases": content}


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"drift-{name}": partial(without_drift, name) for name in NAMES},
    "drift-copies": with_copies,
    "drift-power": with_drift,
}

if __name__ == "__main__":
    results.main(CASES)
