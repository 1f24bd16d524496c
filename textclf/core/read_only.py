"""Queries of users that may only read: one SELECT, and a connection or transaction that refuses everything else."""

import re
import sqlite3
from typing import Any

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_value

ROW_BYTES = 2**26  # of a row with all its columns
SELECT = re.compile(r"(?:\s|--[^\n]*\n|(?>/\*(?!M?!).*?\*/)|\()*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
UNCLEAR = re.compile(r"--|/\*|[\\#$`\[]")  # what may begin a comment or change where quotes end, by the database
TO_FILE = re.compile(r"\b(outfile|dumpfile)\b", re.IGNORECASE)  # MySQL writes a file in a read-only transaction, too
# Words of statements that write: forbidden where there are no read-only transactions, as in SQL Server, which takes
# several statements without a semicolon between them.
WRITING = re.compile(
    r"\b(alter|commit|create|delete|drop|exec|execute|grant|insert|into|merge|truncate|update)\b", re.IGNORECASE
)
MYSQL = ("mysql", "mariadb")
TRANSACTIONS = {
    **dict.fromkeys(MYSQL, "START TRANSACTION READ ONLY"),
    **dict.fromkeys(("postgresql", "cockroachdb", "redshift", "oracle"), "SET TRANSACTION READ ONLY"),
}


def require_select(query: str, rule: str) -> None:
    """Raise `UserError`, which begins with the rule, unless a query begins as a SELECT (or WITH, or VALUES)."""
    if not SELECT.match(query):
        raise UserError(f"{rule}; got {quote_value(query)}")


def begin(connection: Any, query: str, rule: str) -> None:
    """Make a connection of SQLAlchemy read-only; `UserError` if a query is several statements or writes a file.

    SQLite runs one statement alone. Of other drivers some run several, of which the first could end the transaction.
    """
    if (name := connection.dialect.name) == "sqlite":
        restrict(connection.connection.driver_connection)
        return
    whole = query.rstrip("; \t\r\n")
    outside = whole if UNCLEAR.search(whole) else QUOTED.sub("", whole)  # of quotes
    if ";" in outside:
        raise UserError(f"{rule}; got a semicolon within; keep one statement without comments, with semicolons in ''")
    forbidden = TO_FILE if name in MYSQL else None if name in TRANSACTIONS else WRITING
    if forbidden and (match := forbidden.search(outside)):
        raise UserError(
            f"{rule}; got {match[0]}, which may write; leave it out, or put quotes around it if it is a name"
        )
    if name in TRANSACTIONS:
        connection.exec_driver_sql(TRANSACTIONS[name])


def restrict(connection: sqlite3.Connection, row_bytes: int = ROW_BYTES) -> None:
    """Make a connection to SQLite read-only.

    SQLite asks before it runs a statement. It denies VACUUM and ATTACH, which write other files, and what changes the
    connection.
    """
    reading = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}

    def authorize(action: int, name: str | None, value: str | None, *_: str | None) -> int:
        full_text_search = action == sqlite3.SQLITE_PRAGMA and name in {"data_version", "page_size"} and value is None
        harmful = action == sqlite3.SQLITE_FUNCTION and value in {"load_extension", "fts3_tokenizer"}
        allowed = (action in reading or full_text_search) and not harmful
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, row_bytes)
    connection.set_authorizer(authorize)


def reason(error: BaseException) -> str:
    """Return why a database refused a query, in the words of its driver or clearer ones."""
    is_denied = getattr(error, "sqlite_errorname", None) == "SQLITE_AUTH"
    return "got one that does more than read" if is_denied else first_line(error)
