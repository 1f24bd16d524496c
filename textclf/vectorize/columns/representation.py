"""Other columns than the text as dense features: standardised numbers, one-hot categories, parts of dates."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import DENSE
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.vectorize.columns.settings import Settings

ROWS = 4096  # read at a time to fit
FEWEST_ROWS, MOST_CATEGORIES = 2, 100  # rows of a category; categories of a column, the most frequent ones
MOST_DEVIATIONS = 10.0  # of a number from the mean; one that is farther away counts as so far
PARTS = ("year", "month", "weekday", "hour")  # of a date: a number and three categories
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MISSING = "missing"  # category of a row without a number, which then counts as the mean


@dataclass(frozen=True)
class Representation:
    """What the training rows tell: mean and deviation of each number, and the frequent values of each category."""

    kind: ClassVar[str] = DENSE
    settings: Settings
    numbers: Mapping[str, tuple[float, float]]
    categories: Mapping[str, Sequence[str]]

    @classmethod
    def fit(cls, texts: Iterable[str], settings: Settings, pretrained: Path | None = None) -> "Representation":  # noqa: ARG003
        """Return what the training rows tell of the columns; `UserError` if a row lacks one, or all rows are equal."""
        numbers: dict[str, list[float]] = {}
        counts: dict[str, Counter[str]] = {}
        remaining = iter(texts)
        while batch := list(islice(remaining, ROWS)):
            values, cells = _read(batch, settings)
            for name, each in values.items():
                numbers.setdefault(name, []).extend(each)
            for name, column in cells.items():
                counts.setdefault(name, Counter()).update(column)
        # By name, as JSON has them.
        learned = {name: _mean_and_deviation(each) for name, each in sorted(numbers.items())}
        varying = {name: pair for name, pair in learned.items() if pair[1] > 0}
        fitted = cls(settings, varying, {name: _frequent(each) for name, each in sorted(counts.items())})
        if not fitted.columns:
            rule = f"must have different values, categories in {FEWEST_ROWS} training rows or more"
            raise UserError(f"columns {list_names(settings.names)} {rule}; got none; leave the representation out")
        return fitted

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of the columns that each text must come with."""
        return self.settings.names

    @property
    def columns(self) -> int:
        """Return the number of features."""
        return len(self.terms())

    def terms(self) -> list[str]:
        """Return the name of each feature, such as `price`, `brand=Acme` or `created weekday=Monday`."""
        return [*self.numbers, *(f"{name}={value}" for name, values in self.categories.items() for value in values)]

    def analyzers(self) -> list[str]:
        """Return `column` for each feature, so that it is listed apart from the terms of texts."""
        return ["column"] * self.columns

    def transform(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the features of the rows, (texts, features) float32; each text must be a `TextRow`."""
        values, cells = _read(texts := list(texts), self.settings)
        features = np.zeros((len(texts), self.columns), np.float32)
        for place, (name, (mean, deviation)) in enumerate(self.numbers.items()):
            standardised = np.nan_to_num((np.array(values[name]) - mean) / deviation)
            features[:, place] = np.clip(standardised, -MOST_DEVIATIONS, MOST_DEVIATIONS)
        place = len(self.numbers)
        for name, known in self.categories.items():
            positions = {value: place + number for number, value in enumerate(known)}
            found = np.array([positions.get(cell, -1) for cell in cells[name]], np.int64)
            rows = np.flatnonzero(found >= 0)
            features[rows, found[rows]] = 1
            place += len(known)
        return features

    def count_cut(self, texts: Iterable[str]) -> int:  # noqa: ARG002
        """Return 0: no row is too long."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """Return the content of vectorizer.json."""
        settings = self.settings.model_dump(mode="json")
        return {"settings": settings, "numbers": dict(self.numbers), "categories": dict(self.categories)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], shared: Path | None = None) -> "Representation":  # noqa: ARG003
        """Return the representation with the content of `to_json`; `ValueError` or the like if it is damaged."""
        numbers = {name: (float(mean), float(deviation)) for name, (mean, deviation) in content["numbers"].items()}
        return cls(Settings.model_validate(content["settings"]), numbers, content["categories"])


def _mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the standard deviation of the numbers that are not missing; 0 for both if none is."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return 0.0, 0.0
    mean = math.fsum(known) / len(known)  # exact, so that the order of the sum does not matter
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in known) / len(known))


def _frequent(counts: Counter[str]) -> list[str]:
    """Return the categories of a column, sorted: the most frequent ones, none that all rows or too few rows have."""
    frequent = [value for value, rows in counts.items() if value and FEWEST_ROWS <= rows < counts.total()]
    return sorted(sorted(frequent, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES])


def _read(texts: Sequence[str], settings: Settings) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
    """Return the numbers, NaN if missing, and the categories, "" if missing, of rows by name.

    Raises `UserError` for a row without the columns, or with a value that can't be read.
    """
    rows: Any = texts
    try:
        cells = {name: [row.columns[name].strip() for row in rows] for name in settings.names}
    except (AttributeError, KeyError):
        rule = f"a text must come with the columns {list_names(settings.names)}, which the model reads"
        raise UserError(f"{rule}; got a text alone; give a table or records that have them") from None
    numbers = {name: _parse(name, cells[name], rows, _number, "a number, such as 12.5") for name in settings.numbers}
    categories = {name: cells[name] for name in settings.categories}
    categories |= {name: ["" if cell else MISSING for cell in cells[name]] for name in settings.numbers}
    for name in settings.dates:
        dates = _parse(name, cells[name], rows, _parts, "a date in ISO 8601, such as 2024-05-31")
        year, *others = ([date[place] for date in dates] for place in range(len(PARTS)))
        numbers[f"{name} year"] = list(map(_number, year))
        categories |= {f"{name} {part}": each for part, each in zip(PARTS[1:], others, strict=True)}
    return numbers, categories


def _parse(name: str, cells: list[str], rows: Sequence[Any], parse: Callable[[str], Any], rule: str) -> list[Any]:
    """Return what each cell is parsed to; `UserError` for the first that can't be."""
    parsed = {}
    for cell in dict.fromkeys(cells):
        try:
            parsed[cell] = parse(cell)
        except ValueError:
            row, got = rows[cells.index(cell)].place, quote_value(cell)
            raise UserError(f"{row}: {quote_name(name)} must be {rule}, or empty; got {got}; correct it") from None
    return [parsed[cell] for cell in cells]


def _number(cell: str) -> float:
    number = float(cell or "nan")
    if math.isinf(number):
        raise ValueError(cell)
    return number


def _parts(cell: str) -> tuple[str, ...]:
    if not cell:
        return ("",) * len(PARTS)
    date = datetime.fromisoformat(cell)
    return str(date.year), str(date.month), WEEKDAYS[date.weekday()], str(date.hour)
