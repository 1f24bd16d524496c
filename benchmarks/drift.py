"""Measure how often `textclf drift` finds drift where there is none, and where there is some.

    python -m benchmarks.drift drift-yelp drift-copies

In each simulated case a model is trained on 400 rows of a corpus; 200 others are its test rows, and up to 400 others
are new. What is measured is the answer with `--reference train`.

Dependent texts are made of two sentences of a corpus. The first is one of a hundred that are alike in class and length
and that all texts of an author begin with; half of the texts also have a made-up word of their author. There, the model
is that of one training, and the reference is a file.
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
from textclf.drift import pool as pools
from textclf.drift.measure import CHECKS, CLASSES, Settings, measure
from textclf.drift.permutations import deviations, differences, upper_p
from textclf.drift.pool import Pool, pool
from textclf.drift.sample import SIZE, sample_texts, text_keys
from textclf.evaluate.intervals import wilson
from textclf.models import logistic_regression
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.predict.predictor import Predictor
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ALPHA = 0.05
HOLM = ALPHA / CHECKS  # the level at which a lone check finds drift
SETTINGS = Settings(ALPHA, permutations=199, seed=0)
FEWER = Settings(ALPHA, permutations=99, seed=0)
TRAIN, TEST, NEW = 400, 200, 400  # rows
SPLITS, SPLITS_OF_COPIES = 500, 300  # simulated cases without drift
SETS, FEW_SETS = 1000, 300  # simulated cases of dependent texts, also of many, and of a shift of the classes
PER_MODEL = 10  # of the latter, those with one model
ALIKE = 100  # sentences with which an author begins
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
    fitted = fit_model(MODEL, {"train": dataset, "test": dataset}, logistic_regression.Settings(), Folders(Path()))
    return Predictor(vectorizer, fitted.layers, Decision(0.5))


def texts_of(rows: Sequence[Row]) -> list[str]:
    """Return the texts of rows."""
    return [text for text, _ in rows]


def pool_texts(reference: Sequence[Row], new: Sequence[Row], seed: int) -> Pool:
    """Return the pool that `textclf drift` compares."""
    return pool(*(sample_texts([(texts_of(rows), None)], seed) for rows in (reference, new)))


def pool_rows(reference: Sequence[Row], new: Sequence[Row], seed: int) -> Pool:
    """Return a pool in which each row counts as a text of its own, which `textclf drift` does not do."""
    generator = np.random.default_rng(seed)
    texts = [*texts_of(reference), *texts_of(new)]
    is_new = np.arange(len(texts)) >= len(reference)
    order = generator.permutation(len(texts))
    placed = tuple(texts[place] for place in order.tolist())
    return Pool(placed, (~is_new[order]).astype(np.int64), is_new[order].astype(np.int64), np.arange(len(texts)))


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


class Dependent(NamedTuple):
    """A kind of dependent texts: the rows of a group, the groups of each side, and how they are compared.

    `authors`: rows of a group are of one author; otherwise they differ from each other in their first word. With
    `shared`, the new groups are some of the reference, with a quarter of their rows each. `similar` is the threshold of
    nearly the same texts, and `size` the number of texts that are compared.
    """

    title: str
    rows: int
    groups: tuple[int, int]
    by_group: bool = True
    authors: bool = True
    shared: bool = False
    similar: float = pools.SIMILAR
    size: int = SIZE
    sets: int = SETS


INDEPENDENT = "the same, texts taken as independent"
DEPENDENT = (
    Dependent("independent texts", 1, (160, 80)),
    Dependent("authors of 4 texts", 4, (60, 40)),
    Dependent(INDEPENDENT, 4, (60, 40), by_group=False, sets=FEW_SETS),
    Dependent("authors of 10 texts", 10, (30, 20)),
    Dependent(INDEPENDENT, 10, (30, 20), by_group=False, sets=FEW_SETS),
    Dependent("authors of 40 texts", 40, (20, 20), sets=FEW_SETS),
    Dependent(INDEPENDENT, 40, (20, 20), by_group=False, sets=100),
    Dependent("authors of 20 texts, 5 more of some of them are new", 20, (40, 20), shared=True),
    Dependent("4 texts that differ in a word", 4, (80, 40), by_group=False, authors=False),
    Dependent(INDEPENDENT, 4, (80, 40), by_group=False, authors=False, similar=2, sets=FEW_SETS),
    Dependent("independent texts, of the reference 200 of 2,000", 1, (2000, 200), size=200, sets=FEW_SETS),
)


def write_texts(
    kind: Dependent, rows: Sequence[Row], generator: np.random.Generator
) -> list[tuple[list[str], list[str]]]:
    """Return the texts of both sides and the group of each; `rows` are ordered by class and length."""
    begins = generator.integers(len(rows), size=sum(kind.groups)).tolist()
    names = ["".join(letters) for letters in generator.choice(list("aeioukst"), (len(begins), 3)).tolist()]
    sides: list[tuple[list[str], list[str]]] = []
    for side, first in enumerate((0, 0 if kind.shared else kind.groups[0])):
        texts, groups = [], []
        for group in range(first, first + kind.groups[side]):
            whole = " ".join(rows[place][0] for place in generator.integers(len(rows), size=2))
            for _ in range(kind.rows // 4 if kind.shared and side else kind.rows):
                start = rows[(begins[group] + int(generator.integers(ALIKE))) % len(rows)][0]
                end = rows[int(generator.integers(len(rows)))][0]
                word = f" zz{names[group]}" if generator.random() < 0.5 else ""
                texts.append(f"{start} {end}{word}" if kind.authors else f"{end.split()[0]} {whole}")
                groups.append(str(group))
        sides.append((texts, groups))
    return sides


def with_dependent_texts() -> dict[str, Any]:
    """Return the rates of false alarms for texts of authors and for texts that differ in a word."""
    rows = read_rows("yelp")
    predictor = train(rows[:TRAIN])
    others = sorted(rows[TRAIN:], key=lambda row: (row[1], len(row[0])))
    content = []
    for kind in DEPENDENT:
        pools.SIMILAR = kind.similar
        outcomes = []
        for number in track(range(kind.sets), kind.title):
            sides = write_texts(kind, others, np.random.default_rng([3, number]))
            samples = [
                sample_texts([(texts, groups if kind.by_group else None)], number, kind.size) for texts, groups in sides
            ]
            compared = pool(*samples)
            findings = measure(compared, compared, predictor, replace(FEWER, seed=number))
            alarms = {name: p <= ALPHA for name, p in findings.p.items()}
            outcomes.append(alarms | {"answer": bool(findings.drifted(ALPHA))})
        content.append({"rows": kind.title, "splits": kind.sets, "rates": rates(outcomes)})
    pools.SIMILAR = DEPENDENT[0].similar
    return {"cases": content}


def with_other_classes() -> dict[str, Any]:
    """Return the power to find that 70% instead of half of the texts are positive: of labels, and of the check."""
    rows = read_rows("yelp")
    content = []
    for size in (100, 200):
        outcomes = []
        for number in track(range(SETS), f"classes, {size}"):
            if number % PER_MODEL == 0:
                mixed = shuffled(rows, np.random.default_rng([4, number]))
                predictor = train(mixed[:TRAIN])
            rest = shuffled(mixed[TRAIN:], np.random.default_rng([5, number]))
            by_label = [[row for row in rest if row[1] == label] for label in "01"]
            test = [row for part in by_label for row in part[: TEST // 2]]
            new = [*by_label[0][TEST // 2 :][: round(0.3 * size)], *by_label[1][TEST // 2 :][: round(0.7 * size)]]
            outcomes.append(found_classes(predictor, pool_texts(test, new, number), number))
        content.append({"size": size, "reference": TEST, "repeats": SETS, "rates": rates(outcomes)})
    return {"cases": content}


def found_classes(predictor: Predictor, compared: Pool, seed: int) -> dict[str, bool]:
    """Return whether predicted labels alone, and the check of classes, find drift at both levels."""
    findings = measure(compared, compared, predictor, replace(SETTINGS, seed=seed))
    labels = np.array([[label == "1"] for label in predictor.predict(compared.texts)], dtype=np.float64)
    shares = differences(compared, labels, np.ones(len(labels)), SETTINGS.permutations, seed)[:, 0]
    p = {"labels": upper_p(deviations(shares)), CLASSES: findings.p[CLASSES]}
    levels = {"alpha": ALPHA, "holm": HOLM}
    return {f"{name}_{level}": p[name] <= most for name in p for level, most in levels.items()}


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"drift-{name}": partial(without_drift, name) for name in NAMES},
    "drift-copies": with_copies,
    "drift-power": with_drift,
    "drift-dependent": with_dependent_texts,
    "drift-classes": with_other_classes,
}

if __name__ == "__main__":
    results.main(CASES)
