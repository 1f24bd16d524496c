"""Measure the promises beside intervals.

These concern slices, prediction sets, thresholds, power, and the best of many results.

Each function returns the percentages that it measures; benchmarks/intervals.py runs them all.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_up_sets import (
    LEVEL,
    Drawn,
    Kind,
    Sizes,
    Tally,
    draw,
    even,
    giants,
    grouped,
    half_single,
    heavy_tailed,
    measured,
    population,
    predictions,
)
from textclf.core.errors import UserError
from textclf.core.result_files import to_json
from textclf.evaluate import registry
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.coverage import fit_sets, measure_sets
from textclf.evaluate.intervals import normal_quantile
from textclf.evaluate.looks import widen
from textclf.evaluate.registry import pair_name
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import Family, Membership, keep_large
from textclf.evaluate.slices.report import report, weak
from textclf.evaluate.slices.sums import SliceSums
from textclf.evaluate.split_clusters import positions

SETS = 1000  # simulated test sets per line
ASKED = 0.9  # coverage of prediction sets, and precision
QUANTILES = 2000  # of the population's probabilities, at which sets are counted

INTERVAL, WIDEST = (
    (93.0, 97.5),
    1.3,
)  # of the coverage of a 95% interval, and of its width beside the ideal

ALARM = "a slice wrongly called weak or strong"
FOUND = "the weak slice found"
ACCURACY = "accuracy of a slice"
DIFFERENCE = "its difference from the other rows"
HELD = "prediction sets: rows held"
HELD_BY_CLASS = "by class: rows of the worst class held"
LABELS_HELD = "sets of labels: labels held, of texts with any"
SHARE_HELD = "interval of the share of rows held"
MISSED = "target precision missed"
SIZE = "a difference found between equal models"
POWER = "`smallest_difference` found"
BEST = "widened accuracy of the best of 20 models"
CONTRADICTION = "p-value and interval contradict each other"
# What is promised, and the percentages that are within it, allowing for two standard errors.
PROMISES = {
    ALARM: ("at most 5%", 0, 6.4),
    FOUND: ("", 0, 100),
    ACCURACY: ("95%", *INTERVAL),
    DIFFERENCE: ("95%", *INTERVAL),
    HELD: ("90%", 89.5, 100),
    HELD_BY_CLASS: ("90%", 89.5, 100),
    LABELS_HELD: ("90%", 89.5, 100),
    SHARE_HELD: ("95%", *INTERVAL),
    MISSED: ("at most 5%", 0, 6.4),
    SIZE: ("at most 5%", 0, 6.4),
    POWER: ("80%", 77.5, 100),
    BEST: ("at least 95%", 93.6, 100),
    CONTRADICTION: ("never", 0, 0),
}

Line = dict[str, Any]


def line(promise: str, kind: str, measured: float, **others: float) -> Line:
    """Return a promise's measurement on a kind of test set, a share of the sets, in percent."""
    return {"promise": promise, "kind": kind, "measured": 100 * measured, **others}


