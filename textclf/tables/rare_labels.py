"""The classes that labels of a table stand for: labels that look alike, and too rare classes."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeVar

from textclf.core.arrow import normalize_text
from textclf.core.errors import TooRareError
from textclf.core.settings import to_yaml
from textclf.tables.settings import Data
from textclf.tables.values import SEPARATORS

WHOLE = re.compile(r"^([+-]?\d+)[.,]0+$")  # an integer that was stored as a decimal
NAMES = ["other", *(f"rare {number}" for number in range(1, 1000))]  # of the class of all rare ones
# What people write in place of a label, and the rows of totals in spreadsheets; normalised.
PLACEHOLDERS = {
    *("-", "--", "?", "??", "???", "n/a", "na", "nan", "nil", "none", "null", "missing"),
    *("tba", "tbc", "tbd", "todo", "undefined", "unknown", "unlabeled", "unlabelled"),
    *("grand total", "subtotal", "sum", "total", "totals"),
}
# The class in place of each class that is too rare; None leaves it out.
Renamed = Mapping[str, str | None]
NONE: Renamed = {}
Result = TypeVar("Result")


def look_alikes(classes: Mapping[str, int]) -> dict[str, str]:
    """Return each label that is probably a variant of another, with the label meant: data.labels.

    They differ in case, white space or Unicode form, or as 1 and 1.0. The most frequent one,
    stripped, is meant. `classes` has the number of rows of each label.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in classes:
        groups[WHOLE.sub(r"\1", normalize_text(label))].append(label)
    most = [
        (max(group, key=lambda label: (classes[label], -len(label), label)), group)
        for group in groups.values()
    ]
    meant = [(unicodedata.normalize("NFC", frequent.strip()), group) for frequent, group in most]
    return {label: name for name, group in meant for label in group if label != name}


def describe_look_alikes(classes: Mapping[str, int]) -> str:
    """Return a list of the look-alikes and the labels meant, with the numbers of rows of both."""
    pairs = []
    for label, name in look_alikes(classes).items():
        # Only escapes show how a label that is not in NFC differs from one that is.
        written = repr(label) if unicodedata.is_normalized("NFC", label) else ascii(label)
        pairs.append(f"{written} ({classes[label]:,}) as {name!r} ({classes.get(name, 0):,})")
    return ", ".join(pairs)


def placeholders(classes: Mapping[str, int]) -> dict[str, int]:
    """Return the labels, with their rows, that probably stand for none, such as n/a or Total.

    Beside the label + a - is a class.
    """
    words = PLACEHOLDERS - {"-" if "+" in classes else ""}
    return {
        name: rows for name, rows in classes.items() if normalize_text(name).rstrip(":.") in words
    }


def doubts(classes: Mapping[str, int], multilabel: bool) -> list[str]:
    """Return a line if labels look alike, and one if half of them contain a separator of labels.

    `classes` has the number of rows of each label; `multilabel`: a text has a set of them.
    """
    lines = []
    if alike := describe_look_alikes(classes):
        setting = f"data.labels: {to_yaml(look_alikes(classes))}"
        lines = [f"warning: labels that look alike: {alike}; if they are the same, set {setting}"]
    if multilabel:
        return lines
    for mark in SEPARATORS:
        if 2 * sum(mark in name for name in classes) >= len(classes):
            line = (
                f"{mark!r} is in many labels; if it separates labels of a text, "
                "set data.task to multilabel and data.label_separator to it"
            )
            return [*lines, line]
    return lines


def without_rare(data: Data, divide: Callable[[Renamed], Result]) -> Result:
    """Return what `divide` returns once classes that it refuses by `TooRareError` are left out.

    With data.rare merge they become one class once all are known, unless that is too rare as well.
    Raises the last error if data.rare is refuse, or if fewer than two classes would remain.
    """
    rare: set[str] = set()
    known: set[str] = set()
    merged: str | None = None
    unites = data.rare == "merge"
    while True:
        try:
            result = divide(dict.fromkeys(sorted(rare), merged))
            if not unites or merged is not None or len(rare) < 2:
                return result
            complete = True
        except TooRareError as error:
            refused = error.rare - {data.unknown}
            if data.rare == "refuse" or refused <= rare:
                raise
            unites &= merged not in refused
            rare |= refused - {merged}
            known |= error.classes - {data.no_class_label, merged}
            if len(known - rare) + unites < 2:
                raise
            # Without the rare ones one class would be left.
            complete = merged is not None or len(known - rare) < 2
        taken = set(map(normalize_text, {*(known - rare), data.unknown or ""}))
        merged = None
        if unites and complete:
            merged = next(name for name in NAMES if name not in taken)
