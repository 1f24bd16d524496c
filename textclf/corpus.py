"""Rows of any labelled table, read exactly: nothing skipped, nothing guessed, every mistake told by its row."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from textclf import tables
from textclf.errors import UserError
from textclf.params import Data
from textclf.tables import SOURCE, Layout, Record, listed, named, shown

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
    collected = _Rows(settings)
    for name, file, kind in tables.files_of(path, collected.layout):
        collected.add(name, file, kind)
    if collected.wrong:
        total = f"{path}: {collected.wrong} of {collected.count} rows are wrong, {SHOWN} shown"
        raise UserError(*collected.shown, *([total] if collected.wrong > SHOWN else []))
    rows = pd.DataFrame(collected.columns)
    if rows.empty:
        raise UserError(f"{path} must have rows; got none with text and label")
    return Corpus(rows, order(rows["label"], settings.classes, str(path)), collected.dropped)


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


class _Rows:
    """Rows as they are read, file by file, and what is wrong in them."""

    def __init__(self, settings: Data) -> None:
        self.settings = settings
        self.layout = layout(settings)
        self.columns: dict[str, list[str]] = {"id": [], "text": [], "label": []}
        if settings.group is not None:
            self.columns["group"] = []
        self.dropped = {"rows": 0, "text": 0, "label": 0}
        self.count = 0
        self.wrong = 0
        self.shown: list[str] = []  # what is said of the first wrong rows
        self.places: dict[str, str] = {}  # of ids

    def add(self, name: str, path: Path, kind: str) -> None:
        """Read a file; `name` is that of its rows in their ids."""
        before, place = self.count, str(path)
        source = {SOURCE: tables.uncompressed(name).stem} if SOURCE in self.layout.wanted() else {}
        for number, record in tables.records(path, kind, self.layout):
            self.count += 1
            try:
                if isinstance(record, ValueError):
                    raise record
                self._add_row({**source, **record} if source else record, f"{name}:{number}", f"{place}:{number}")
            except ValueError as error:
                self.wrong += 1
                if self.wrong <= SHOWN:
                    self.shown.append(f"{place}:{number}: {error}")
        if self.count == before:
            raise UserError(f"{path} must have rows; got none")

    def _add_row(self, record: Record, name: str, place: str) -> None:
        settings = self.settings
        text = tables.text_of(record, settings.text) or ""
        label = tables.label_of(record, settings.label) or ""
        missing = [kind for kind, value in (("text", text), ("label", label)) if not value.strip()]
        if missing and settings.missing == "drop":
            for kind in ("rows", *missing):
                self.dropped[kind] += 1
            return
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
        if settings.id is not None and (first := self.places.setdefault(row["id"], place)) != place:
            raise ValueError(f"{named(settings.id)} must be another in each row; got {shown(row['id'])}, as in {first}")
        for kind, value in row.items():
            self.columns[kind].append(value)
