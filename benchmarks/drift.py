"""Measure how often `textclf drift` finds drift where there is none, and where there is some.

    python -m benchmarks.drift drift-yelp drift-power

In each simulated case a model is trained on 400 rows of a corpus; 200 others are its test rows, and
up to 400 others are new. What is measured is the answer with `--reference train`.

Dependent texts are made of two sentences of a corpus. The first is one of a hundred that are alike
in class and length and that all texts of an author begin with; half of the texts also have a
made-up word of their author. There, the model is that of one training, and the reference is a file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from textclf.drift.measure import CLASSES, CLASSIFIER, LENGTH, UNKNOWN, WORDS, Settings, measure
from textclf.drift.pool import SIZE, PooledTexts, pool_texts, sample_texts
from textclf.drift.result import TITLES
from textclf.evaluate.intervals import wilson
from textclf.models import logistic_regression
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.predict.predictor import Predictor
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ANSWER = "answer"
COLUMNS = (CLASSIFIER, WORDS, LENGTH, UNKNOWN, CLASSES, ANSWER)  # of the tables
TITLED = [TITLES.get(name, name) for name in COLUMNS]
ALPHA = 0.05
SETTINGS = Settings(ALPHA, permutations=199, seed=0)
FEWER = Settings(ALPHA, permutations=99, seed=0)
TRAIN, TEST = 400, 200  # rows; the others are new
SPLITS = 500  # simulated cases without drift
SETS, FEW_SETS = 1000, 300  # simulated cases of dependent texts, also of many
ALIKE = 100  # sentences with which an author begins
REPEATS = 100  # per size
SIZES = (25, 400)  # new rows, with drift
MODEL = "logistic_regression"

Row = tuple[str, str]  # a text and its label


class Sides(NamedTuple):
    """What is compared: the model's training rows, rows that it has not seen, and new rows."""

    train: list[Row]
    test: list[Row]
    new: list[Row]


def shuffled(rows: Sequence[Row], generator: np.random.Generator) -> list[Row]:
    """Return the rows in random order."""
    return [rows[place] for place in generator.permutation(len(rows)).tolist()]


def split_rows(rows: list[Row], generator: np.random.Generator) -> Sides:
    """Return a random split of a thousand rows."""
    mixed = shuffled(rows, generator)
    return Sides(mixed[:TRAIN], mixed[TRAIN : TRAIN + TEST], mixed[TRAIN + TEST :])


def train(rows: Sequence[Row]) -> Predictor:
    """Return logistic regression on words, trained on rows."""
    texts, labels = zip(*rows, strict=True)
    vectorizer = Vectorizer.fit(texts, Terms())
    classes = sorted(set(labels))
    y = np.array([classes.index(label) for label in labels], dtype=np.int64)
    ids = np.array([str(number) for number in range(len(rows))])
    dataset = Dataset.of_rows(Features(ids, vectorizer.transform(texts), y, np.array(classes)))
    fitted = fit_model(
        MODEL, {"train": dataset, "test": dataset}, logistic_regression.Settings(), Folders(Path())
    )
    return Predictor(vectorizer, fitted.layers, Decision(0.5))


def texts_of(rows: Sequence[Row]) -> list[str]:
    """Return the texts of rows."""
    return [text for text, _ in rows]


def compared_texts(reference: Sequence[Row], new: Sequence[Row], seed: int) -> PooledTexts:
    """Return the pool that `textclf drift` compares."""
    return pool_texts(*(sample_texts([(texts_of(rows), None)], seed) for rows in (reference, new)))


def alarms_of(sides: Sides, seed: int) -> dict[str, bool]:
    """Return by check whether its p-value is at most alpha, and as `answer` the overall result."""
    pools = [compared_texts(reference, sides.new, seed) for reference in (sides.train, sides.test)]
    findings = measure(pools[0], pools[1], train(sides.train), replace(SETTINGS, seed=seed))
    alarms = {name: p <= ALPHA for name, p in findings.p.items()}
    return alarms | {ANSWER: bool(findings.drifted(ALPHA))}


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
        alarms_of(split_rows(rows, np.random.default_rng([0, number])), number)
        for number in track(range(SPLITS), corpus)
    ]
    return {"cases": [{"rows": corpus, "splits": SPLITS, "rates": rates(outcomes)}]}


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
                outcomes.append(alarms_of(sides._replace(new=new), number))
            content.append(
                {"new": title, "size": size, "repeats": REPEATS, "rates": rates(outcomes)}
            )
    return {"cases": content}


