"""Rows of any labelled table, read exactly: nothing skipped, nothing guessed, every mistake told by its row."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.params import Data
from textclf.split.splitting import Batch, fingerprints
from textclf.tables import readers as tables
from textclf.tables.readers import SOURCE, Block, Layout, Numbered, Record, listed, named, shown

SHOWN = 5  # wrong rows spelled out in an error
INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses some thousand digits


@dataclass
class Corpus:
    """Rows of a corpus, and how many were left out for want of a text or label.

    `rows` has the columns `id`, `text`, `label` and, if asked for, `group`, all text. `classes` are the labels in
    their order, of two the positive one last. `dropped` counts the rows left out: `rows` in all, `text` and `label`
    by what was missing.
    """

    rows: pd.DataFrame
    classes: list[str]
    dropped: dict[str, int] = field(default_factory=lambda: {"rows": 0, "text": 0, "label": 0})


def read(path: Path, settings: Data) -> Corpus:
    """The rows of a file, or of the files of a folder in the order of their names, under the settings.

    A row's id is that of its column, or `file:line` (in Parquet `file:row`), both from 1, the file named as it lies
    in the folder. Labels are text: integers in digits, booleans as true and false. Text and label are kept as they
    stand, spaces included. `UserError` for every row that breaks a rule (all are counted, the first few shown), for
    a column that is not there (those that are there are listed), and for rows of fewer than two classes.
    """
    stream = Stream(path, settings)
    columns: Batch = {name: [] for name in ("id", "text", "label", *([] if settings.group is None else ["group"]))}
    for batch in stream:
        for name, values in columns.items():
            values.extend(batch[name])
    return Corpus(pd.DataFrame(columns), stream.classes, stream.dropped)


def order(labels: Iterable[str], given: Sequence[str] | None, where: str) -> list[str]:
    """The classes in order: as given, or integers by value if all are such, else by code point.

    `UserError` if they are fewer than two, or one of those given has no row; `where` names the file.
    """
    found = set(labels)
    if len(found) < 2:
        raise UserError(f"{where} must have rows of at least two classes; got only {shown(min(found))}")
    if given is None:
        whole = all(INTEGER.fullmatch(name) for name in found)
        return sorted(found, key=lambda name: (int(name) if whole else 0, name))
    if missing := [name for name in given if name not in found]:
        rule = f"every class of data.classes ({listed(given)}) must have a row"
        raise UserError(f"{where}: {rule}; got none of {shown(missing[0])}")
    return list(given)


def files(path: Path, settings: Data) -> dict[str, Path]:
    """The files that `read` reads, by their names in the ids of rows; `UserError` as of `read`."""
    return {name: file for name, file, _ in tables.files_of(path, layout(settings))}


def layout(settings: Data) -> Layout:
    """How the table is written, as the settings have it."""
    columns = {name: getattr(settings, name) for name in ("text", "label", "id", "group")}
    return Layout(
        {name: column for name, column in columns.items() if column is not None},
        settings.files,
        settings.format,
        settings.encoding,
        settings.delimiter,
        settings.quoting,
    )


class Stream:
    """Rows of a table, many at a time, so that they need not all be in memory.

    Iterate once: each batch is a mapping of `id`, `text`, `label` and, if asked for, `group` to lists of one length.
    What `Corpus` says of `classes` and `dropped` is known at the end; `count` is that of all rows. The errors are
    those of `read`, and come at the end too: what was made of the batches must then be thrown away.
    """

    def __init__(self, path: Path, settings: Data) -> None:
        """Read nothing yet."""
        self.path, self.settings, self.layout = path, settings, layout(settings)
        self.classes: list[str] = []
        self.dropped = {"rows": 0, "text": 0, "label": 0}
        self.count = 0
        self._labels: set[str] = set()
        self._wrong = 0
        self._shown: list[str] = []  # what is said of the first wrong rows
        self._ids: list[NDArray[np.uint64]] = []  # fingerprints of those of a column
        self._suspects: set[int] = set()  # fingerprints of ids that may stand twice
        self._places: dict[str, str] = {}  # where such an id stands first

    def __iter__(self) -> Iterator[Batch]:
        for name, file, kind in tables.files_of(self.path, self.layout):
            before = self.count
            for block in tables.blocks(file, kind, self.layout):
                batch = self._together(block, name) or self._one_by_one(block, name, str(file))
                if self.settings.id is not None:
                    self._ids.append(fingerprints(batch["id"]))
                if batch["id"] and not self._wrong:
                    self._labels.update(batch["label"])
                    yield batch
            if self.count == before:
                raise UserError(f"{file} must have rows; got none")
        self._require_distinct_ids()
        if self._wrong:
            total = f"{self.path}: {self._wrong} of {self.count} rows are wrong, {SHOWN} shown"
            raise UserError(*self._shown, *([total] if self._wrong > SHOWN else []))
        if not self._labels:
            raise UserError(f"{self.path} must have rows; got none with text and label")
        self.classes = order(self._labels, self.settings.classes, str(self.path))

    def _together(self, block: Block | list[Numbered], name: str) -> Batch | None:
        """The rows of a block, looked at together; None if one of them wants a closer look."""
        if not isinstance(block, Block) or self._suspects:
            return None
        batch = {"id": [f"{name}:{number}" for number in block.numbers]}
        for kind, column in self.layout.columns.items():
            if (values := block.columns.get(column)) is None:
                values = [source_of(name)] * len(block.numbers)
            if (good := tables.texts_of(values) if kind == "text" else tables.labels_of(values)) is None:
                return None
            batch[kind] = good
        if (known := self.settings.classes) is not None and not set(batch["label"]) <= set(known):
            return None
        self.count += len(block.numbers)
        return batch

    def _one_by_one(self, block: Block | list[Numbered], name: str, place: str) -> Batch:
        """The good rows of a block; the others are counted."""
        batch: Batch = {kind: [] for kind in ("id", *self.layout.columns)}
        source = {SOURCE: source_of(name)} if SOURCE in self.layout.wanted() else {}
        for number, record in block.records() if isinstance(block, Block) else block:
            self.count += 1
            try:
                if isinstance(record, ValueError):
                    raise record
                row = self._row({**source, **record} if source else record, f"{name}:{number}", f"{place}:{number}")
            except ValueError as error:
                self._wrong += 1
                if self._wrong <= SHOWN:
                    self._shown.append(f"{place}:{number}: {error}")
            else:
                for kind, value in row.items():
                    batch[kind].append(value)
        return batch

    def _row(self, record: Record, name: str, place: str) -> dict[str, str]:
        """What a row holds, nothing if it is left out; `ValueError` if it breaks a rule."""
        settings = self.settings
        text = tables.text_of(record, settings.text) or ""
        label = tables.label_of(record, settings.label) or ""
        missing = [kind for kind, value in (("text", text), ("label", label)) if not value.strip()]
        if missing and settings.missing == "drop":
            for kind in ("rows", *missing):
                self.dropped[kind] += 1
            return {}
        if missing:
            column = getattr(settings, missing[0])
            raise ValueError(
                f"{missing[0]} must not be empty; got {shown(record.get(column))} in column {named(column)}; "
                "fill it in, or set data.missing to drop"
            )
        if settings.classes is not None and label not in settings.classes:
            rule = f"must be one of data.classes ({listed(settings.classes)})"
            raise ValueError(
                f"{named(settings.label)} {rule}; got {shown(label)}; "
                "mend it, or add it there, in quotes if it looks like a number or a boolean"
            )
        row = {"id": name, "text": text, "label": label}
        for kind, column in (("id", settings.id), ("group", settings.group)):
            if column is not None:
                row[kind] = tables.label_of(record, column) or ""
                if not row[kind].strip():
                    raise ValueError(
                        f"{named(column)} must not be empty; got {shown(record.get(column))}; "
                        f"fill it in, or set data.{kind} to null"
                    )
        if (
            settings.id is not None
            and int(fingerprints([row["id"]])[0]) in self._suspects
            and (first := self._places.setdefault(row["id"], place)) != place
        ):
            raise ValueError(f"{named(settings.id)} must be another in each row; got {shown(row['id'])}, as in {first}")
        return row

    def _require_distinct_ids(self) -> None:
        """`UserError` if an id stands twice.

        Eight bytes of each are kept. Where two are the same the table is read again, to say where those ids stand,
        in the order of the rows and among the other errors, or to find that they differ after all.
        """
        if self.settings.id is None or self._suspects:
            return
        ids = np.sort(np.concatenate(self._ids))
        repeated = np.unique(ids[1:][ids[1:] == ids[:-1]])
        if not len(repeated):
            return
        if not (self.path.is_file() or self.path.is_dir()):
            rule = f"{named(self.settings.id)} must be another in each row"
            raise UserError(f"{self.path}: {rule}; got {len(repeated)} that stand in several; a file would tell which")
        again = Stream(self.path, self.settings)
        again._suspects.update(repeated.tolist())
        for _ in again:
            pass


def source_of(name: str) -> str:
    """What a file gives as its column `source`: its name without endings."""
    return tables.uncompressed(name).stem
