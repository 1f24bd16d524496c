"""Measure the coverage and width of 95% intervals, and broken one-sided promises.

    python -m benchmarks.intervals

The width is that beside an ideal interval: 3.92 standard deviations of the estimate over the test
sets. Takes about twenty minutes of one core; every core takes kinds of test sets of its own, so set
OPENBLAS_NUM_THREADS=1.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

import numpy as np

from benchmarks import promises, results
from benchmarks.made_up_sets import (
    LABELS,
    Ints,
    Kind,
    Tally,
    draw,
    even,
    giants,
    grouped,
    half_single,
    heavy_tailed,
    measured,
    population,
)
from textclf.core.progress import track
from textclf.evaluate.registry import METRICS, pair_name
from textclf.evaluate.split_metrics import SplitMetrics

SEED = 1
OF_INTERVAL = ("stated", "covered", "width")  # the rest is of differences
NAMED = 2  # kinds of test sets that are outside
STATED = 0.05  # share of the sets with an interval, below which it is not judged
PAIR = ("a", "b")
DIFFERENCE = "difference in "
OF_CLASS = ("precision", "recall", "f1")  # shown of the rarest class
RAREST = "rarest class: "

TEN, RARE = (0.9, 0.1), (0.98, 0.02)
UNEVEN = tuple((1 / np.arange(2, 79) / (1 / np.arange(2, 79)).sum()).tolist())  # of 77 classes
SIX = (0.3, 0.3, 0.2, 0.1, 0.06, 0.04)
TWENTY = (0.03,) * 10 + (0.1,) * 5 + (0.3,) * 5  # of labels
HARD_LABELS: dict[str, Any] = {
    "shares": (0.1, 0.15, 0.2, 0.3, 0.4),
    "several": True,
    "difficult": True,
    "sets": 500,
}
SEEN, UNSEEN = (
    (0.45, 0.45, 0.1),
    (0.5, 0.5, 1e-9),
)  # of three classes, the last of which has an expensive mistake


def clustered(rows: int, size: int, accuracy: float, correlation: float) -> Kind:
    """Return a kind with clusters of the same size, each of one class."""
    name = f"{rows:,} rows in groups of {size}, accuracy {accuracy}, correlation {correlation}"
    return Kind(name, rows, accuracy, sizes=even(size), correlation=correlation, uniform=True)


def many(
    name: str, rows: int, shares: tuple[float, ...], accuracy: float = 0.95, **others: Any
) -> Kind:
    """Return a kind with many classes."""
    return Kind(name, rows, accuracy, shares, uneven=0.5, second=0.95, **others)


KINDS = {  # of test sets, by the columns of the table
    "two classes": (
        Kind("25 rows", 25, stratified=True),
        Kind("25 rows, random counts", 25),
        Kind("100 rows", 100, stratified=True),
        Kind("100 rows, accuracy 0.98", 100, 0.98),
        Kind("250 rows, accuracy 0.6", 250, 0.6),
        Kind("250 rows", 250, stratified=True),
        Kind("250 rows, random counts", 250),
        Kind("250 rows, accuracy 0.9", 250, 0.9, stratified=True),
        Kind("250 rows, accuracy 0.98", 250, 0.98),
        Kind("250 rows, 10% positive", 250, shares=TEN, stratified=True),
        Kind("250 rows, 10% positive, random counts", 250, shares=TEN),
        Kind("250 rows, 2% positive", 250, 0.9, shares=RARE),
        Kind("1,000 rows", 1000),
        Kind("1,000 rows, 2% positive", 1000, 0.9, shares=RARE),
        Kind("1,000 rows, 1% positive", 1000, 0.9, shares=(0.99, 0.01)),
        Kind("2,000 rows, accuracy 0.6", 2000, 0.6),
        Kind("2,000 rows, accuracy 0.9", 2000, 0.9, stratified=True),
        Kind("2,000 rows, accuracy 0.98", 2000, 0.98),
        Kind("2,000 rows, models alike", 2000, second=1.0),
        Kind("5,000 rows, 1% positive", 5000, 0.9, shares=(0.99, 0.01)),
        Kind("250 rows, 3% confidently wrong", 250, 0.95, wrong=0.03),
        Kind("1,000 rows, 3% confidently wrong", 1000, 0.95, wrong=0.03),
    ),
    "more classes": (
        Kind("1,000 rows, 6 classes", 1000, shares=SIX, second=0.95),
        many("250 rows, 30 classes", 250, (1 / 30,) * 30, stratified=True),
        many("250 rows, 30 classes, random counts", 250, (1 / 30,) * 30),
        many("250 rows, 30 classes, accuracy 0.5", 250, (1 / 30,) * 30, 0.5),
        many("500 rows, 77 classes", 500, (1 / 77,) * 77, stratified=True, sets=500),
        many("500 rows, 77 classes, random counts", 500, (1 / 77,) * 77, sets=500),
        many("2,000 rows, 77 uneven classes", 2000, UNEVEN, sets=300),
    ),
    "groups of one size": (
        clustered(500, 4, 0.6, 0.3),
        clustered(500, 4, 0.9, 0.8),
        clustered(250, 10, 0.9, 0.8),
        clustered(2000, 10, 0.9, 0.0),
        clustered(2000, 10, 0.9, 0.8),
        clustered(2000, 40, 0.6, 0.3),
        clustered(2000, 40, 0.9, 0.8),
        clustered(2000, 40, 0.99, 0.8),
        Kind("250 rows, 50 texts 5 times", 250, sizes=even(5), correlation=1.0, uniform=True),
    ),
    "groups of many sizes": (
        grouped("half of the groups single rows", half_single, 0.5),
        grouped(
            "half of the groups single rows, large ones harder", half_single, 0.5, 0.9, harder=0.2
        ),
        grouped("three giant groups, correlation 0.1", giants, 0.1),
        grouped("three giant groups, correlation 0.5", giants, 0.5),
        grouped("three giant groups, models alike", giants, 0.5, second=1.0),
        grouped("heavy-tailed groups", heavy_tailed, 0.3, 0.9),
        grouped("heavy-tailed groups, large ones harder", heavy_tailed, 0.3, 0.9, harder=0.2),
    ),
    "costly mistakes": tuple(
        Kind(
            f"{rows:,} rows, {kind} mistake costs {cost}",
            rows,
            0.9,
            shares,
            settings={"costs": {"2": {"0": cost}}},
        )
        for kind, shares, rows, cost in (
            *(("a", SEEN, 2000, 10), ("a", SEEN, 2000, 100)),
            *(
                ("an unseen", UNSEEN, 2000, 10),
                ("an unseen", UNSEEN, 2000, 100),
                ("an unseen", UNSEEN, 300, 100),
            ),
        )
    ),
    "several labels": (
        Kind("100 rows, several labels", 100, 0.885, LABELS, several=True),
        Kind("400 rows, several labels", 400, 0.885, LABELS, several=True),
        Kind("400 rows, several labels, blunt model", 400, 0.758, LABELS, several=True),
        Kind("2,000 rows, several labels", 2000, 0.885, LABELS, several=True, sets=500),
        Kind(
            "250 rows, 20 labels, the rarest with 5 to 10 rows",
            250,
            0.885,
            TWENTY,
            several=True,
            sets=500,
        ),
        grouped(
            "several labels, groups of 10",
            even(10),
            0.5,
            0.885,
            shares=LABELS,
            several=True,
            sets=500,
        ),
        grouped(
            "several labels, groups of 10 that are hard or easy",
            even(10),
            0.5,
            0.885,
            **HARD_LABELS,
        ),
        grouped(
            "several labels, groups of 40 that are hard or easy",
            even(40),
            0.3,
            0.885,
            **HARD_LABELS,
        ),
    ),
}

STATEMENTS = (  # the rows of the table
    *(
        "accuracy",
        "balanced_accuracy",
        "precision",
        "f1",
        "roc_auc",
        "mcc",
        "log_loss",
        "brier",
        "cost",
    ),
    *(f"{DIFFERENCE}{name}" for name in ("accuracy", "f1", "roc_auc", "log_loss", "cost")),
)


def true_values(part: SplitMetrics, present: Ints) -> dict[str, float]:
    """Return each statement's true value; means over three or more classes: those in the set."""
    values: dict[str, dict[str, float]] = {}
    for model in PAIR:
        values[model] = dict(part.values[model])
        if not part.of_rows.binary:
            for name in values[model]:
                metric = METRICS["recall" if name == "balanced_accuracy" else name]
                if metric.per_class:
                    values[model][name] = float(
                        part.judged[model].once(metric.of_classes)[present].mean()
                    )
    true = values["a"] | {
        f"{DIFFERENCE}{name}": value - values["b"][name] for name, value in values["a"].items()
    }
    rarest = int(part.support.argmin())
    return true | {
        f"{RAREST}{name}": float(part.judged["a"].once(METRICS[name].of_classes)[rarest])
        for name in OF_CLASS
    }


