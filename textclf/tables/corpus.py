"""Labelled rows of any table: nothing skipped, nothing guessed, every mistake reported with its file and line."""

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core import resources
from textclf.core.arrow import array_of, array_of_numbers, encode, flat, hash_texts, rows_of
from textclf.core.errors import UserError
from textclf.core.files import SUGGESTED
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.core.settings import suggest
from textclf.tables import limits
from textclf.tables.files import TableFile, source_name
from textclf.tables.given import find_table, layout_of
from textclf.tables.layout import COLUMN, SLICE, SOURCE, WHOLE_FILE, Batch, Record, place
from textclf.tables.rare_labels import NONE, Renamed
from textclf.tables.read import read_batches
from textclf.tables.settings import Data
from textclf.tables.several import (
    JOINT,
    LABELS,
    flagged,
    label_lists,
    labels_in,
    unite,
    written_list,
)
from textclf.tables.split_names import split_of_value
from textclf.tables.values import (
    A_NUMBER,
    CONTROL,
    DIGITS,
    NUL,
    ONE_LABEL,
    are_valid,
    cell_of,
    combined_labels,
    join,
    joined_text,
    kind_of_time,
    label_of,
    parse_time,
    to_array,
    written_cell,
)

ERRORS_SHOWN = 5  # wrong rows with a line of their own in an error
ROW_OVERHEAD = 100  # bytes of the objects of a row, about
CHECKED_BYTES = 2**26  # of rows that are read between two looks at the available memory
COPIES = 2  # of the rows in memory, about, that a split makes of them
DECIMAL_TIME = pa.decimal256(2 * DIGITS, DIGITS)  # the Arrow type of times that are numbers
LARGE = 2**30  # bytes of a column from which on it has Arrow's type large_string, of any length
Part = tuple[TableFile, Batch]  # a batch, and the file that it is from
INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses several thousand digits


def read(path: Path, settings: Data, rare: Renamed = NONE) -> "Corpus":
    """Return all rows of a file or a folder, in memory; `UserError` as `Corpus`, and if it does not hold them."""
    corpus = Corpus(path, settings, rare)
    corpus.load()
    return corpus


