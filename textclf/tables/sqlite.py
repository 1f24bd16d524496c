"""SQLite files: the rows that a query gives, numbered from 1."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.core.files import damaged
from textclf.core.quoting import first_line, list_names, quote_value
from textclf.tables.compression import stored
from textclf.tables.layout import Layout, NumberedRow


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows of the layout's query."""
    with stored(stream, path) as file:
        _require_checkpoint(file)
        # SQLite then writes nothing, neither locks the file nor makes files beside it.
        address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            # The error of Python's decoding names the byte.
            connection.text_factory = lambda data: data.decode("utf-8")
            try:
                yield from _read_query(connection, path, layout)
            except UnicodeDecodeError as error:
                byte = error.object[error.start]
                raise UserError(
                    f"{path} must contain text in UTF-8; got byte 0x{byte:02x}"
                ) from error
            except sqlite3.DatabaseError as error:
                raise damaged(path, "SQLite", error) from error


def _read_query(
    connection: sqlite3.Connection, path: Path, layout: Layout
) -> Iterator[NumberedRow]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    tables = [name for (name,) in rows]
    listed = list_names(sorted(tables)) or "none"
    rule = f"{path}: {layout.option}query must be a SELECT on its tables ({listed})"
    if layout.query is None and len(tables) != 1:
        raise UserError(f"{rule}; got nothing")
    only = tables[0].replace('"', '""') if tables else ""
    whole = f'SELECT * FROM "{only}"'  # noqa: S608 (the name is quoted)
    with _running(rule):
        cursor = connection.execute(layout.query or whole)
    if cursor.description is None:
        raise UserError(f"{rule}; got {quote_value(layout.query)}")
    names = [column[0] for column in cursor.description]
    layout.require_columns(path, names)
    positions = {name: names.index(name) for name in layout.names() if name in names}
    with _running(rule):
        for number, row in enumerate(cursor, start=1):
            yield number, {name: row[position] for name, position in positions.items()}


@contextmanager
def _running(rule: str) -> Iterator[None]:
    """Raise `UserError` if SQLite refuses a query, not if the file is damaged."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        raise UserError(f"{rule}; {first_line(error)}") from error


def _require_checkpoint(file: Path) -> None:
    """Raise `UserError` if changes are in a file beside the database, which DVC does not track."""
    for ending in ("-wal", "-journal"):
        beside = file.with_name(file.name + ending)
        if beside.is_file() and beside.stat().st_size:
            raise UserError(
                f"{file} must contain all changes; got some in {beside.name}; "
                "close the program that writes them, or run PRAGMA wal_checkpoint(TRUNCATE)"
            )
