"""Labelled rows of any table: none is skipped, and each mistake is reported with file and line."""

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
# Bytes of a column above which it gets Arrow's type large_string, which has no limit of length.
LARGE = 2**30
Part = tuple[TableFile, Batch]  # a batch, and the file that it is from
INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses several thousand digits


def read(path: Path, settings: Data, rare: Renamed = NONE) -> "Corpus":
    """Return all rows of a file or a folder, in memory.

    Raises `UserError` as `Corpus` does, and if memory does not hold them.
    """
    corpus = Corpus(path, settings, rare)
    corpus.load()
    return corpus


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


def _name_rows(name: str, numbers: Sequence[int] | NDArray[np.int64]) -> pa.StringArray:
    """Return `file:line` for each row, or the name of the file for one that is all of it."""
    if numbers[0] == WHOLE_FILE:
        return array_of([name])
    written = array_of_numbers(np.asarray(numbers, np.int64)).cast(pa.string())
    return pc.binary_replace_slice(written, 0, 0, f"{name}:")


def _read_column(
    file: TableFile, batch: Batch, column: str, purpose: str, lists: bool
) -> pa.StringArray:
    """Return a column of a batch; only `source` may be missing, and is filled in.

    `lists`: labels may be lists.
    """
    values = batch.columns.get(column)
    if values is None:
        values = [source_name(file.name)] * len(batch)
    if isinstance(values, list):
        if lists and purpose == "label":
            values = [written_list(value) for value in values]
        elif purpose.startswith(("time", COLUMN)):
            values = [written_cell(value) for value in values]
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
        self.path, self.settings, self.layout = path, settings, layout_of(settings)
        # The class in place of each rare one. None leaves out its rows, or removes it from sets
        # of labels.
        self.rare = rare
        # Rows of each label, as written and as meant, if data.labels or `rare` name some.
        self.written = Counter[str]()
        self.meant = Counter[str]()
        self.table = pa.table({})  # the rows, after `load`
        # After all rows: in order, the positive one last, without that of no class.
        self.classes: list[str] = []
        # Rows left out, and how many of these for a missing value.
        self.dropped = {"rows": 0, "text": 0, "label": 0}
        if settings.time is not None:
            self.dropped["time"] = 0
        self._kind_of_time = ""  # of the first row
        # Rows of each split that the table gives, and those `SUGGESTED`.
        self.marked = Counter[str]()
        self.count = 0  # of all rows
        self._labels, self.added = set[str](), set[str]()
        self._wrong = 0
        self._errors: list[str] = []  # of the first wrong rows
        self.unites = False  # whether rows of one id are one text, whose labels are united
        # Fingerprints of the id column; of rows to be united also those of the other columns.
        self._ids: list[NDArray[np.uint64]] = []
        self._repeated_ids = repeated_ids
        # Where each of these ids is first, and the values of that row by purpose.
        self._first_rows: dict[str, tuple[str, dict[str, Any]]] = {}

    @property
    def given(self) -> Counter[str]:
        """The rows of each split that the table gives; those that are `SUGGESTED` train."""
        given = self.marked.copy()
        if suggested := given.pop(SUGGESTED, 0):
            given["train"] += suggested
        return given

    def load(self) -> None:
        """Read all rows into `table`, and unite the labels of rows of one id.

        Raises `UserError` if memory does not hold them.
        """
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
            column = self.table.column(name)
            if column.nbytes > LARGE and pa.types.is_string(column.type):
                large = column.cast(pa.large_string())
                self.table = self.table.set_column(position, name, large)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of each batch that are well-formed and not dropped."""
        for parts in self._read():
            batch = self._check(parts)
            if self.settings.id is not None:
                names = ["id"]
                if self.unites:
                    names = [name for name in batch.column_names if name != "label"]
                hashes = [hash_texts(batch[name].cast(pa.string())) for name in names]
                self._ids.append(np.column_stack(hashes))
            if "split" in batch.column_names:
                codes, splits = encode(batch["split"])
                self.marked.update(dict(zip(splits, np.bincount(codes).tolist(), strict=True)))
            if len(batch) and not self._wrong:
                self._labels.update(encode(flat(batch["label"]))[1])
                yield batch
        self._require_unique_ids()
        if self._wrong > ERRORS_SHOWN:
            wrong = f"{self._wrong} of {self.count} rows are wrong"
            self._errors.append(f"{self.path}: {wrong}, {ERRORS_SHOWN} shown")
        if self._wrong:
            raise UserError(*self._errors)
        if self.settings.multilabel and len(self._labels) < 2:
            labels = list_names(sorted(self._labels)) or "none"
            rule = "must have at least two labels with data.task multilabel"
            raise UserError(
                f"{self.path} {rule}; got {labels}; "
                "one label alone is a binary task: data.task multiclass"
            )
        if not self._labels:
            raise UserError(f"{self.path} must have rows; got none with text and label")
        if empty := [split for split, rows in self.given.items() if not rows]:
            raise UserError(
                f"{self.path}: the files of split {empty[0]} must have rows with text and label; "
                "got none"
            )
        self._require_single_labels()
        unknown = self.settings.unknown
        if unknown is not None and unknown not in self._labels:
            rule = f"{self.layout.option}unknown must be a label in the table"
            advice = suggest(unknown, sorted(self._labels))
            raise UserError(f"{self.path}: {rule}; got {quote_value(unknown)}; {advice}")
        self.add_classes(())

    def add_classes(self, labels: Iterable[str]) -> None:
        """Put the classes in order, with labels beside the table, of which new ones are `added`."""
        self.added = {*labels} - self._labels
        self._labels |= self.added
        known = self._labels - {self.settings.no_class_label}
        columns = self.layout.columns_of("label")
        order = self.settings.classes or (columns if len(columns) > 1 else None)
        if order and self.written:
            # data.classes does not have the class that all rare ones are merged into.
            merged = known.intersection(filter(None, self.rare.values()))
            names = dict.fromkeys([*map(self._class_of, order), *merged])
            order = tuple(name for name in names if name)
        setting = "data.classes" if self.settings.classes else "data.label"
        self.classes = order_classes(known, order, str(self.path), setting)

    def classes_of(self, label: str) -> list[str]:
        """Return the classes in a label beside the table; `ValueError` if it breaks a rule."""
        written = self._write({"label": label}, "label", ("label",))
        names = map(self._class_of, [written] if isinstance(written, str) else written)
        return sorted({name for name in names if name is not None})

    def _read(self) -> Iterator[list[Part]]:
        """Yield the batches of all files, small ones together: a file may be a single text."""
        parts: list[Part] = []
        rows = size = 0
        for file in find_table(self.path, self.settings):
            before = self.count
            if file.split is not None:
                self.marked.update({file.split: 0})
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
            passed[[start + position for position in batch.broken]] = False
        names = [_name_rows(file.name, batch.numbers) for file, batch in parts]
        columns = {"id": pa.concat_arrays(names)}
        multilabel = self.settings.multilabel
        for purpose in self.layout.columns:
            arrays = []
            for column in self.layout.columns_of(purpose):
                chunks = [
                    _read_column(file, batch, column, purpose, multilabel) for file, batch in parts
                ]
                arrays.append(pa.concat_arrays(chunks))
            values = arrays[0]
            if len(arrays) > 1 and purpose == "label":
                values = pc.binary_join_element_wise(*arrays, JOINT)
            elif len(arrays) > 1:
                rows = zip(*(array.to_pylist() for array in arrays), strict=True)
                values = array_of([join(texts, self.settings.text_separator) for texts in rows])
            if purpose in {"text", "id", "group"}:
                passed &= are_valid(values, NUL if purpose == "text" else CONTROL)
            else:
                codes, distinct = encode(values)
                written = [self._write_or_none(purpose, value) for value in distinct]
                passed &= np.array([value is not None for value in written], bool)[codes]
                if purpose == "label" and multilabel:
                    values = pa.array(written, LABELS).take(codes)
                elif purpose == "time":
                    kind = DECIMAL_TIME if self._kind_of_time == A_NUMBER else pa.string()
                    values = pa.array(written, kind).take(codes)
                elif written != distinct:
                    values = array_of([value or "" for value in written]).take(codes)
            columns[purpose] = values
        if parts[0][0].split is not None:
            splits = [pa.repeat(file.split, len(batch)) for file, batch in parts]
            columns["split"] = pa.concat_arrays(splits)
        for row in np.flatnonzero(~passed).tolist():
            part = bisect.bisect_right(starts, row) - 1
            file, batch = parts[part]
            passed[row] = self._check_row(file, *batch.row(row - starts[part]))
        checked = pa.RecordBatch.from_pydict(columns)
        if not passed.all():
            checked = checked.take(array_of_numbers(np.flatnonzero(passed)))
        return self._rename(checked) if self.settings.labels or self.rare else checked

    def _class_of(self, label: str) -> str | None:
        """Return the class of a label as it is written, None if it is left out."""
        name = self.settings.labels.get(label, label)
        return self.rare.get(name, name)

    def _rename(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with labels as meant, without classes that are left out; count both."""
        labels = rows["label"]
        codes, written = encode(flat(labels))
        counts = np.bincount(codes, minlength=len(written)).tolist()
        for label, count in zip(written, counts, strict=True):
            self.written[label] += count
            self.meant[self.settings.labels.get(label, label)] += count
        values = pa.array(list(map(self._class_of, written)), pa.string()).take(pa.array(codes))
        if self.settings.multilabel:
            values = label_lists(rows_of(labels), values, len(rows))
        renamed = rows.set_column(rows.column_names.index("label"), "label", values)
        return renamed.filter(values.is_valid())

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
        """Return whether a row lacks text, label or time and is left out, and count it.

        Raises `ValueError` if data.missing refuses such rows.
        """
        optional = {"rows", "label"} if self.settings.multilabel else {"rows"}
        values = {}
        for purpose in self.dropped:
            if purpose not in optional:
                columns = self.layout.columns_of(purpose)
                values[purpose] = self._value(record, purpose, columns)
        missing = [purpose for purpose, value in values.items() if not value.strip()]
        if not missing:
            return False
        if self.settings.missing == "error":
            names = self.layout.columns_of(missing[0])
            noun = "columns" if len(names) > 1 else "column"
            got = f"{quote_value(record.get(names[0]))} in {noun} {list_names(names)}"
            raise ValueError(
                f"{missing[0]} must not be empty; got {got}; "
                "fill it in, or set data.missing to drop"
            )
        for key in ("rows", *missing):
            self.dropped[key] += 1
        return True

    def _value(self, record: Record, purpose: str, columns: Sequence[str]) -> str:
        """Return a row's value in the columns of a purpose, "" if there is none.

        Raises `ValueError` if it can't be written as text.
        """
        if purpose == "text":
            return joined_text(record, columns, self.settings.text_separator) or ""
        if purpose.startswith(("time", COLUMN)):
            return cell_of(record, columns[0])
        return label_of(record, columns[0]) or ""

    def _write(self, record: Record, purpose: str, columns: Sequence[str]) -> Any:
        """Return a row's value in the columns of a purpose as batches have it.

        Raises `ValueError` if it breaks a rule.
        """
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
            rule = f"must be one of data.classes ({list_names(classes)})"
            raise ValueError(
                f"{quote_name(column)} {rule}; got {quote_value(value)}; "
                "correct it, or add it there, in quotes if it looks like a number or a boolean"
            )

    def _parse_time(self, value: str, column: str) -> Decimal | str:
        """Return a row's time; `ValueError` if it is none, or of another kind than the first."""
        try:
            time = parse_time(value)
        except (ValueError, OverflowError):
            rule = (
                "must be a date or a date-time in ISO 8601, such as 2024-05-31, "
                f"or a number of {DIGITS} digits"
            )
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
        """Raise `UserError` if labels combine others, unless `data.classes` lists the classes."""
        if self.settings.multilabel or self.settings.classes is not None:
            return
        if combined := combined_labels(self._labels):
            column = list_names(self.layout.columns_of("label"))
            raise UserError(
                f"{self.path}: {column} must hold one label; got {quote_value(combined[0])}, "
                f"which combines others ({len(combined)} of {len(self._labels)} labels do); "
                f"{ONE_LABEL}; or list it in data.classes if it is a class of its own"
            )

    def _require_new_id(self, record: Record, where: str, split: str | None) -> None:
        """Raise `ValueError` if the row repeats an id.

        A row to be united may repeat it, if its values are those of the first row with the id.
        """
        if self.settings.id is None or not self._repeated_ids:
            return
        row = self._write(record, "id", (self.settings.id,))
        if int(hash_texts(array_of([row]))[0]) not in self._repeated_ids:
            return
        values: dict[str, Any] = {"split": split}
        for purpose in self.layout.columns:
            if purpose not in {"id", "label"}:
                values[purpose] = self._write(record, purpose, self.layout.columns_of(purpose))
        first, before = self._first_rows.setdefault(row, (where, values))
        differing = [purpose for purpose in values if values[purpose] != before[purpose]]
        if first == where or (self.unites and not differing):
            return
        rule = "be unique"
        if self.unites:
            rule = f"have one {differing[0].removeprefix(SLICE).removeprefix(COLUMN)}"
        raise ValueError(
            f"{quote_name(self.settings.id)} must {rule}; got {quote_value(row)}, as in {first}"
        )

    def _require_unique_ids(self) -> None:
        """Raise `UserError` if the id column repeats an id.

        Rows to be united may repeat it, if their other columns are the same. Only a fingerprint of
        8 bytes per id is kept. If two are equal, the table is read again, to report the rows in
        order and among the other errors, or to find that the ids differ after all.
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
