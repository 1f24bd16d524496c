"""The tables of docs/drift.md."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks import drift_timings
from benchmarks.tables import markdown, result
from textclf.drift.measure import CLASSES, CLASSIFIER, LENGTH, UNKNOWN, WORDS
from textclf.drift.result import TITLES

ANSWER = "answer"
COLUMNS = (CLASSIFIER, WORDS, LENGTH, UNKNOWN, CLASSES, ANSWER)
CORPORA = ("yelp", "amazon", "imdb", "copies")


def titles() -> list[str]:
    """Return the titles of the columns."""
    return [TITLES.get(name, name) for name in COLUMNS]


def cells(rates: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Return the share of each check as a percentage with its interval."""
    for name in COLUMNS:
        rate = rates[name]
        yield f"{100 * rate['share']:.1f} ({100 * rate['low']:.1f} to {100 * rate['high']:.1f})"


def alarms() -> str:
    """Return the rates of false alarms by kind of rows and check."""
    contents: list[Any] = [result(f"drift-{name}") for name in CORPORA]
    rows = [
        [case["rows"], str(case["splits"]), *cells(case["rates"])] for content in contents for case in content["cases"]
    ]
    return markdown(["p ≤ 0.05, % of the splits", "splits", *titles()], rows)


def power() -> str:
    """Return the power by kind and number of new rows and by check."""
    cases = result("drift-power")["cases"]
    rows = [[case["new"], f"{case['size']:,}", *cells(case["rates"])] for case in cases]
    return markdown([f"p ≤ 0.05, % of {cases[0]['repeats']} cases", "new rows", *titles()], rows)


TABLES = {"drift-alarms": alarms, "drift-power": power, "timings-drift": drift_timings.table}
