"""Rows of a database: what a query gives, by SQLAlchemy, as a Parquet file that later runs keep."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.core import parquet
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import first_line, quote_name

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "query.parquet"  # in data/raw
EXAMPLE = "postgresql+psycopg://user:password@host/database"
DATABASE, QUERY = b"textclf.database", b"textclf.query"  # keys of the file's metadata: the settings that made it


def fetch_query(database: str, query: str, folder: Path, report: Callable[[str], object]) -> dict[str, bytes]:
    """Return the file of a query's rows by its name: the one that is in the folder already, or a new one.

    A database changes while the settings stay, so its rows are read once and kept, as a published corpus is.
    """
    path = folder / FILE
    if is_kept(path, database, query):
        report(f"{FILE}: kept the rows of an earlier run; to query again, remove {path} and force this stage")
        return {FILE: path.read_bytes()}
    content, count = query_rows(database, query)
    report(f"{FILE}: {count_noun(count, 'row')} from the database of {database}")
    return {FILE: content}


def is_kept(path: Path, database: str, query: str) -> bool:
    """Return whether a file has the rows of this query, read by an earlier run."""
    try:
        with parquet.open_file(path) as file:
            metadata = file.schema_arrow.metadata or {}
    except (OSError, ValueError):  # pyarrow's errors are of this kind
        return False
    return (metadata.get(DATABASE), metadata.get(QUERY)) == (database.encode(), query.encode())


def query_rows(database: str, query: str) -> tuple[bytes, int]:
    """Return the rows of a query as Parquet, and their number; `database` is the variable that holds the URL.

    Raises `UserError` if the variable is not set or holds no URL, or if the database refuses the query.
    """
    where = f"fetch.database ({database})"
    url = os.environ.get(database, "")
    if not url:
        raise UserError(f"{where} must be an environment variable with a URL such as {EXAMPLE}; got nothing; export it")
    import sqlalchemy

    try:
        parsed = sqlalchemy.make_url(url)
        engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.NullPool)
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise UserError(f"{where} must be of a database that SQLAlchemy knows; {first_line(error)}") from error
    except ModuleNotFoundError as error:
        raise UserError(f"{where} needs the driver {error.name}; install it with pip") from error
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:  # not quoted, since it may contain the password
        raise UserError(f"{where} must hold a URL such as {EXAMPLE}; got something else") from error
    try:
        table = _read(engine, query)
    except sqlalchemy.exc.SQLAlchemyError as error:
        message = str(getattr(error, "orig", None) or error)
        if parsed.password:
            message = message.replace(parsed.password, "***")
        connected = getattr(error, "statement", None) is not None
        rule = "fetch.query must be a SELECT that it runs" if connected else f"{where} must lead to a database"
        raise UserError(f"{rule}; {first_line(message)}") from error
    stream = io.BytesIO()
    _write(table, stream, {DATABASE: database.encode(), QUERY: query.encode()})
    return stream.getvalue(), table.num_rows


def _read(engine: Any, query: str) -> "pa.Table":
    """Return the rows of a query; `UserError` if it is no SELECT, or a column holds values of several types."""
    import pyarrow as pa

    with engine.connect() as connection:
        # As it is: with parameters, even none, a % or a : in the query would mean something.
        result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
        if not result.returns_rows:
            raise UserError("fetch.query must be a SELECT; got a statement without rows")
        names = list(result.keys())
        rows = result.fetchall()
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(pa.array([row[position] for row in rows]))
        except (pa.ArrowException, TypeError, OverflowError) as error:
            advice = "cast it in the query"
            got = first_line(error)
            raise UserError(f"fetch.query: column {quote_name(name)} must hold one type; {got}; {advice}") from error
    return pa.table(columns, names=names)


def _write(table: "pa.Table", stream: io.BytesIO, metadata: dict[bytes, bytes]) -> None:
    writer = parquet.Writer(stream, table.schema.with_metadata(metadata))
    writer.write_table(table.replace_schema_metadata(metadata))
    writer.close()
