"""Labelled rows of any table: nothing skipped, nothing guessed, every mistake reported with its file and line."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core import resources
from textclf.core.arrow import array_of, encode, hash_texts, number_rows
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.tables.files import source_name
from textclf.tables.given import find_table, layout_of
from textclf.tables.layout import SLICE, SOURCE, Block, NumberedRow, Record, Rows, place
from textclf.tables.read import read_blocks
from textclf.tables.settings import Data
from textclf.tables.split_names import split_of_value
from textclf.tables.values import (
    CONTROL,
    NUL,
    ONE_LABEL,
    are_valid,
    combined_labels,
    label_of,
    slice_of,
    text_of,
    to_array,
)

ERRORS_SHOWN = 5  # wrong rows with a line of their own in an error
ROW_OVERHEAD = 100  # bytes of the objects of a row, about
CHECKED_BYTES = 2**26  # of rows that are read between two looks at the available memory
COPIES = 2  # of the rows in memory, about, that a split makes of them
LARGE = 2**30  # bytes of a column from which on it has Arrow's type large_string, of any length
INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses several thousand digits

Batch = dict[str, pa.StringArray]  # rows: the values of each column


@dataclass
class Corpus:
    """Labelled rows in memory.

    `table` has the columns `id`, `text`, `label`, if asked for `group`, `split` if the table gives splits, and
    `slice_<column>` for each column of data.slices ("" where it has no value), all text. `classes` are the labels in
    order; binary: the positive class is last. `dropped` counts the rows left out: `rows` in all, `text` and
    `label` by what was missing. `given` counts the rows of each split that the table gives.
    """

    table: pa.Table
    classes: list[str]
    dropped: dict[str, int] = field(default_factory=lambda: {"rows": 0, "text": 0, "label": 0})
    given: dict[str, int] = field(default_factory=dict)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows as a frame."""
        return pd.DataFrame({name: self.table.column(name).to_pylist() for name in self.table.column_names})


def read(path: Path, settings: Data) -> Corpus:
    """Return the rows of a file, or of the files of a folder in the order of their names.

    A row's id is the value of the id column, or `file:line` (`file:row` in formats that are not lines), both from 1,
    with the path of the file below the folder; a text that is a whole file has its path. Labels are text: integers in
    digits, booleans as true and false. Texts and labels are unchanged, spaces included.

    Raises `UserError` for rows that break a rule (the first few are listed, all are counted), for missing columns,
    for rows of fewer than two classes, and once the rows read so far need more memory than is available.
    """
    stream = Stream(path, settings)
    batches: list[pa.RecordBatch] = []
    size = checked = 0
    for batch in stream:
        size += batch["text"].nbytes + ROW_OVERHEAD * len(batch["text"])
        if size - checked >= CHECKED_BYTES:
            checked = size
            purpose = f"{path}: all rows in memory at once ({stream.count:,} so far; split.method hash streams them)"
            resources.require_memory(COPIES * size, purpose)
        batches.append(pa.RecordBatch.from_arrays(list(batch.values()), list(batch)))
    table = pa.Table.from_batches(batches)
    for position, name in enumerate(table.column_names):
        if table.column(name).nbytes > LARGE:
            table = table.set_column(position, name, table.column(name).cast(pa.large_string()))
    return Corpus(table, stream.classes, stream.dropped, stream.given)


def order_classes(labels: Iterable[str], order: Sequence[str] | None, where: str) -> list[str]:
    """Return the classes in the given order; without one by value if all are integers, else by code point.

    Raises `UserError` if there are fewer than two, or a class of `order` has no row; `where` names the file.
    """
    present = set(labels)
    if len(present) < 2:
        raise UserError(f"{where} must have rows of at least two classes; got only {quote_value(min(present))}")
    if order is None:
        numeric = all(INTEGER.fullmatch(name) for name in present)
        return sorted(present, key=lambda name: (int(name) if numeric else 0, name))
    if missing := [name for name in order if name not in present]:
        rule = f"every class of data.classes ({list_names(order)}) must have a row"
        raise UserError(f"{where}: {rule}; got none of {quote_value(missing[0])}")
    return list(order)