def statements(part: SplitMetrics, rarest: int) -> Iterator[tuple[str, float, Mapping[str, float]]]:
    """Yield each statement of a test set that has an interval: its name, its value and the ends."""
    values = part.values["a"]
    for name, ends in part.intervals("a").items():
        if ends:
            yield name, values[name], ends
    if not part.of_rows.binary and part.support[rarest]:
        for name in OF_CLASS:
            interval = part.interval("a", name, rarest)
            if interval is not None:
                yield (
                    f"{RAREST}{name}",
                    float(METRICS[name].of_classes(part.judged["a"])[rarest]),
                    interval.rounded(),
                )
    entry = part.comparisons()[pair_name(*PAIR)]
    for name, difference in {"accuracy": entry, **entry["metrics"]}.items():
        if difference:
            yield f"{DIFFERENCE}{name}", difference["difference"], difference


def simulate(kind: Kind, seed: int, sets: int | None = None) -> dict[str, dict[str, float]]:
    """Return the summary of each statement of a kind."""
    generator, sets = np.random.default_rng(seed), sets or kind.sets
    true = measured(kind, population(kind, generator))
    rarest = int(true.support.argmin())
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for _ in range(sets):
        part = measured(kind, draw(kind, kind.rows, generator))
        expected = true_values(true, np.flatnonzero(part.support))
        for name, value, ends in statements(part, rarest):
            tallies[name].add(value, ends, expected[name])
    names = [*tallies, *(name for name in STATEMENTS if name in expected and name not in tallies)]
    summaries = {name: tallies[name].summary(sets) for name in names}
    for name in (name for name in names if not name.startswith(DIFFERENCE)):
        summaries[name] = {
            key: value for key, value in summaries[name].items() if key in OF_INTERVAL
        }
    return summaries


