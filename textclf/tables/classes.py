"""The labels of a table, and the classes that they stand for."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from textclf.core.arrow import encode, flat, rows_of
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_value
from textclf.core.settings import suggest
from textclf.tables.layout import Layout
from textclf.tables.rare_labels import Renamed
from textclf.tables.settings import Data
from textclf.tables.several import label_lists
from textclf.tables.values import ONE_LABEL, combined_labels

INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses several thousand digits


def order_classes(
    labels: Iterable[str], order: Sequence[str] | None, where: str, setting: str
) -> list[str]:
    """Return the classes in the given order.

    Without an order they are sorted by value if all are integers, else by code point. Raises
    `UserError` if there are fewer than two, or a class of `order` has no row; `where` names the
    file.
    """
    present = set(labels)
    if len(present) < 2:
        raise UserError(
            f"{where} must have rows of at least two classes; got only {quote_value(min(present))}"
        )
    if order is None:
        numeric = all(INTEGER.fullmatch(name) for name in present)
        return sorted(present, key=lambda name: (int(name) if numeric else 0, name))
    if missing := [name for name in order if name not in present]:
        rule = f"every class of {setting} ({list_names(order)}) must have a row"
        raise UserError(f"{where}: {rule}; got none of {quote_value(missing[0])}; leave it out")
    return [*order, *sorted(present.difference(order))]


class Labels:
    """The labels of a table's rows, which come batch by batch, and their classes."""

    def __init__(self, path: Path, settings: Data, rare: Renamed) -> None:
        """Start without rows; `rare` has the class in place of each rare one, None for none."""
        self.path, self.settings, self.rare = path, settings, rare
        # Rows of each label, as written and as meant, if data.labels or `rare` name some.
        self.written = Counter[str]()
        self.meant = Counter[str]()
        self.distinct = set[str]()  # as meant
        self.added = set[str]()  # those of them that only rows beside the table have
        # In order, the positive one last, without that of no class; after `order`.
        self.classes: list[str] = []

    def class_of(self, label: str) -> str | None:
        """Return the class of a label as it is written, None if it is left out."""
        name = self.settings.labels.get(label, label)
        return self.rare.get(name, name)

    def rename(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with labels as meant, without classes that are left out; count both."""
        if not self.settings.labels and not self.rare:
            return rows
        labels = rows["label"]
        codes, written = encode(flat(labels))
        counts = np.bincount(codes, minlength=len(written)).tolist()
        for label, count in zip(written, counts, strict=True):
            self.written[label] += count
            self.meant[self.settings.labels.get(label, label)] += count
        values = pa.array(list(map(self.class_of, written)), pa.string()).take(pa.array(codes))
        if self.settings.multilabel:
            values = label_lists(rows_of(labels), values, len(rows))
        renamed = rows.set_column(rows.column_names.index("label"), "label", values)
        return renamed.filter(values.is_valid())

    def add(self, rows: pa.RecordBatch) -> None:
        """Add the labels of rows, as meant."""
        self.distinct.update(encode(flat(rows["label"]))[1])

    def merge(self, other: "Labels") -> None:
        """Add the labels of other rows."""
        self.written.update(other.written)
        self.meant.update(other.meant)
        self.distinct |= other.distinct

    def require_rows(self) -> None:
        """Raise `UserError` if there are no rows, or rows of too few labels for several each."""
        if self.settings.multilabel and len(self.distinct) < 2:
            labels = list_names(sorted(self.distinct)) or "none"
            rule = "must have at least two labels with data.task multilabel"
            raise UserError(
                f"{self.path} {rule}; got {labels}; "
                "one label alone is a binary task: data.task multiclass"
            )
        if not self.distinct:
            raise UserError(f"{self.path} must have rows; got none with text and label")

    def require_classes(self, layout: Layout) -> None:
        """Raise `UserError` if labels combine others, or none is data.unknown.

        Labels may combine others if `data.classes` lists the classes.
        """
        combined = []
        if not self.settings.multilabel and self.settings.classes is None:
            combined = combined_labels(self.distinct)
        if combined:
            column = list_names(layout.columns_of("label"))
            raise UserError(
                f"{self.path}: {column} must hold one label; got {quote_value(combined[0])}, "
                f"which combines others ({len(combined)} of {len(self.distinct)} labels do); "
                f"{ONE_LABEL}; or list it in data.classes if it is a class of its own"
            )
        unknown = self.settings.unknown
        if unknown is not None and unknown not in self.distinct:
            rule = f"{layout.option}unknown must be a label in the table"
            advice = suggest(unknown, sorted(self.distinct))
            raise UserError(f"{self.path}: {rule}; got {quote_value(unknown)}; {advice}")

    def order(self, labels: Iterable[str] = ()) -> None:
        """Put the classes in order, with labels beside the table, of which new ones are `added`."""
        self.added = {*labels} - self.distinct
        self.distinct |= self.added
        known = self.distinct - {self.settings.no_class_label}
        columns = self.settings.label if isinstance(self.settings.label, tuple) else None
        order = self.settings.classes or columns
        if order and self.written:
            # data.classes does not have the class that all rare ones are merged into.
            merged = known.intersection(filter(None, self.rare.values()))
            names = dict.fromkeys([*map(self.class_of, order), *merged])
            order = tuple(name for name in names if name)
        if self.settings.order and (others := known.difference(order or ())):
            raise UserError(
                f"{self.path}: data.classes must have every label with data.order; "
                f"got {quote_value(min(others))} in the rows; put it in its place, or leave out "
                "its rows"
            )
        setting = "data.classes" if self.settings.classes else "data.label"
        self.classes = order_classes(known, order, str(self.path), setting)