def order_classes(
    labels: Iterable[str], order: Sequence[str] | None, where: str, setting: str
) -> list[str]:
    """Return the classes in the given order; without one by value if all are integers, else by code point.

    Raises `UserError` if there are fewer than two, or a class of `order` has no row; `where` names
    the file.
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


def _name_rows(name: str, numbers: Sequence[int] | NDArray[np.int64]) -> pa.StringArray:
    """Return `file:line` for each row, or the name of the file for one that is all of it."""
    if numbers[0] == WHOLE_FILE:
        return array_of([name])
    written = array_of_numbers(np.asarray(numbers, np.int64)).cast(pa.string())
    return pc.binary_replace_slice(written, 0, 0, f"{name}:")


def _read_column(
    file: TableFile, batch: Batch, column: str, purpose: str, lists: bool
) -> pa.StringArray:
    """Return a column of a batch, `source` if there is none: only that one may be missing; `lists`: labels may be."""
    values = batch.columns.get(column)
    if values is None:
        values = [source_name(file.name)] * len(batch)
    if isinstance(values, list) and (
        purpose.startswith(("time", COLUMN)) or (lists and purpose == "label")
    ):
        values = [
            written_list(value) if purpose == "label" else written_cell(value) for value in values
        ]
    return to_array(values, numbers=purpose != "text")


class Corpus:
    """Labelled rows of a file, or of the files of a folder in the order of their names.

    Iterating it, once, gives batches with the columns `id`, `text`, `label`, and as settings say
    `group`, `split`, `slice_<column>` and `column_<column>`, all text, and `time`: decimals, or
    date-times as texts that sort by time. Without an id column the id is `file:line`, or `file:row`
    in formats that are not lines, from 1. Labels are text, or with data.task multilabel lists of
    texts, sorted and distinct: integers in digits, booleans as true and false.

    Raises `UserError` for rows that break a rule (the first few are listed, all are counted), for
    missing columns, and for rows of fewer than two classes. Some errors are raised at the end, so
    discard what was made of the batches.
    """

    def __init__(
        self, path: Path, settings: Data, rare: Renamed = NONE, repeated_ids: Set[int] = frozenset()
    ) -> None:
        """Read nothing yet; `repeated_ids` are fingerprints of ids to look for more than once."""
        self.rare = (
            rare  # of classes with None the rows are left out, or of sets of labels the label
        )
        self.written, self.meant = (
            Counter[str](),
            Counter[str](),
        )  # rows of labels, if data.labels or rare name some
        self.path, self.settings, self.layout = path, settings, layout_of(settings)
        self.table = pa.table({})  # the rows, after `load`
        self.classes: list[
            str
        ] = []  # after all rows: in order, the positive one last, without that of no class
        # Rows left out, and how many of these for a missing value.
        self.dropped = {"rows": 0, "text": 0, "label": 0} | (
            {} if settings.time is None else {"time": 0}
        )
        self._kind_of_time = ""  # of the first row
        self.marked: Counter[str] = (
            Counter()
        )  # rows of each split that the table gives, and those `SUGGESTED`
        self.count = 0  # of all rows
        self._labels, self.added = set[str](), set[str]()
        self._wrong = 0
        self._errors: list[str] = []  # of the first wrong rows
        self.unites = False  # whether rows of one id are one text, whose labels are united
        self._ids: list[
            NDArray[np.uint64]
        ] = []  # fingerprints of the ids of the id column, and of rows to be united
        self._repeated_ids = repeated_ids
        self._first_rows: dict[
            str, tuple[str, dict[str, Any]]
        ] = {}  # of such ids, and their values by purpose

    @property
    def given(self) -> Counter[str]:
        """The rows of each split that the table gives; those that are `SUGGESTED` train."""
        given = self.marked.copy()
        if suggested := given.pop(SUGGESTED, 0):
            given["train"] += suggested
        return given

    def load(self) -> None:
        """Read all rows into `table`, of labels those of one id as one; `UserError` if memory does not hold them."""
        self.unites = self.settings.multilabel and self.settings.id is not None
        batches: list[pa.RecordBatch] = []
        size = checked = 0
        for batch in self:
            size += batch["text"].nbytes + ROW_OVERHEAD * len(batch)
            if size - checked >= CHECKED_BYTES:
                checked = size
                rows = f"{self.count:,} so far; split.method hash streams them"
                resources.require_memory(
                    COPIES * size, f"{self.path}: all rows in memory at once ({rows})"
                )
            batches.append(batch)
        self.table = pa.Table.from_batches(batches)
        if self.unites:
            self.table = unite(self.table)
        if self.unites and "split" in self.table.column_names:
            self.marked = Counter(self.table["split"].to_pylist())
        for position, name in enumerate(self.table.column_names):
            if self.table.column(name).nbytes > LARGE and pa.types.is_string(
                self.table.column(name).type
            ):
                column = self.table.column(name).cast(pa.large_string())
                self.table = self.table.set_column(position, name, column)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of each batch that are well-formed and not dropped."""
        for parts in self._read():
            batch = self._check(parts)
            if self.settings.id is not None:
                names = [
                    name
                    for name in batch.column_names
                    if name == "id" or (self.unites and name != "label")
                ]
                self._ids.append(
                    np.column_stack([hash_texts(batch[name].cast(pa.string())) for name in names])
                )
            if "split" in batch.column_names:
                codes, splits = encode(batch["split"])
                self.marked.update(dict(zip(splits, np.bincount(codes).tolist(), strict=True)))
            if len(batch) and not self._wrong:
                self._labels.update(encode(flat(batch["label"]))[1])
                yield batch
        self._require_unique_ids()
        if self._wrong:
            total = (
                f"{self.path}: {self._wrong} of {self.count} rows are wrong, {ERRORS_SHOWN} shown"
            )
            raise UserError(*self._errors, *([total] if self._wrong > ERRORS_SHOWN else []))
        if self.settings.multilabel and len(self._labels) < 2:
            got = f"{list_names(sorted(self._labels)) or 'none'}; one label alone is a binary task: data.task multiclass"
            raise UserError(
                f"{self.path} must have at least two labels with data.task multilabel; got {got}"
            )
        if not self._labels:
            raise UserError(f"{self.path} must have rows; got none with text and label")
        if empty := [split for split, rows in self.given.items() if not rows]:
            raise UserError(
                f"{self.path}: the files of split {empty[0]} must have rows with text and label; got none"
            )
        self._require_single_labels()
        if (unknown := self.settings.unknown) is not None and unknown not in self._labels:
            rule = f"{self.layout.option}unknown must be a label in the table; got {quote_value(unknown)}"
            raise UserError(f"{self.path}: {rule}; {suggest(unknown, sorted(self._labels))}")
        self.add_classes(())

    def add_classes(self, labels: Iterable[str]) -> None:
        """Put the classes in order, with those of labels beside the table, of which new ones are `added`."""
        self.added = {*labels} - self._labels
        self._labels |= self.added
        known = self._labels - {self.settings.no_class_label}
        columns = self.layout.columns_of("label")
        order = self.settings.classes or (columns if len(columns) > 1 else None)
        if order and self.written:
            united = known.intersection(
                filter(None, self.rare.values())
            )  # which the settings do not have
            order = tuple(
                name for name in dict.fromkeys([*map(self._class_of, order), *united]) if name
            )
        setting = "data.classes" if self.settings.classes else "data.label"
        self.classes = order_classes(known, order, str(self.path), setting)

    def classes_of(self, label: str) -> list[str]:
        """Return the classes in the label of a row beside the table; `ValueError` if it breaks a rule."""
        written = self._write({"label": label}, "label", ("label",))
        names = map(self._class_of, [written] if isinstance(written, str) else written)
        return sorted({name for name in names if name is not None})

    def _read(self) -> Iterator[list[Part]]:
        """Yield the batches of all files, small ones together: a file may be a single text."""
        parts: list[Part] = []
        rows = size = 0
        for file in find_table(self.path, self.settings):
            before = self.count
            self.marked.update({file.split: 0} if file.split is not None else {})
            for batch in read_batches(file.path, file.format, self.layout):
                parts.append((file, batch))
                self.count += len(batch)
                rows, size = rows + len(batch), size + batch.size
                if rows >= limits.BLOCK_ROWS or size >= limits.BLOCK_BYTES:
                    yield parts
                    parts, rows, size = [], 0, 0
            if self.count == before:
                raise UserError(f"{file.path} must have rows; got none")
        if parts:
            yield parts

    def _check(self, parts: list[Part]) -> pa.RecordBatch:
        """Return the well-formed rows: those that may break a rule are looked at one by one."""
        starts = np.cumsum([0, *(len(batch) for _, batch in parts)]).tolist()
        passed = np.full(starts[-1], not self._repeated_ids)
        for start, (_, batch) in zip(starts, parts, strict=False):
            passed[[start + place for place in batch.broken]] = False
        columns = {
            "id": pa.concat_arrays([_name_rows(file.name, batch.numbers) for file, batch in parts])
        }
        multilabel = self.settings.multilabel
        for purpose in self.layout.columns:
            read = [
                pa.concat_arrays(
                    [
                        _read_column(file, batch, column, purpose, multilabel)
                        for file, batch in parts
                    ]
                )
                for column in self.layout.columns_of(purpose)
            ]
            values = read[0]
            if len(read) > 1 and purpose == "label":
                values = pc.binary_join_element_wise(*read, JOINT)
            elif len(read) > 1:
                rows = zip(*(each.to_pylist() for each in read), strict=True)
                values = array_of([join(texts, self.settings.text_separator) for texts in rows])
            if purpose in {"text", "id", "group"}:
                passed &= are_valid(values, NUL if purpose == "text" else CONTROL)
            else:
                codes, distinct = encode(values)
                written = [self._write_or_none(purpose, value) for value in distinct]
                passed &= np.array([value is not None for value in written], bool)[codes]
                if purpose == "time" or (purpose == "label" and multilabel):
                    of_times = DECIMAL_TIME if self._kind_of_time == A_NUMBER else pa.string()
                    values = pa.array(written, LABELS if purpose == "label" else of_times).take(
                        codes
                    )
                elif written != distinct:
                    values = array_of([value or "" for value in written]).take(codes)
            columns[purpose] = values
        if parts[0][0].split is not None:
            columns["split"] = pa.concat_arrays(
                [pa.repeat(file.split, len(batch)) for file, batch in parts]
            )
        for row in np.flatnonzero(~passed).tolist():
            part = bisect.bisect_right(starts, row) - 1
            file, batch = parts[part]
            passed[row] = self._check_row(file, *batch.row(row - starts[part]))
        checked = pa.RecordBatch.from_pydict(columns)
        checked = (
            checked if passed.all() else checked.take(array_of_numbers(np.flatnonzero(passed)))
        )
        return self._rename(checked) if self.settings.labels or self.rare else checked

    def _class_of(self, label: str) -> str | None:
        """Return the class of a label as it is written, None if it is left out."""
        name = self.settings.labels.get(label, label)
        return self.rare.get(name, name)

    def _rename(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with their labels as they are meant, without classes that are left out; count both."""
        labels = rows["label"]
        codes, written = encode(flat(labels))
        for label, count in zip(
            written, np.bincount(codes, minlength=len(written)).tolist(), strict=True
        ):
            self.written[label] += count
            self.meant[self.settings.labels.get(label, label)] += count
        values = pa.array(list(map(self._class_of, written)), pa.string()).take(pa.array(codes))
        if self.settings.multilabel:
            values = label_lists(rows_of(labels), values, len(rows))
        return rows.set_column(rows.column_names.index("label"), "label", values).filter(
            values.is_valid()
        )

    def _write_or_none(self, purpose: str, value: str) -> Any:
        columns = self.layout.columns_of(purpose)
        try:
            cells = value.split(JOINT) if len(columns) > 1 else [value]
            return self._write(dict(zip(columns, cells, strict=True)), purpose, columns)
        except ValueError:
            return None

    def _check_row(self, file: TableFile, number: int, record: Record | ValueError) -> bool:
        """Return whether a row is well-formed; count it if it is dropped or breaks a rule."""
        where = place(str(file.path), number)
        try:
            if isinstance(record, ValueError):
                raise record
            label = self.layout.columns_of("label")[0]
            if not self.settings.multilabel and isinstance(record.get(label), list):
                column = quote_name(label)
                raise UserError(f"{where}: {column} must hold one label; got a list; {ONE_LABEL}")
            record = {SOURCE: source_name(file.name), **record}
            if self._is_dropped(record):
                return False
            for purpose in self.layout.columns:
                self._write(record, purpose, self.layout.columns_of(purpose))
            self._require_new_id(record, where, file.split)
        except ValueError as error:
            self._wrong += 1
            if self._wrong <= ERRORS_SHOWN:
                self._errors.append(f"{where}: {error}")
            return False
        return True

    def _is_dropped(self, record: Record) -> bool:
        """Return whether a row without text, label or time is left out, and count it; `ValueError` if it is not."""
        settings = self.settings
        required = [
            name
            for name in self.dropped
            if name != "rows" and not (name == "label" and settings.multilabel)
        ]
        columns = {purpose: self.layout.columns_of(purpose) for purpose in required}
        values = {
            purpose: self._value(record, purpose, names) for purpose, names in columns.items()
        }
        missing = [purpose for purpose, value in values.items() if not value.strip()]
        if missing and settings.missing == "error":
            names = columns[missing[0]]
            where = f"column{'s' if len(names) > 1 else ''} {list_names(names)}"
            raise ValueError(
                f"{missing[0]} must not be empty; got {quote_value(record.get(names[0]))} in {where}; "
                "fill it in, or set data.missing to drop"
            )
        for key in ("rows", *missing) if missing else ():
            self.dropped[key] += 1
        return bool(missing)

    def _value(self, record: Record, purpose: str, columns: Sequence[str]) -> str:
        """Return a row's value in the columns of a purpose, "" if there is none; `ValueError` if it is of no use."""
        if purpose == "text":
            return joined_text(record, columns, self.settings.text_separator) or ""
        if purpose.startswith(("time", COLUMN)):
            return cell_of(record, columns[0])
        return label_of(record, columns[0]) or ""

    def _write(self, record: Record, purpose: str, columns: Sequence[str]) -> Any:
        """Return a row's value in the columns of a purpose as batches have it; `ValueError` if it breaks a rule."""
        if purpose == "label" and self.settings.multilabel:
            return self._label_set(record, columns)
        column, value = columns[0], self._value(record, purpose, columns)
        if purpose.startswith((SLICE, COLUMN)):
            return value if value.strip() else ""
        if not value.strip():
            raise ValueError(
                f"{quote_name(column)} must not be empty; got {quote_value(record.get(column))}; "
                f"fill it in, or set data.{purpose} to null"
            )
        if purpose == "split":
            return split_of_value(value, column)
        if purpose == "time":
            return self._parse_time(value, column)
        if purpose == "label":
            self._require_class(value, column)
        return value

    def _label_set(self, record: Record, columns: Sequence[str]) -> list[str]:
        """Return a row's labels; `ValueError` if they break a rule."""
        if len(columns) > 1:
            labels = flagged(record, columns)
        else:
            separator, single = self.settings.label_separator, self.settings.id is not None
            labels = labels_in(record.get(columns[0]), columns[0], separator, single)
        for label in labels:
            self._require_class(label, ", ".join(columns))
        return labels

    def _require_class(self, value: str, column: str) -> None:
        """Raise `ValueError` unless a label is one of data.classes, if they are set."""
        classes = self.settings.classes
        name = self.settings.labels.get(value, value)
        if classes is not None and name not in (*classes, self.settings.no_class_label):
            raise ValueError(
                f"{quote_name(column)} must be one of data.classes ({list_names(classes)}); got {quote_value(value)}; "
                "correct it, or add it there, in quotes if it looks like a number or a boolean"
            )

    def _parse_time(self, value: str, column: str) -> Decimal | str:
        """Return a row's time; `ValueError` if it is none, or of another kind than that of the first row."""
        try:
            time = parse_time(value)
        except (ValueError, OverflowError):
            rule = f"must be a date or a date-time in ISO 8601, such as 2024-05-31, or a number of {DIGITS} digits"
            raise ValueError(
                f"{quote_name(column)} {rule}; got {quote_value(value)}; correct it"
            ) from None
        self._kind_of_time = self._kind_of_time or kind_of_time(time)
        if kind_of_time(time) != self._kind_of_time:
            rule = f"must be {self._kind_of_time}, as in the first row"
            raise ValueError(
                f"{quote_name(column)} {rule}; got {quote_value(value)}; write all in one way"
            )
        return time

    def _require_single_labels(self) -> None:
        """Raise `UserError` if labels combine other labels; not if `data.classes` lists them as classes."""
        may_combine = self.settings.multilabel or self.settings.classes is not None
        if not may_combine and (combined := combined_labels(self._labels)):
            column = list_names(self.layout.columns_of("label"))
            raise UserError(
                f"{self.path}: {column} must hold one label; got {quote_value(combined[0])}, "
                f"which combines others ({len(combined)} of {len(self._labels)} labels do); {ONE_LABEL}; "
                "or list it in data.classes if it is a class of its own"
            )

    def _require_new_id(self, record: Record, where: str, split: str | None) -> None:
        """Raise `ValueError` if the row repeats an id; of rows to be united, if its values differ from the first's."""
        if self.settings.id is None or not self._repeated_ids:
            return
        row = self._write(record, "id", (self.settings.id,))
        if int(hash_texts(array_of([row]))[0]) not in self._repeated_ids:
            return
        others = [purpose for purpose in self.layout.columns if purpose not in {"id", "label"}]
        values = {"split": split} | {
            each: self._write(record, each, self.layout.columns_of(each)) for each in others
        }
        first, before = self._first_rows.setdefault(row, (where, values))
        differing = next(
            (purpose for purpose in values if values[purpose] != before[purpose]), None
        )
        if first != where and (differing is not None or not self.unites):
            rule = (
                f"have one {str(differing).removeprefix(SLICE).removeprefix(COLUMN)}"
                if self.unites
                else "be unique"
            )
            raise ValueError(
                f"{quote_name(self.settings.id)} must {rule}; got {quote_value(row)}, as in {first}"
            )

    def _require_unique_ids(self) -> None:
        """Raise `UserError` if the id column repeats an id; of rows to be united, if other columns differ.

        Only a fingerprint of 8 bytes per id is kept. If two are equal, the table is read again, to
        report the rows in order and among the other errors, or to find that the ids differ after
        all.
        """
        if self.settings.id is None or self._repeated_ids:
            return
        fingerprints = np.concatenate(self._ids)
        ids = np.unique(fingerprints, axis=0)[:, 0] if self.unites else np.sort(fingerprints[:, 0])
        repeated = np.unique(ids[1:][ids[1:] == ids[:-1]])
        if not len(repeated):
            return
        again = Corpus(self.path, self.settings, self.rare, frozenset(repeated.tolist()))
        again.unites = self.unites
        for _ in again:
            pass
