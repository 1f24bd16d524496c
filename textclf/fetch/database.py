"""Rows of a database: what a query gives, by SQLAlchemy, as a Parquet file that later runs keep."""

import contextlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.files import whole_file
from textclf.core.formatting import count_noun
from textclf.core.quoting import first_line, quote_name

FILE = "query.parquet"  # in data/raw
EXAMPLE = "postgresql+psycopg://user:password@host/database"
RULE = "fetch.query must be a SELECT"
ROWS = 100  # that are read at a time
STEP = 2**24  # bytes that are read between two looks at the available memory
ROW_OVERHEAD = 100  # bytes of the objects of a row, about
COPIES = 3  # of the rows, about, while they are stored
# Keys of the file's metadata: the settings that made it.
DATABASE = b"textclf.database"
QUERY = b"textclf.query"


def fetch_query(
    database: str, query: str, folder: Path, report: Callable[[str], object]
) -> dict[str, bytes]:
    """Return the file of a query's rows by its name: the one in the folder, or a new one.

    A database changes while the settings stay, so its rows are read once and kept, as a published
    corpus is.
    """
    path = folder / FILE
    if is_kept(path, database, query):
        report(
            f"{FILE}: kept the rows of an earlier run; "
            f"to query again, remove {path} and force this stage"
        )
        return {FILE: path.read_bytes()}
    content, count = query_rows(database, query)
    report(f"{FILE}: {count_noun(count, 'row')} from the database of {database}")
    return {FILE: content}


def is_kept(path: Path, database: str, query: str) -> bool:
    """Return whether a file has the rows of this query, read by an earlier run."""
    try:
        with whole_file(path, "Parquet"), pq.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata or {}
    except (UserError, OSError):
        return False
    return (metadata.get(DATABASE), metadata.get(QUERY)) == (database.encode(), query.encode())


def query_rows(database: str, query: str) -> tuple[bytes, int]:
    """Return the rows of a query as Parquet, and their number.

    `database` is the variable that holds the URL. Raises `UserError` if the variable is not set or
    holds no URL, or if the database refuses the query.
    """
    where = f"fetch.database ({database})"
    url = os.environ.get(database, "")
    if not url:
        raise UserError(
            f"{where} must be an environment variable with a URL such as {EXAMPLE}; "
            "got nothing; export it"
        )
    import sqlalchemy

    try:
        parsed = sqlalchemy.make_url(url)
        engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.NullPool)
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise UserError(
            f"{where} must be of a database that SQLAlchemy knows; {first_line(error)}"
        ) from error
    except ModuleNotFoundError as error:
        raise UserError(f"{where} needs the driver {error.name}; install it with pip") from error
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        # The error is not quoted, since it may contain the password.
        raise UserError(f"{where} must hold a URL such as {EXAMPLE}; got something else") from error
    _require_file(parsed, where)
    with _refusing(f"{where} must lead to a database", parsed.password):
        opened = engine.connect()
    with opened as connection, _refusing(f"{RULE} that it runs", parsed.password):
        table = _read(connection, query)
    table = table.replace_schema_metadata({DATABASE: database.encode(), QUERY: query.encode()})
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd", write_page_checksum=True)
    return stream.getvalue(), table.num_rows


def _require_file(url: Any, where: str) -> None:
    """Raise `UserError` if the file of an SQLite database does not exist: SQLite would make it."""
    file = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or file.startswith((":", "file:")):
        return
    if not Path(file).is_file():
        raise UserError(f"{where} must lead to a database; got no file {file}")


@contextlib.contextmanager
def _refusing(rule: str, password: str | None) -> Iterator[None]:
    """Raise `UserError` for what a database or its driver refuses.

    The password, which a message may contain, is left out.
    """
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        message = first_line(getattr(error, "orig", None) or error)
        raise UserError(f"{rule}; {message.replace(password or chr(0), '***')}") from error


def _read(connection: Any, query: str) -> pa.Table:
    """Return the rows of a query; `UserError` if it gives none, or a column has several types.

    Nothing is committed, so a statement that writes by mistake changes nothing where the database
    can undo it.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    # Without parameters: even with none, a % or a : in the query would mean something.
    options = {"postgresql_readonly": True, "no_parameters": True}
    result = connection.execution_options(**options).exec_driver_sql(query)
    if not result.returns_rows:
        raise UserError(f"{RULE}; got a statement without rows")
    names = list(result.keys())
    rows: list[Any] = []
    size = checked = 0
    while part := result.fetchmany(ROWS):
        rows += part
        size += ROW_OVERHEAD * len(part)
        values = chain.from_iterable(part)
        size += sum(len(value) for value in values if isinstance(value, str | bytes))
        if size >= checked + STEP:
            resources.require_memory(COPIES * size, f"fetch.query: {len(rows):,} rows")
            checked = size
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(pa.array([row[position] for row in rows]))
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise UserError(
                f"fetch.query: column {quote_name(name)} must hold one type; "
                f"{first_line(error)}; cast it in the query"
            ) from error
    return pa.table(columns, names=names)
