"""The tables of drift in docs/evidence.md."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.results import markdown
from benchmarks.results import read as result
from textclf.drift.measure import CLASSES, CLASSIFIER, LENGTH, UNKNOWN, WORDS
from textclf.drift.result import TITLES

ANSWER = "answer"
COLUMNS = (CLASSIFIER, WORDS, LENGTH, UNKNOWN, CLASSES, ANSWER)
CORPORA = ("yelp", "amazon", "imdb", "copies")
SIZES = (25, 400)  # new rows of the cases whose power is shown


def titles() -> list[str]:
    """Return the titles of the columns."""
    return [TITLES.get(name, name) for name in COLUMNS]


def cells(rates: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Return the share of each check as a percentage."""
    for name in COLUMNS:
        yield f"{100 * rates[name]['share']:.1f}"


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
    rows = [[case["new"], f"{case['size']:,}", *cells(case["rates"])] for case in cases if case["size"] in SIZES]
    return markdown([f"p ≤ 0.05, % of {cases[0]['repeats']} cases", "new rows", *titles()], rows)


def dependent() -> str:
    """Return the rates of false alarms by kind of dependent texts and check."""
    rows = [[case["rows"], str(case["splits"]), *cells(case["rates"])] for case in result("drift-dependent")["cases"]]
    return markdown(["p ≤ 0.05, % of the sets", "sets", *titles()], rows)


def classes() -> str:
    """Return the power of labels, and of the check of classes, to find that a class is more frequent."""
    cases = result("drift-classes")["cases"]
    names = [f"{name}_{level}" for level in ("alpha", "holm") for name in ("labels", CLASSES)]
    rows = [[f"{case['size']:,}", *(f"{100 * case['rates'][name]['share']:.1f}" for name in names)] for case in cases]
    columns = ("labels, p ≤ 0.05", "labels and probabilities", "labels, p ≤ 0.01", "labels and probabilities")
    return markdown([f"new rows, % of {cases[0]['repeats']:,} cases", *columns], rows)


TABLES = {
    "drift-alarms": alarms,
    "drift-power": power,
    "drift-dependent": dependent,
    "drift-classes": classes,
}