def measure() -> dict[str, Any]:
    """Return the summaries of all kinds of test sets, and how often promises are kept."""
    every = [kind for kinds in KINDS.values() for kind in kinds]
    with ProcessPoolExecutor(results.CORES) as pool:
        kinds = [pool.submit(simulate, kind, SEED + number) for number, kind in enumerate(every)]
        others = [
            pool.submit(function, kind, seed) for function, kind, seed in promises.all_promises()
        ]
        tasks: list[Future[Any]] = [*kinds, *others]
        for done in track(as_completed(tasks), "kinds of test sets", len(tasks)):
            done.result()
    return {
        "kinds": [
            {"kind": kind.name, "sets": kind.sets, "statements": task.result()}
            for kind, task in zip(every, kinds, strict=True)
        ],
        "promises": [line for task in others for line in task.result()],
    }


def judged(kinds: Sequence[Mapping[str, Any]], name: str) -> list[tuple[str, float, float]]:
    """Return the kinds of test sets judged for a statement, with coverage (%) and width."""
    result = [(kind["kind"], kind["statements"].get(name, {})) for kind in kinds]
    return [
        (kind, 100 * of["covered"], of["width"])
        for kind, of in result
        if of.get("stated", 0) >= STATED
    ]


def is_outside(covered: float, width: float) -> bool:
    """Return whether the coverage (%) or the width of intervals breaks what is promised."""
    low, high = promises.INTERVAL
    return not low <= covered <= high or width > promises.WIDEST


