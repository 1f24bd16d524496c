"""Other columns than the text as dense features: numbers, one-hot categories, parts of dates.

A cell is text as its source writes it, such as `True` or `true`, `1.0` or `1`. What it means is
decided here, by `_number`, `_category` and `_date`, for training and prediction alike.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import DENSE
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.vectorize.columns.settings import Settings

# Rows that are read at a time to fit.
ROWS = 4096
# Fewest rows of a category, and most categories of a column, the most frequent ones.
FEWEST_ROWS = 2
MOST_CATEGORIES = 100
# Most standard deviations of a number from the mean; one that is farther away counts as so far.
MOST_DEVIATIONS = 10.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Category of a row without a number, which then counts as the mean.
MISSING = "missing"
BOOLEANS = frozenset({"true", "false"})
DECIMAL_COMMA = re.compile(r"[+-]?\d*,(\d{1,2}|\d{4,300})", re.ASCII)
# Numbers as programs write them: 1, 1.0, 1e+16. Others, such as 007, are codes.
WRITTEN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,300})(\.\d{1,300})?(e\+\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Representation:
    """What is learned from the training rows."""

    kind: ClassVar[str] = DENSE
    settings: Settings
    numbers: Mapping[str, tuple[float, float]]  # mean and standard deviation of each
    categories: Mapping[str, Sequence[str]]  # the frequent values of each

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        settings: Settings,
        pretrained: Path | None = None,  # noqa: ARG003
    ) -> "Representation":
        """Return what is learned from the training rows.

        Raises `UserError` if a row lacks a column, or all rows are equal.
        """
        # Exact, whatever the order of the rows; predicting needs neither.
        from statistics import mean, pstdev

        numbers: dict[str, list[float]] = {}
        counts: dict[str, Counter[str]] = {}
        remaining = iter(texts)
        while batch := list(islice(remaining, ROWS)):
            values, cells = _read(batch, settings)
            for name, column in values.items():
                numbers.setdefault(name, []).extend(column)
            for name, categories_of_rows in cells.items():
                counts.setdefault(name, Counter()).update(categories_of_rows)
        moments = {}
        for name, column in sorted(numbers.items()):
            known = [number for number in column if not math.isnan(number)]
            if len(set(known)) > 1:
                moments[name] = (mean(known), pstdev(known))
        categories = {name: _frequent(values) for name, values in sorted(counts.items())}
        fitted = cls(settings, moments, categories)
        if not fitted.columns:
            raise UserError(
                f"columns {list_names(settings.names)} must have different values, categories in "
                f"{FEWEST_ROWS} training rows or more; got none; leave the representation out"
            )
        return fitted

    reads = property(lambda self: self.settings.names)  # the columns that each text must come with

    @property
    def columns(self) -> int:
        """Return the number of features."""
        return len(self.terms())

    def terms(self) -> list[str]:
        """Return the names of the features: `price`, `brand=Acme`, `created weekday=Monday`."""
        categories = self.categories.items()
        return [
            *self.numbers,
            *(f"{name}={value}" for name, values in categories for value in values),
        ]

    def analyzers(self) -> list[str]:
        """Return `column` for each feature, which is listed apart from the terms of texts."""
        return ["column"] * self.columns

    def transform(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the features of the rows, (texts, features) float32; texts must be `TextRow`s."""
        values, cells = _read(list(texts), self.settings)
        blocks = []
        for name, (center, deviation) in self.numbers.items():
            standardised = np.nan_to_num((np.array(values[name]) - center) / deviation)
            blocks.append(np.clip(standardised, -MOST_DEVIATIONS, MOST_DEVIATIONS)[:, None])
        blocks += [
            np.array(cells[name], object)[:, None] == np.array(known, object)
            for name, known in self.categories.items()
        ]
        return np.hstack(blocks).astype(np.float32)

    def count_cut(self, texts: Iterable[str]) -> int:  # noqa: ARG002
        """Return 0: no row is too long."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """Return the content of vectorizer.json."""
        settings = self.settings.model_dump(mode="json")
        numbers, categories = dict(self.numbers), dict(self.categories)
        return {"settings": settings, "numbers": numbers, "categories": categories}

    @classmethod
    def from_json(
        cls,
        content: Mapping[str, Any],
        shared: Path | None = None,  # noqa: ARG003
    ) -> "Representation":
        """Return the representation with the content of `to_json`.

        Raises `ValueError` or the like if the content is damaged.
        """
        stored = content["numbers"].items()
        numbers = {name: (float(mean), float(deviation)) for name, (mean, deviation) in stored}
        return cls(Settings.model_validate(content["settings"]), numbers, content["categories"])


def _frequent(counts: Counter[str]) -> list[str]:
    """Return the most frequent categories of a column, sorted.

    None of them is a category that all rows or too few rows have.
    """
    total = counts.total()
    frequent = [value for value, rows in counts.items() if value and FEWEST_ROWS <= rows < total]
    return sorted(sorted(frequent, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES])


def _read(
    texts: Sequence[str], settings: Settings
) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
    """Return numbers by name, NaN if missing, and categories, "" if missing.

    Raises `UserError` if a row lacks a column or has a cell that does not fit.
    """
    rows: Any = texts
    try:
        cells = {name: [row.columns[name].strip() for row in rows] for name in settings.names}
    except (AttributeError, KeyError):
        raise UserError(
            f"a text must come with the columns {list_names(settings.names)}, which the model "
            "reads; got a text alone; give predict a table or records that have them"
        ) from None
    numbers, categories = {}, {}
    for name in settings.numbers:
        numbers[name] = _parse(name, cells[name], rows, _number, "a number, such as 12.5")
    for name in settings.categories:
        categories[name] = _parse(name, cells[name], rows, _category, "a category")
    for name, values in numbers.items():
        categories[name] = [MISSING if math.isnan(value) else "" for value in values]
    for name in settings.dates:
        dates = _parse(name, cells[name], rows, _date, "a date in ISO 8601, such as 2024-05-31")
        numbers[f"{name} year"] = [date.year if date else math.nan for date in dates]
        categories[f"{name} month"] = [str(date.month) if date else "" for date in dates]
        categories[f"{name} weekday"] = [WEEKDAYS[date.weekday()] if date else "" for date in dates]
        categories[f"{name} hour"] = [str(date.hour) if date else "" for date in dates]
    return numbers, categories


def _parse(
    name: str, cells: list[str], rows: Sequence[Any], parse: Callable[[str], Any], rule: str
) -> list[Any]:
    """Return what each cell is parsed to; `UserError` for the first that can't be."""
    parsed = {}
    for cell in dict.fromkeys(cells):
        try:
            parsed[cell] = parse(cell)
        except (ValueError, OverflowError):
            row = rows[cells.index(cell)].place
            raise UserError(
                f"{row}: {quote_name(name)} must be {rule}, or empty; got {quote_value(cell)}; "
                "correct it"
            ) from None
    return [parsed[cell] for cell in cells]


def _number(cell: str) -> float:
    """Return the number in a cell; NaN, a missing one, for `nan` as for an empty cell.

    The decimal point may be a comma, unless three digits after it may be thousands.
    """
    if DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    number = float(cell or "nan")
    if math.isinf(number) or "_" in cell:
        raise ValueError(cell)
    return number


def _category(cell: str) -> str:
    """Return the category in a cell: `true` for `True`, `1` for `1.0`, other text as it is."""
    if WRITTEN_NUMBER.fullmatch(cell):
        number = Decimal(cell)
        return str(int(number)) if number == int(number) else cell
    lower = cell.lower()
    return lower if lower in BOOLEANS else cell


def _date(cell: str) -> datetime | None:
    """Return the date in a cell, None if it is empty; in UTC if it has a time zone."""
    date = datetime.fromisoformat(cell) if cell else None
    return date if date is None or date.tzinfo is None else date.astimezone(UTC)
