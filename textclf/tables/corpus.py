"""Labelled rows of any table: none is skipped, and each mistake is reported with file and line."""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core import resources
from textclf.core.arrow import array_of, array_of_numbers, encode, hash_texts
from textclf.core.errors import UserError
from textclf.core.files import COLUMN, SLICE, SUGGESTED
from textclf.core.quoting import quote_name, quote_value
from textclf.tables import limits
from textclf.tables.classes import Labels
from textclf.tables.files import TableFile, source_name
from textclf.tables.given import find_table, layout_of
from textclf.tables.layout import SOURCE, WHOLE_FILE, Batch, Record, place
from textclf.tables.parts import Part, Piece, read_piece
from textclf.tables.purposes import purposes_of
from textclf.tables.rare_labels import NONE, Renamed
from textclf.tables.settings import Data
from textclf.tables.several import only_value, unite
from textclf.tables.values import ONE_LABEL

ERRORS_SHOWN = 5  # wrong rows with a line of their own in an error
ROW_OVERHEAD = 100  # bytes of the objects of a row, about
CHECKED_BYTES = 2**26  # of rows that are read between two looks at the available memory
COPIES = 2  # of the rows in memory, about, that a split makes of them
# Bytes of a column above which it gets Arrow's type large_string, which has no limit of length.
LARGE = 2**30
Parts = list[tuple[TableFile, Batch]]  # batches, and the file that each is from


def read(path: Path, settings: Data, rare: Renamed = NONE) -> "Corpus":
    """Return all rows of a file or a folder, in memory.

    Raises `UserError` as `Corpus` does, and if memory does not hold them.
    """
    corpus = Corpus(path, settings, rare)
    corpus.load()
    return corpus


def _name_rows(name: str, numbers: Sequence[int] | NDArray[np.int64]) -> pa.StringArray:
    """Return `file:line` for each row, or the name of the file for one that is all of it."""
    if numbers[0] == WHOLE_FILE:
        return array_of([name])
    written = array_of_numbers(np.asarray(numbers, np.int64)).cast(pa.string())
    return pc.binary_replace_slice(written, 0, 0, f"{name}:")