class Dependent(NamedTuple):
    """Dependent texts: the rows of a group, each side's groups, and how they are compared.

    `authors`: rows of a group are of one author; otherwise they differ from each other in their
    first word. With `shared`, the new groups are some of the reference, with a quarter of their
    rows each. `similar` is the threshold of nearly the same texts, and `size` the number of texts
    that are compared.
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
    Dependent(
        "independent texts, of the reference 200 of 2,000", 1, (2000, 200), size=200, sets=FEW_SETS
    ),
)


def write_texts(
    kind: Dependent, rows: Sequence[Row], generator: np.random.Generator
) -> list[tuple[list[str], list[str]]]:
    """Return both sides' texts and each one's group; `rows` are ordered by class and length."""
    begins = generator.integers(len(rows), size=sum(kind.groups)).tolist()
    names = [
        "".join(letters)
        for letters in generator.choice(list("aeioukst"), (len(begins), 3)).tolist()
    ]
    sides: list[tuple[list[str], list[str]]] = []
    for side, first in enumerate((0, 0 if kind.shared else kind.groups[0])):
        texts, groups = [], []
        for group in range(first, first + kind.groups[side]):
            whole = " ".join(rows[place][0] for place in generator.integers(len(rows), size=2))
            for _ in range(kind.rows // 4 if kind.shared and side else kind.rows):
                start = rows[(begins[group] + int(generator.integers(ALIKE))) % len(rows)][0]
                end = rows[int(generator.integers(len(rows)))][0]
                word = f" zz{names[group]}" if generator.random() < 0.5 else ""
                texts.append(
                    f"{start} {end}{word}" if kind.authors else f"{end.split()[0]} {whole}"
                )
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
                sample_texts([(texts, groups if kind.by_group else None)], number, kind.size)
                for texts, groups in sides
            ]
            compared = pool_texts(*samples)
            findings = measure(compared, compared, predictor, replace(FEWER, seed=number))
            alarms = {name: p <= ALPHA for name, p in findings.p.items()}
            outcomes.append(alarms | {ANSWER: bool(findings.drifted(ALPHA))})
        content.append({"rows": kind.title, "splits": kind.sets, "rates": rates(outcomes)})
    pools.SIMILAR = DEPENDENT[0].similar
    return {"cases": content}


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"drift-{name}": partial(without_drift, name) for name in NAMES},
    "drift-power": with_drift,
    "drift-dependent": with_dependent_texts,
}


def cells(rates: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Return the share of each check as a percentage."""
    for name in COLUMNS:
        yield f"{100 * rates[name]['share']:.1f}"


def alarms() -> str:
    """Return the rates of false alarms by kind of rows and check."""
    contents: list[Any] = [results.read(f"drift-{name}") for name in NAMES]
    rows = [
        [case["rows"], str(case["splits"]), *cells(case["rates"])]
        for content in contents
        for case in content["cases"]
    ]
    return results.markdown(["p ≤ 0.05, % of the splits", "splits", *TITLED], rows)


def power() -> str:
    """Return the power by kind and number of new rows and by check."""
    cases = results.read("drift-power")["cases"]
    rows = [[case["new"], f"{case['size']:,}", *cells(case["rates"])] for case in cases]
    return results.markdown(
        [f"p ≤ 0.05, % of {cases[0]['repeats']} cases", "new rows", *TITLED], rows
    )


def dependent() -> str:
    """Return the rates of false alarms by kind of dependent texts and check."""
    rows = [
        [case["rows"], str(case["splits"]), *cells(case["rates"])]
        for case in results.read("drift-dependent")["cases"]
    ]
    return results.markdown(["p ≤ 0.05, % of the sets", "sets", *TITLED], rows)


TABLES = {
    "drift-alarms": alarms,
    "drift-power": power,
    "drift-dependent": dependent,
}

if __name__ == "__main__":
    results.main(CASES)