def cell(entries: Sequence[tuple[str, float, float]]) -> str:
    """Return a statement's extremes of coverage and width, and how many kinds are outside."""
    if not entries:
        return ""
    (low, high), (narrow, wide) = (
        (min(column), max(column)) for column in list(zip(*entries, strict=True))[1:]
    )
    outside = sum(is_outside(*each) for _, *each in entries)
    return f"{low:.0f}\N{EN DASH}{high:.0f} · {narrow:.2f}\N{EN DASH}{wide:.2f}" + (
        f" ({outside})" if outside else ""
    )


def table() -> str:
    """Return coverage and width by statement (row) and group of kinds (column), and outliers."""
    kinds = results.read("intervals")["kinds"]
    columns = {}
    for title, group in KINDS.items():
        names = {kind.name for kind in group}
        columns[f"{title}: {len(names)}"] = [kind for kind in kinds if kind["kind"] in names]
    rows = [
        [shown(name), *(cell(judged(column, name)) for column in columns.values())]
        for name in STATEMENTS
    ]
    farthest: dict[str, list[str]] = {}
    for name in dict.fromkeys(
        [*STATEMENTS, *(name for kind in kinds for name in kind["statements"])]
    ):
        outside = [each for each in judged(kinds, name) if is_outside(*each[1:])]
        if outside:
            kind, covered, width = max(
                outside, key=lambda each: max(abs(each[1] - 95), 20 * (each[2] - 1))
            )
            farthest.setdefault(kind, []).append(f"{shown(name)} {covered:.0f} · {width:.2f}")
    more = [f"- {kind}: {'; '.join(of)}." for kind, of in farthest.items()]
    sets = [kind["sets"] for kind in kinds]
    errors = [100 * math.sqrt(0.95 * 0.05 / number) for number in (max(sets), min(sets))]
    note = (
        f"{min(sets)} to {max(sets):,} sets per kind; the standard error of a percentage is "
        f"{errors[0]:.1f} to {errors[1]:.1f} points. The kind in which each is farthest outside:"
    )
    return "\n".join([results.markdown(["interval of", *columns], rows), "", note, "", *more])


def shown(name: str) -> str:
    """Return the name of a statement in prose."""
    before, _, metric = name.rpartition(" ")
    return f"{before} {METRICS[metric].title}".strip()


def shortened(kinds: Sequence[str]) -> str:
    """Return the first of these kinds of test sets, and how many more there are."""
    more = [f"{len(kinds) - NAMED} more"] if len(kinds) > NAMED else []
    return "; ".join([*kinds[:NAMED], *more])


def promises_table() -> str:
    """Return promises beside intervals, measurements, and the kinds of test sets that break one."""
    content = results.read("intervals")
    lines = list(content["promises"])
    for kind in content["kinds"]:
        for name, statement in kind["statements"].items():
            if name.startswith(DIFFERENCE):
                where = f"{kind['kind']}, {name}"
                lines.append(
                    promises.line(
                        promises.CONTRADICTION, where, statement.get("contradicting", 0.0)
                    )
                )
    rows = []
    for promise, (promised, low, high) in promises.PROMISES.items():
        of_promise = [each for each in lines if each["promise"] == promise]
        broken = [
            each
            for each in of_promise
            if not low <= each["measured"] <= high or each.get("width", 0) > promises.WIDEST
        ]
        broken.sort(key=lambda each: -max(low - each["measured"], each["measured"] - high))
        named = [
            f"{each['kind']} {each['measured']:.1f}"
            + (f" · {each['width']:.2f}" if "width" in each else "")
            for each in broken
        ]
        measured = [each["measured"] for each in of_promise]
        widths = [each["width"] for each in of_promise if "width" in each]
        shown = f"{min(measured):.1f}\N{EN DASH}{max(measured):.1f}"
        shown += f" · {min(widths):.2f}\N{EN DASH}{max(widths):.2f}" if widths else ""
        refused = [each["refused"] for each in of_promise if each.get("refused")]
        shown += f"; up to {max(refused):.0f}% of the runs refused" if refused else ""
        rows.append([promise, promised, str(len(of_promise)), shown, shortened(named)])
    return results.markdown(["statement", "promised", "kinds", "measured, %", "not so"], rows)


TABLES = {"intervals": table, "promises": promises_table}

if __name__ == "__main__":
    results.main({"intervals": measure})
