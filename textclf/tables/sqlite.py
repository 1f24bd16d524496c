"""SQLite files: the rows that a query gives, numbered from 1."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

from textclf.core import read_only
from textclf.core.errors import UserError
from textclf.core.foreign import damaged
from textclf.core.quoting import list_names
from textclf.tables import limits
from textclf.tables.compression import stored
from textclf.tables.layout import Layout, NumberedRow
from textclf.tables.limits import row_too_long


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows of the layout's query; the file is never written."""
    with stored(stream, path) as file:
        _require_checkpoint(file)
        # Immutable: SQLite neither locks the file nor makes files beside it.
        with closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?immutable=1", uri=True)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8")  # whose error names the byte
            try:
                read_only.restrict(connection, limits.ROW_BYTES)
                yield from _read_query(connection, path, layout)
            except UnicodeDecodeError as error:
                byte = error.object[error.start]
                raise UserError(f"{path} must contain text in UTF-8; got byte 0x{byte:02x}") from error
            except sqlite3.DatabaseError as error:
                raise damaged(path, "SQLite", error) from error


def _read_query(connection: sqlite3.Connection, path: Path, layout: Layout) -> Iterator[NumberedRow]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    rule = f"{path}: {layout.option}query must be a SELECT on its tables ({list_names(sorted(tables)) or 'none'})"
    if layout.query is None and len(tables) != 1:
        raise UserError(f"{rule}; got nothing")
    only = tables[0].replace('"', '""') if tables else ""
    whole = f'SELECT * FROM "{only}"'  # noqa: S608 (the name is quoted)
    if layout.query is not None:
        read_only.require_select(layout.query, rule)
    with _running(rule, lambda: f"{path}:1"):
        cursor = connection.execute(layout.query or whole)
    names = [column[0] for column in cursor.description]
    layout.require_columns(path, names)
    positions = {name: names.index(name) for name in layout.names() if name in names}
    number = 0
    with _running(rule, lambda: f"{path}:{number + 2}"):  # SQLite looks for the next row before it gives one
        for number, row in enumerate(cursor, start=1):
            yield number, {name: row[position] for name, position in positions.items()}


@contextmanager
def _running(rule: str, place: Callable[[], str]) -> Iterator[None]:
    """Raise `UserError` if SQLite refuses a query, or finds a row too long, not if the file is damaged."""
    try:
        yield
    except (sqlite3.DatabaseError, sqlite3.Warning) as error:
        if isinstance(error, sqlite3.DataError) and "too big" in str(error):
            raise row_too_long(place()) from error
        refused = isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning))
        if not refused and getattr(error, "sqlite_errorname", "") != "SQLITE_AUTH":
            raise
        raise UserError(f"{rule}; {read_only.reason(error)}") from error


def _require_checkpoint(file: Path) -> None:
    """Raise `UserError` if changes are still in a file beside the database, which DVC does not track."""
    for ending in ("-wal", "-journal"):
        beside = file.with_name(file.name + ending)
        if beside.is_file() and beside.stat().st_size:
            raise UserError(
                f"{file} must contain all changes; got some in {beside.name}; close the program that writes them, "
                "or run PRAGMA wal_checkpoint(TRUNCATE)"
            )
