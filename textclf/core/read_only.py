"""Queries of users that may only read: one SELECT, and a connection or transaction that refuses everything else."""

import re
from typing import TYPE_CHECKING, Any

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_value

if TYPE_CHECKING:
    import sqlite3

STEPS, STEPS_PER_BYTE = 10**8, 2000  # instructions of SQLite for a query (a second), and more per byte of the database
LOOK = 10**6  # instructions between two counts
ROW_BYTES = 2**26  # of a row with all its columns
SELECT = re.compile(r"(?:\s|--[^\n]*\n|/\*(?!M?!).*?\*/|\()*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
UNCLEAR = re.compile(r"--|/\*|[\\#$`\[]")  # what may begin a comment or change where quotes end, by the database
TO_FILE = re.compile(r"\b(outfile|dumpfile)\b", re.IGNORECASE)  # MySQL writes a file in a read-only transaction, too
TRANSACTIONS = {
    **dict.fromkeys(("mysql", "mariadb"), "START TRANSACTION READ ONLY"),
    **dict.fromkeys(("postgresql", "cockroachdb", "redshift", "oracle"), "SET TRANSACTION READ ONLY"),
}


def require_select(query: str, rule: str) -> None:
    """Raise `UserError`, which begins with the rule, unless a query begins as a SELECT (or WITH, or VALUES)."""
    if not SELECT.match(query):
        raise UserError(f"{rule}; got {quote_value(query)}")


def begin(connection: Any, query: str, rule: str) -> None:
    """Let a connection of SQLAlchemy only read; `UserError` if a query is several statements or writes a file.

    SQLite runs one statement alone. Of other drivers some run several, of which the first could end the transaction.
    A database without read-only transactions, such as SQL Server, is never told to commit.
    """
    if (name := connection.dialect.name) == "sqlite":
        restrict(connection.connection.driver_connection)
        return
    whole = query.rstrip("; \t\r\n")
    if ";" in (whole if UNCLEAR.search(whole) else QUOTED.sub("", whole)):
        raise UserError(f"{rule}; got a semicolon within; keep one statement without comments, with semicolons in ''")
    if match := TO_FILE.search(whole):
        raise UserError(f"{rule}; got {match[0]}, which writes a file; leave it out")
    if name in TRANSACTIONS:
        connection.exec_driver_sql(TRANSACTIONS[name])


def restrict(connection: "sqlite3.Connection", row_bytes: int = ROW_BYTES) -> None:
    """Let a connection to SQLite only read, within a number of instructions that grows with the size of the database.

    SQLite asks before it runs a statement. It denies VACUUM and ATTACH, which write other files, and what changes the
    connection. A view or a recursive query may have no end, even in a small file.
    """
    import sqlite3

    reading = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}

    def authorize(action: int, name: str | None, value: str | None, *_: str | None) -> int:
        full_text_search = action == sqlite3.SQLITE_PRAGMA and name in {"data_version", "page_size"} and value is None
        harmful = action == sqlite3.SQLITE_FUNCTION and value in {"load_extension", "fts3_tokenizer"}
        allowed = (action in reading or full_text_search) and not harmful
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, row_bytes)
    ((pages,),), ((size,),) = connection.execute("PRAGMA page_count"), connection.execute("PRAGMA page_size")
    looks = iter(range((STEPS + STEPS_PER_BYTE * pages * size) // LOOK))
    connection.set_progress_handler(lambda: next(looks, None) is None, LOOK)
    connection.set_authorizer(authorize)


def reason(error: BaseException) -> str:
    """Return why a database refused a query, in the words of its driver or clearer ones."""
    match getattr(error, "sqlite_errorname", None):
        case "SQLITE_AUTH":
            return "got one that does more than read"
        case "SQLITE_INTERRUPT":
            return "got one that takes too many steps for a database of this size"
        case _:
            return first_line(error)