class Stream:
    """Labelled rows, many at a time, so that they need not all be in memory.

    Iterate once: each batch maps the columns of `Corpus.rows` to lists of the same length. Afterwards `classes`,
    `dropped` and `given` are those of `Corpus`, and `count` is the number of all rows. The errors are those of `read`.
    They are raised at the end, so discard what was made of the batches.
    """

    def __init__(self, path: Path, settings: Data, repeated_ids: frozenset[int] = frozenset()) -> None:
        """Read nothing yet; `repeated_ids` are fingerprints of ids to look for more than once."""
        self.path, self.settings, self.layout = path, settings, layout_of(settings)
        self.classes: list[str] = []
        self.dropped = {"rows": 0, "text": 0, "label": 0}
        self.given: Counter[str] = Counter()
        self.count = 0
        self._labels: set[str] = set()
        self._wrong = 0
        self._errors: list[str] = []  # of the first wrong rows
        self._ids: list[NDArray[np.uint64]] = []  # fingerprints of the ids of the id column
        self._repeated_ids = repeated_ids
        self._first_rows: dict[str, str] = {}  # of such ids

    def __iter__(self) -> Iterator[Batch]:
        """Yield the rows of each block that are well-formed and not dropped."""
        for name, path, kind, split in find_table(self.path, self.settings):
            before = self.count
            self.given.update({split: 0} if split is not None else {})
            for rows in read_blocks(path, kind, self.layout):
                batch = self._check(rows, name, str(path))
                if split is not None:
                    batch["split"] = pa.repeat(split, len(batch["id"]))
                if self.settings.id is not None:
                    self._ids.append(hash_texts(batch["id"]))
                if "split" in batch:
                    codes, splits = encode(batch["split"])
                    self.given.update(dict(zip(splits, np.bincount(codes).tolist(), strict=True)))
                if len(batch["id"]) and not self._wrong:
                    self._labels.update(encode(batch["label"])[1])
                    yield batch
            if self.count == before:
                raise UserError(f"{path} must have rows; got none")
        self._require_unique_ids()
        if self._wrong:
            total = f"{self.path}: {self._wrong} of {self.count} rows are wrong, {ERRORS_SHOWN} shown"
            raise UserError(*self._errors, *([total] if self._wrong > ERRORS_SHOWN else []))
        if not self._labels:
            raise UserError(f"{self.path} must have rows; got none with text and label")
        if empty := [split for split, rows in self.given.items() if not rows]:
            raise UserError(f"{self.path}: the files of split {empty[0]} must have rows with text and label; got none")
        self._require_single_labels()
        self.classes = order_classes(self._labels, self.settings.classes, str(self.path))

    def _check(self, rows: Rows, name: str, path: str) -> Batch:
        """Return the well-formed rows; count the others."""
        if isinstance(rows, Block):
            return self._check_block(rows, name, path)
        batch: dict[str, list[str]] = {purpose: [] for purpose in ("id", *self.layout.columns)}
        for row in self._check_each(rows, name, path):
            for purpose, value in row.items():
                batch[purpose].append(value)
        return {purpose: array_of(values) for purpose, values in batch.items()}

    def _check_block(self, block: Block, name: str, path: str) -> Batch:
        """Return the well-formed rows of a block: those that may break a rule are checked one by one."""
        count = len(block.numbers)
        well_formed = np.full(count, not self._repeated_ids)
        batch = {} if "id" in self.layout.columns else {"id": number_rows(name, block.numbers)}
        for purpose, column in self.layout.columns.items():
            values = to_array(block.columns.get(column, [source_name(name)] * count), numbers=purpose != "text")
            if purpose in {"text", "id", "group"}:
                well_formed &= are_valid(values, NUL if purpose == "text" else CONTROL)
            else:
                codes, distinct = encode(values)
                written = [self._checked(purpose, value) for value in distinct]
                well_formed &= np.array([value is not None for value in written], bool)[codes]
                if written != distinct:
                    values = array_of([value or "" for value in written]).take(codes)
            batch[purpose] = values
        self.count += int(well_formed.sum())
        if len(others := np.flatnonzero(~well_formed)):
            well_formed[others] = [bool(row) for row in self._check_each(block.select(others).rows(), name, path)]
            kept = np.flatnonzero(well_formed)
            batch = {purpose: values.take(kept) for purpose, values in batch.items()}
        return {purpose: batch[purpose] for purpose in ("id", *self.layout.columns)}

    def _checked(self, purpose: str, value: str) -> str | None:
        """Return a label, the name of a split or the value of a slice as batches have it; None if it breaks a rule."""
        try:
            if purpose.startswith(SLICE):
                return slice_of({"": value}, "")
            label = label_of({"": value}, "") or ""
            if purpose == "split":
                return split_of_value(label, "")
        except ValueError:
            return None
        is_class = self.settings.classes is None or label in self.settings.classes
        return label if label.strip() and is_class else None

    def _check_each(self, rows: Iterable[NumberedRow], name: str, path: str) -> Iterator[dict[str, str]]:
        """Yield the values of each row, none if it is dropped or breaks a rule; count those that do."""
        source = {SOURCE: source_name(name)} if SOURCE in self.layout.names() else {}
        for number, record in rows:
            self.count += 1
            if not isinstance(record, ValueError) and isinstance(record.get(self.settings.label), list):
                column = quote_name(self.settings.label)
                raise UserError(f"{path}:{number}: {column} must hold one label; got a list; {ONE_LABEL}")
            row: dict[str, str] = {}
            try:
                if isinstance(record, ValueError):
                    raise record
                checked = self._check_row({**source, **record} if source else record, place(name, number))
                self._require_new_id(checked, place(path, number))
                row = checked
            except ValueError as error:
                self._wrong += 1
                if self._wrong <= ERRORS_SHOWN:
                    self._errors.append(f"{place(path, number)}: {error}")
            yield row

    def _check_row(self, record: Record, name: str) -> dict[str, str]:
        """Return a row's values, none if it is dropped; `ValueError` if it breaks a rule."""
        settings = self.settings
        text = text_of(record, settings.text) or ""
        label = label_of(record, settings.label) or ""
        missing = [purpose for purpose, value in (("text", text), ("label", label)) if not value.strip()]
        if missing and settings.missing == "drop":
            for key in ("rows", *missing):
                self.dropped[key] += 1
            return {}
        if missing:
            column = getattr(settings, missing[0])
            raise ValueError(
                f"{missing[0]} must not be empty; got {quote_value(record.get(column))} in column "
                f"{quote_name(column)}; fill it in, or set data.missing to drop"
            )
        if settings.classes is not None and label not in settings.classes:
            rule = f"must be one of data.classes ({list_names(settings.classes)})"
            raise ValueError(
                f"{quote_name(settings.label)} {rule}; got {quote_value(label)}; "
                "correct it, or add it there, in quotes if it looks like a number or a boolean"
            )
        row = {"id": name, "text": text, "label": label}
        for purpose, column in (("id", settings.id), ("group", settings.group), ("split", settings.split_column)):
            if column is not None:
                row[purpose] = label_of(record, column) or ""
                if not row[purpose].strip():
                    raise ValueError(
                        f"{quote_name(column)} must not be empty; got {quote_value(record.get(column))}; "
                        f"fill it in, or set data.{purpose} to null"
                    )
        if settings.split_column is not None:
            row["split"] = split_of_value(row["split"], settings.split_column)
        return row | {SLICE + column: slice_of(record, column) for column in settings.slices}

    def _require_single_labels(self) -> None:
        """Raise `UserError` if labels combine other labels; not if `data.classes` lists them as classes."""
        if self.settings.classes is None and (combined := combined_labels(self._labels)):
            raise UserError(
                f"{self.path}: {quote_name(self.settings.label)} must hold one label; got {quote_value(combined[0])}, "
                f"which combines others ({len(combined)} of {len(self._labels)} labels do); {ONE_LABEL}; "
                "or list it in data.classes if it is a class of its own"
            )

    def _require_new_id(self, row: dict[str, str], place: str) -> None:
        """Raise `ValueError` if the row's id is one of the repeated ones and not at its first place."""
        if not row or self.settings.id is None or not self._repeated_ids:
            return
        if int(hash_texts(array_of([row["id"]]))[0]) not in self._repeated_ids:
            return
        if (first := self._first_rows.setdefault(row["id"], place)) != place:
            column = quote_name(self.settings.id)
            raise ValueError(f"{column} must be unique; got {quote_value(row['id'])}, as in {first}")

    def _require_unique_ids(self) -> None:
        """Raise `UserError` if an id of the id column is there twice.

        Only a fingerprint of 8 bytes per id is kept. If two are equal, the table is read again, to report the rows in
        order and among the other errors, or to find that the ids differ after all.
        """
        if self.settings.id is None or self._repeated_ids:
            return
        ids = np.sort(np.concatenate(self._ids))
        repeated = np.unique(ids[1:][ids[1:] == ids[:-1]])
        if not len(repeated):
            return
        if not (self.path.is_file() or self.path.is_dir()):
            rule = f"{quote_name(self.settings.id)} must be unique"
            raise UserError(
                f"{self.path}: {rule}; got {len(repeated)} repeated ids; save the rows to a file to see where"
            )
        for _ in Stream(self.path, self.settings, frozenset(repeated.tolist())):
            pass