def of_tallies(promise: str, kind: str, tallies: Iterable[Tally]) -> Line:
    """Return the mean coverage and width of intervals."""
    result = [tally.summary(SETS) for tally in tallies if len(tally.ends) > SETS // 10]
    covered = np.average(
        [each["covered"] for each in result], weights=[each["stated"] for each in result]
    )
    return line(
        promise, kind, float(covered), width=float(np.mean([each["width"] for each in result]))
    )


# Slices

WEAK = "platform=b"
COLUMNS = {  # the values of each column, with their shares of the rows
    "platform": (0.6, 0.1, 0.2, 0.1),
    "region": (0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05),
    "paid": (0.7, 0.3),
    "words": (0.1, 0.3, 0.4, 0.2),
    "negation": (0.75, 0.25),
    "capitals": (0.95, 0.05),
    "digits": (0.85, 0.15),
    "unknown_words": (0.2, 0.3, 0.3, 0.2),
}


@dataclass(frozen=True)
class Sliced:
    """A kind of test set with slices.

    The accuracy on the slice `WEAK`, a tenth of the rows, or on the last of so many equally
    frequent `intents`, is lower by `drop`. The rows of a cluster share a part `correlation` of the
    variance of the scores that decide which rows are right, and their platform; with `whole` all
    values. The first `copies` rows are one text, most rows of `WEAK`.
    """

    name: str
    rows: int
    accuracy: float = 0.85
    drop: float = 0.0
    sizes: Sizes | None = None
    correlation: float = 0.0
    whole: bool = False
    copies: int = 0
    intents: int = 0


SLICED = (
    Sliced("250 rows", 250),
    Sliced("5,000 rows", 5000),
    Sliced("250 rows, 50 texts 5 times", 250, sizes=even(5), correlation=1.0, whole=True),
    Sliced("1,000 rows in groups of 4, correlation 0.5", 1000, sizes=even(4), correlation=0.5),
    Sliced(
        "2,000 rows in groups of 4, whole groups",
        2000,
        0.9,
        sizes=even(4),
        correlation=0.8,
        whole=True,
    ),
    Sliced(
        "1,500 rows in groups of 10, whole groups",
        1500,
        0.9,
        sizes=even(10),
        correlation=0.8,
        whole=True,
    ),
    Sliced(
        "2,000 rows in groups of 40, correlation 0.8", 2000, 0.9, sizes=even(40), correlation=0.8
    ),
    Sliced(
        "2,000 rows in groups of 40, whole groups",
        2000,
        0.9,
        sizes=even(40),
        correlation=0.8,
        whole=True,
    ),
    Sliced("2,000 rows, three giant groups", 2000, sizes=giants, correlation=0.1),
    Sliced("2,000 rows, heavy-tailed groups", 2000, sizes=heavy_tailed, correlation=0.3),
    Sliced(
        "2,000 rows, three giant groups, whole groups",
        2000,
        sizes=giants,
        correlation=0.5,
        whole=True,
    ),
    Sliced(
        "3,080 rows, three giant groups, 77 classes more",
        3080,
        sizes=giants,
        correlation=0.3,
        whole=True,
        intents=77,
    ),
    Sliced(
        "2,000 rows, heavy-tailed groups, whole groups",
        2000,
        sizes=heavy_tailed,
        correlation=0.5,
        whole=True,
    ),
    Sliced(
        "1,200 rows in 30 groups, whole groups", 1200, sizes=even(40), correlation=0.3, whole=True
    ),
    Sliced("1,000 rows, one text 9 times in a slice of 15", 1000, copies=9),
    Sliced("3,080 rows, 77 classes more", 3080, intents=77),
    Sliced("1,000 rows, a slice 15 points lower", 1000, drop=0.15),
    Sliced("1,000 rows, a slice 30 points lower", 1000, drop=0.3),
    Sliced(
        "2,000 rows in groups of 4, a slice 15 points lower",
        2000,
        drop=0.15,
        sizes=even(4),
        correlation=0.5,
    ),
    Sliced(
        "2,000 rows, heavy-tailed whole groups, a slice 30 points lower",
        2000,
        drop=0.3,
        sizes=heavy_tailed,
        correlation=0.3,
        whole=True,
    ),
    Sliced(
        "2,000 rows, giants, whole groups, a slice 30 points lower",
        2000,
        drop=0.3,
        sizes=giants,
        correlation=0.1,
        whole=True,
    ),
    Sliced("3,080 rows, one of 77 classes 30 points lower", 3080, drop=0.3, intents=77),
)


def draw_slices(
    kind: Sliced, generator: np.random.Generator
) -> tuple[Membership, JudgedRows, NDArray[np.uint64]]:
    """Return the slices of the rows of a test set, the rows, and the keys of their clusters."""
    sizes = np.ones(kind.rows, np.int64) if kind.sizes is None else kind.sizes(kind.rows, generator)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    clusters[: kind.copies] = 0
    rows, columns = (
        len(clusters),
        COLUMNS | ({"intent": (1 / kind.intents,) * kind.intents} if kind.intents else {}),
    )
    families = []
    for name, shares in columns.items():
        whole = name == "platform" or kind.whole
        codes = generator.choice(len(shares), len(sizes) if whole else rows, p=shares)
        codes = codes[clusters] if whole else codes
        if name == "platform" and kind.copies:
            codes[codes == 1] = 0
            codes[: kind.copies * 5 // 3] = 1
        values = map(str, range(len(shares))) if name == "intent" else "abcdefg"[: len(shares)]
        families.append(Family(name, tuple(values), codes.astype(np.int16)))
    is_weak = families[-1].codes == kind.intents - 1 if kind.intents else families[0].codes == 1
    scores = math.sqrt(kind.correlation) * generator.normal(size=len(sizes))[clusters]
    scores += math.sqrt(1 - kind.correlation) * generator.normal(size=rows)
    right = scores < np.where(
        is_weak, *map(normal_quantile, (kind.accuracy - kind.drop, kind.accuracy))
    )
    right[: kind.copies] = right[:1]
    y = generator.integers(0, 2, rows)
    families.append(Family("class", ("a", "b"), y.astype(np.int8)))
    positive = np.where(right == (y == 1), 0.9, 0.1)
    decided = np.where(right, y, 1 - y)
    of_rows = JudgedRows(y, np.column_stack([1 - positive, positive]), decided)
    if kind.sizes or kind.copies:
        of_rows = replace(of_rows, clusters=positions(clusters.astype(np.uint64)))
    return (
        Membership(tuple(map(keep_large, families)), b"", rows),
        of_rows,
        clusters.astype(np.uint64),
    )


def slices(kind: Sliced, seed: int) -> list[Line]:
    """Return false alarms, how often the weak slice is found, and coverage and width."""
    generator = np.random.default_rng(seed)
    column, name = ("intent", f"intent={kind.intents - 1}") if kind.intents else ("platform", WEAK)
    part = 1 / kind.intents if kind.intents else 0.1  # of the rows, in the weak slice
    shares = dict(zip([f"platform={value}" for value in "abcd"], COLUMNS["platform"], strict=True))
    alarms = result = 0
    tallies: dict[str, defaultdict[str, Tally]] = {
        which: defaultdict(Tally) for which in ("accuracy", "difference")
    }
    for _ in range(SETS):
        membership, rows, keys = draw_slices(kind, generator)
        sums = SliceSums(membership, ("a", "b"), None, keys)
        entries = report(sums, {"m": rows}, 1 - LEVEL)["m"]
        others = [each for each in entries if not kind.drop or not each.startswith(f"{column}=")]
        alarms += any(entries[each].p_holm <= LEVEL for each in others)
        result += name in weak(entries, 1 - LEVEL)
        for each, entry in to_json(entries).items():
            share = shares.get(each, 1 / max(kind.intents, 1))
            own = -kind.drop * (
                1.0 if each == name else 0.0 if each.startswith(f"{column}=") else part
            )
            rest = (
                (-kind.drop * part - share * own) / (1 - share)
                if each.startswith(f"{column}=")
                else own
            )
            true = {"accuracy": kind.accuracy + own, "difference": own - rest}
            for which, value in true.items():
                tallies[which][each].add(entry[which], entry[f"{which}_interval"], value)
    lines = [line(ALARM, kind.name, alarms / SETS)]
    lines += [line(FOUND, kind.name, result / SETS)] if kind.drop else []
    for which, title in (("accuracy", ACCURACY), ("difference", DIFFERENCE)):
        lines.append(of_tallies(title, kind.name, tallies[which].values()))
    return lines


# What validation rows choose

THREE = (0.7, 0.2, 0.1)
CHOOSING = (
    Kind("500 rows", 500),
    Kind("2,000 rows", 2000),
    Kind("500 rows in groups of 4", 500, sizes=even(4), correlation=0.8, uniform=True),
    Kind("2,000 rows in groups of 40", 2000, sizes=even(40), correlation=0.3, uniform=True),
    grouped("three giant groups", giants, 0.1),
    Kind(
        "1,000 rows, half single, groups harder",
        1000,
        0.9,
        sizes=half_single,
        correlation=0.3,
        harder=0.2,
    ),
    grouped("heavy-tailed groups", heavy_tailed, 0.3, 0.9),
    grouped("heavy-tailed groups, large ones harder", heavy_tailed, 0.3, 0.9, harder=0.2),
    grouped("heavy-tailed groups, large ones much harder", heavy_tailed, 0.3, 0.95, harder=0.4),
)
FEW_LABELS = tuple(
    Kind("", 1000, 0.9, shares, several=True)
    for shares in ((0.005, 0.01, 0.02, 0.04, 0.06), (0.02, 0.05, 0.1, 0.2, 0.3))
)


def prediction_sets(kind: Kind, seed: int) -> list[Line]:
    """Return the mean share of rows whose set has their class: of all, and of the worst class.

    Also how often the interval of that share on test rows has it.
    """
    generator = np.random.default_rng(seed)
    lines = []
    for by_class in (False, True):
        each = replace(kind, shares=THREE) if by_class else kind
        drawn = population(each, generator)
        shares, probabilities = np.bincount(drawn.y) / len(drawn.y), drawn.outputs["a"]
        levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
        grid = np.stack(
            [
                np.quantile(probabilities[drawn.y == place, place], levels)
                for place in range(len(shares))
            ],
            axis=1,
        )
        held, tally = [], Tally()
        for _ in range(SETS):
            validation, test = (
                measured(
                    each,
                    draw(each, each.rows, generator),
                    coverage=ASKED,
                    coverage_by_class=by_class,
                )
                for _ in range(2)
            )
            try:
                fitted = fit_sets(validation, validation.settings)
            except UserError:
                continue
            held.append(fitted["a"].sets(grid, ASKED).mean(axis=0))
            of_test = to_json(measure_sets(test, {"a": fitted["a"]}, test.settings))["a"][
                "coverage"
            ]
            tally.add(of_test["value"], of_test, float(held[-1] @ shares))
        if len(held) > SETS // 20:
            means, refused = np.mean(held, axis=0), 100 - 100 * len(held) / SETS
            mean = float(means.min() if by_class else means @ shares)
            lines.append(
                line(HELD_BY_CLASS if by_class else HELD, kind.name, mean, refused=refused)
            )
            lines += [] if by_class else [of_tallies(SHARE_HELD, kind.name, [tally])]
    return lines


def sets_of_labels(kind: Kind, seed: int) -> list[Line]:
    """Return the mean share of labels that the sets of texts with any label have."""
    generator = np.random.default_rng(seed)
    drawn = population(kind, generator, 50_000)
    some = drawn.y.any(axis=1)
    y, probabilities = drawn.y[some], drawn.outputs["a"][some]
    held = []
    for _ in range(SETS):
        validation = measured(kind, draw(kind, kind.rows, generator), coverage=ASKED)
        sets = fit_sets(validation, validation.settings)["a"].sets(probabilities, ASKED)
        held.append(float(((sets & (y == 1)).sum(axis=1) / y.sum(axis=1)).mean()))
    return [
        line(
            LABELS_HELD, f"{kind.rows:,} rows, {some.mean():.0%} with a label", float(np.mean(held))
        )
    ]


def target_precision(kind: Kind, seed: int) -> list[Line]:
    """Return the share of runs whose threshold misses the target precision on new rows."""
    generator = np.random.default_rng(seed)
    drawn = population(kind, generator)
    order = np.argsort(-drawn.outputs["a"][:, 1])
    scores = -drawn.outputs["a"][order, 1]  # ascending
    precisions = np.cumsum(drawn.y[order]) / np.arange(1, len(order) + 1)
    settings = Evaluate.model_validate({"threshold": "precision", "target_precision": ASKED})
    missed = refused = 0
    for _ in range(SETS):
        rows = draw(kind, kind.rows, generator)
        clusters = positions(rows.keys) if kind.sizes else None
        try:
            threshold = choose_decision(predictions(kind, rows)["a"], settings, clusters).threshold
        except UserError:
            refused += 1
            continue
        above = int(np.searchsorted(scores, -(threshold or 0.0)))
        missed += above > 0 and precisions[above - 1] < ASKED
    return [line(MISSED, kind.name, missed / SETS, refused=100 * refused / SETS)]


# Comparisons


@dataclass(frozen=True)
class Compared:
    """A test set where one of three models alone is right or wrong on a share `discordant`.

    That is the share of the rows that only one of any two decides correctly. With the probability
    `alike`, a row is decided as all such rows of its cluster.
    """

    name: str
    rows: int
    discordant: float
    sizes: Sizes | None = None
    alike: float = 0.0


COMPARED = (
    Compared("250 rows, 13% disagreement", 250, 0.13),
    Compared("2,000 rows, 13%", 2000, 0.13),
    Compared("2,000 rows, 30%", 2000, 0.3),
    Compared("2,000 rows in groups of 10, 13%", 2000, 0.13, even(10), 0.3),
    Compared("1,200 rows in 12 groups, 13%", 1200, 0.13, even(100), 0.3),
    Compared("2,000 rows in 40 groups, 13%", 2000, 0.13, even(50), 0.3),
    Compared("2,000 rows, three giant groups, 13%", 2000, 0.13, giants, 0.1),
    Compared("2,000 rows, heavy-tailed groups, 13%", 2000, 0.13, heavy_tailed, 0.1),
)


def draw_three(kind: Compared, difference: float, generator: np.random.Generator) -> Drawn:
    """Return rows of one class on which three models differ; two of them by `difference`."""
    sizes = np.ones(kind.rows, np.int64) if kind.sizes is None else kind.sizes(kind.rows, generator)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    skew, odd = difference / kind.discordant, kind.discordant / 4
    edges = np.cumsum(
        [odd * (1 + skew), odd * (1 - skew), odd * (1 - skew), odd * (1 + skew), odd, odd]
    )
    right = np.concatenate(
        [np.repeat(np.eye(3, dtype=bool), 2, axis=0), np.ones((1, 3), dtype=bool)]
    )
    right[1:6:2] ^= True  # alone wrong
    own, shared = (
        np.searchsorted(edges, generator.random(count)) for count in (len(clusters), len(sizes))
    )
    patterns = right[np.where(generator.random(len(clusters)) < kind.alike, shared[clusters], own)]
    y = generator.integers(0, 2, len(clusters))
    positive = np.where(patterns == (y == 1)[:, np.newaxis], 0.9, 0.1)
    outputs = {
        name: np.column_stack([1 - positive[:, n], positive[:, n]]) for n, name in enumerate("abc")
    }
    return Drawn(y, outputs, clusters.astype(np.uint64))


def power(kind: Compared, seed: int) -> list[Line]:
    """Return how often the smallest difference in the report is found, and how often none is."""
    generator = np.random.default_rng(seed)
    of_rows = Kind(kind.name, kind.rows, sizes=kind.sizes)
    pair = pair_name("b", "a")

    def compare(difference: float, sets: int) -> tuple[float, float]:
        """Return the mean smallest difference, and the share of sets in which it is found."""
        entries = [
            measured(of_rows, draw_three(kind, difference, generator)).comparisons()[pair]
            for _ in range(sets)
        ]
        named.append(
            [entry["smallest_difference"] for entry in entries if "smallest_difference" in entry]
        )
        mean = float(np.mean(named[-1])) if named[-1] else difference
        return mean, float(np.mean([entry["p_holm"] <= LEVEL for entry in entries]))

    named: list[list[float]] = []
    difference, false = compare(0.0, SETS)
    lines = [line(SIZE, kind.name, false)]
    # Where hardly any run names a difference, none is promised.
    if len(named[0]) > SETS // 20:
        for _ in range(2):  # it depends a little on the difference itself
            difference, _ = compare(difference, SETS // 20)
        result = compare(difference, SETS)[1]
        refused = 100 - 100 * len(named[-1]) / SETS
        lines.append(line(POWER, kind.name, result, points=100 * difference, refused=refused))
    return lines


@dataclass(frozen=True)
class Looked:
    """A kind of test set on which `MODELS` equally good models are measured.

    The scores that decide which rows are right have a `correlation` between the models, and a part
    `alike` of their variance is common to the rows of a cluster.
    """

    name: str
    rows: int
    correlation: float = 0.0
    sizes: Sizes | None = None
    alike: float = 0.0


MODELS = 20
LOOKED = (
    Looked("50 rows", 50),
    Looked("250 rows", 250),
    Looked("2,000 rows", 2000),
    Looked("250 rows, correlation 0.8", 250, 0.8),
    Looked("250 rows in 10 groups", 250, 0.0, even(25), 0.3),
    Looked("1,000 rows in 10 groups, correlation 0.5", 1000, 0.5, even(100), 0.1),
    Looked("1,000 rows in 25 groups", 1000, 0.0, even(40), 0.3),
    Looked("2,000 rows, heavy-tailed groups", 2000, 0.0, heavy_tailed, 0.3),
)


def looks(kind: Looked, seed: int, accuracy: float = 0.8) -> list[Line]:
    """Return how often the widened interval of the best of equal models has their accuracy."""
    generator, covered = np.random.default_rng(seed), 0
    for _ in range(SETS):
        sizes = (
            np.ones(kind.rows, np.int64) if kind.sizes is None else kind.sizes(kind.rows, generator)
        )
        clusters = np.repeat(np.arange(len(sizes)), sizes)
        scores = [
            math.sqrt(kind.correlation) * generator.normal(size=count)
            + math.sqrt(1 - kind.correlation) * generator.normal(size=(MODELS, count))
            for count in (len(clusters), len(sizes))
        ]
        of_rows = (
            math.sqrt(1 - kind.alike) * scores[0] + math.sqrt(kind.alike) * scores[1][:, clusters]
        )
        right = of_rows < normal_quantile(accuracy)
        best = right[right.sum(axis=1).argmax()]
        y = np.zeros(len(clusters), np.int64)
        some = positions(clusters.astype(np.uint64)) if kind.sizes else None
        rows = JudgedRows(
            y, np.column_stack([best, ~best]).astype(np.float64), np.where(best, 0, 1), some
        )
        share = registry.ACCURACY.share(rows, 1 - LEVEL)
        low, high = widen(float(best.mean()), share.effective, 1 - LEVEL, MODELS, share.degrees)
        covered += low <= accuracy <= high
    return [line(BEST, kind.name, covered / SETS)]


SIMULATIONS: tuple[tuple[Callable[..., list[Line]], Iterable[Any]], ...] = (
    (slices, SLICED),
    (prediction_sets, CHOOSING),
    (sets_of_labels, FEW_LABELS),
    (target_precision, CHOOSING),
    (power, COMPARED),
    (looks, LOOKED),
)


def all_promises() -> Iterator[tuple[Callable[..., list[Line]], Any, int]]:
    """Yield each simulation with its kind of test set and a seed."""
    for number, (function, kinds) in enumerate(SIMULATIONS):
        yield from ((function, kind, 100 * number + place) for place, kind in enumerate(kinds))