def _values(file: TableFile, batch: Batch, column: str) -> "list[object] | pa.StringArray":
    """Return a column of a batch; only `source` may be missing, and is filled in."""
    values = batch.columns.get(column)
    return [source_name(file.name)] * len(batch) if values is None else values


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
        self,
        path: Path,
        settings: Data,
        rare: Renamed = NONE,
        repeated_ids: Set[int] = frozenset(),
        part: Part | None = None,
    ) -> None:
        """Read nothing yet, and then all rows or those of a part of the table.

        `repeated_ids` are fingerprints of ids to look for more than once.
        """
        self.path, self.settings, self.layout = path, settings, layout_of(settings)
        self._part = part
        self.purposes = purposes_of(self.layout, settings)
        self.labels = Labels(path, settings, rare)
        self.table = pa.table({})  # the rows, after `load`
        # Rows left out, and how many of these for a missing value.
        may_drop = [name for name, purpose in self.purposes.items() if purpose.may_drop]
        self.dropped = dict.fromkeys(["rows", *may_drop], 0)
        # Rows of each split that the table gives, and those `SUGGESTED`.
        self.marked = Counter[str]()
        self.count = 0  # of all rows
        self._wrong = 0
        self._errors: list[str] = []  # of the first wrong rows
        self.unites = False  # whether rows of one id are one text, whose labels are united
        # Fingerprints of the id column; of rows to be united also those of the other columns.
        self._ids: list[NDArray[np.uint64]] = []
        self._repeated_ids = repeated_ids
        # Where each of these ids is first, and the values of that row by purpose.
        self._first_rows: dict[str, tuple[str, dict[str, Any]]] = {}

    @property
    def classes(self) -> list[str]:
        """The classes in order, the positive one last, without that of no class; after all rows."""
        return self.labels.classes

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
        yield from self.batches()
        self.finish(self.take_ids())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows as `__iter__`, without the checks at the end."""
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
                self.labels.add(batch)
                yield batch

    def take_ids(self) -> NDArray[np.uint64]:
        """Return the fingerprints of the ids so far, and forget them: (rows,) or (rows, columns).

        The latter if rows of one id may be united: of each column but the label, the id first.
        """
        fingerprints = np.concatenate(self._ids) if self._ids else np.empty((0, 1), np.uint64)
        self._ids = []
        return fingerprints if self.unites else fingerprints[:, 0]

    def add(self, other: "Corpus") -> None:
        """Add what the next part of the table has."""
        for name, rows in other.dropped.items():
            self.dropped[name] += rows
        self.marked.update(other.marked)
        self.count += other.count
        self.labels.merge(other.labels)

    @property
    def is_sound(self) -> bool:
        """Whether no row so far breaks a rule."""
        return not self._wrong

    def finish(self, ids: NDArray[np.uint64]) -> None:
        """Make the checks that need all rows, and order the classes; raises `UserError`.

        `ids` are the fingerprints of all ids, or at least of those that occur more than once.
        """
        self._require_unique_ids(ids)
        if self._wrong > ERRORS_SHOWN:
            wrong = f"{self._wrong} of {self.count} rows are wrong"
            self._errors.append(f"{self.path}: {wrong}, {ERRORS_SHOWN} shown")
        if self._wrong:
            raise UserError(*self._errors)
        self.labels.require_rows()
        if empty := [split for split, rows in self.given.items() if not rows]:
            raise UserError(
                f"{self.path}: the files of split {empty[0]} must have rows with text and label; "
                "got none"
            )
        self.labels.require_classes(self.layout)
        self.labels.order()

    def classes_of(self, label: str) -> list[str]:
        """Return the classes in a label beside the table; `ValueError` if it breaks a rule."""
        written = replace(self.purposes["label"], columns=("label",)).write({"label": label})
        names = map(self.labels.class_of, [written] if isinstance(written, str) else written)
        return sorted({name for name in names if name is not None})

    def _read(self) -> Iterator[Parts]:
        """Yield the batches of all files, small ones together: a file may be a single text."""
        parts: Parts = []
        rows = size = 0
        pieces = self._part or map(Piece, find_table(self.path, self.settings))
        for piece in pieces:
            file = piece.file
            before = self.count
            if file.split is not None:
                self.marked.update({file.split: 0})
            for batch in read_piece(piece, self.layout):
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

    def _check(self, parts: Parts) -> pa.RecordBatch:
        """Return the well-formed rows: those that may break a rule are looked at one by one."""
        starts = np.cumsum([0, *(len(batch) for _, batch in parts)]).tolist()
        passed = np.full(starts[-1], not self._repeated_ids)
        for start, (_, batch) in zip(starts, parts, strict=False):
            passed[[start + position for position in batch.broken]] = False
        names = [_name_rows(file.name, batch.numbers) for file, batch in parts]
        columns = {"id": pa.concat_arrays(names)}
        for name, purpose in self.purposes.items():
            arrays = []
            for column in purpose.columns:
                chunks = [purpose.read(_values(file, batch, column)) for file, batch in parts]
                arrays.append(pa.concat_arrays(chunks))
            columns[name], are_valid = purpose.check(arrays)
            passed &= are_valid
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
        return self.labels.rename(checked)

    def _check_row(self, file: TableFile, number: int, record: Record | ValueError) -> bool:
        """Return whether a row is well-formed; count it if it is dropped or breaks a rule."""
        where = place(str(file.path), number)
        try:
            if isinstance(record, ValueError):
                raise record
            label = self.purposes["label"].columns[0]
            if not self.settings.multilabel and isinstance(only_value(record.get(label)), list):
                column = quote_name(label)
                raise UserError(f"{where}: {column} must hold one label; got a list; {ONE_LABEL}")
            record = {SOURCE: source_name(file.name), **record}
            if self._is_dropped(record):
                return False
            for purpose in self.purposes.values():
                purpose.write(record)
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
        needed = [purpose for purpose in self.purposes.values() if purpose.may_drop]
        missing = [purpose for purpose in needed if purpose.is_missing(record)]
        if missing and self.settings.missing == "error":
            raise missing[0].empty_error(record)
        if missing:
            self.dropped["rows"] += 1
        for purpose in missing:
            self.dropped[purpose.name] += 1
        return bool(missing)

    def _require_new_id(self, record: Record, where: str, split: str | None) -> None:
        """Raise `ValueError` if the row repeats an id.

        A row to be united may repeat it, if its values are those of the first row with the id.
        """
        if not self._repeated_ids:
            return
        row = self.purposes["id"].write(record)
        if int(hash_texts(array_of([row]))[0]) not in self._repeated_ids:
            return
        values: dict[str, Any] = {"split": split}
        for name, purpose in self.purposes.items():
            if name not in {"id", "label"}:
                values[name] = purpose.write(record)
        first, before = self._first_rows.setdefault(row, (where, values))
        differing = [name for name in values if values[name] != before[name]]
        if first == where or (self.unites and not differing):
            return
        rule = "be unique"
        if self.unites:
            rule = f"have one {differing[0].removeprefix(SLICE).removeprefix(COLUMN)}"
        column = quote_name(self.purposes["id"].columns[0])
        raise ValueError(f"{column} must {rule}; got {quote_value(row)}, as in {first}")

    def _require_unique_ids(self, fingerprints: NDArray[np.uint64]) -> None:
        """Raise `UserError` if the id column repeats an id.

        Rows to be united may repeat it, if their other columns are the same. Only a fingerprint of
        8 bytes per id is kept. If two are equal, the table is read again, to report the rows in
        order and among the other errors, or to find that the ids differ after all.
        """
        if self.settings.id is None or self._repeated_ids:
            return
        ids = np.unique(fingerprints, axis=0)[:, 0] if self.unites else np.sort(fingerprints)
        repeated = np.unique(ids[1:][ids[1:] == ids[:-1]])
        if not len(repeated):
            return
        again = Corpus(self.path, self.settings, self.labels.rare, frozenset(repeated.tolist()))
        again.unites = self.unites
        for _ in again:
            pass
