"""Rows of a database, tested with a file of SQLite that SQLAlchemy opens by its URL."""

import datetime as dt
import decimal
import io
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy

from stages import fetch
from tests import approved
from tests.refusal import refusal
from tests.unit.fetch.stage import run_fetch
from textclf.core import resources
from textclf.fetch import database
from textclf.fetch.settings import Fetch
from textclf.tables import corpus
from textclf.tables.settings import Data

VARIABLE = "HELP_DESK_URL"
QUERY = "SELECT id, message AS text, team AS label FROM tickets ORDER BY id"
ROWS = [
    (1, "100% lost: one :parcel", "shipping"),
    (2, "Überweisung\nfehlt", "billing"),
    (3, " x ", "billing"),
]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a database of three tickets, to which the variable is set."""
    with closing(sqlite3.connect(tmp_path / "help.db")) as connection:
        connection.execute("CREATE TABLE tickets (id INTEGER, message TEXT, team TEXT)")
        connection.executemany("INSERT INTO tickets VALUES (?, ?, ?)", ROWS)
        connection.commit()
    address = f"sqlite:///{tmp_path}/help.db"
    monkeypatch.setenv(VARIABLE, address)
    return address


def execute(address: str, statement: str) -> None:
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement)
        connection.commit()


def query(text: str = QUERY) -> pa.Table:
    return pq.read_table(io.BytesIO(database.query_rows(VARIABLE, text)[0]))


def refused(text: str = QUERY) -> str:
    """Return the error of a query, which never shows the password `secret`."""
    line = refusal(database.query_rows, VARIABLE, text)
    assert "secret" not in line
    return line


# The rows


@pytest.mark.usefixtures("url")
def test_the_rows_of_a_query_are_those_that_split_reads(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    run_fetch(Fetch(database=VARIABLE, query=QUERY), str(raw), raw)
    got = corpus.read(raw, Data(path="data/raw", id="id"))
    assert [path.name for path in raw.iterdir()] == ["query.parquet"]
    assert [[*row.values()] for row in got.table.to_pylist()] == [
        [str(number), *row] for number, *row in ROWS
    ]


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "SELECT message FROM tickets WHERE message LIKE '100% lost: one :p%'",
            {"message": [ROWS[0][1]]},
        ),
        ("SELECT message, team FROM tickets WHERE id > 9", {"message": [], "team": []}),
    ],
)
def test_the_query_reaches_the_database_as_it_is(text: str, rows: dict[str, list[str]]) -> None:
    assert query(text).to_pydict() == rows
    assert database.query_rows(VARIABLE, text) == database.query_rows(VARIABLE, text)


class Server:
    """A fake of SQLAlchemy's engine for a server, which records the statements sent to it."""

    def __init__(self, dialect: str, values: dict[str, object]) -> None:
        self.dialect = SimpleNamespace(name=dialect)
        self.values = values
        self.sent: list[str] = []
        self.parts = [[tuple(values.values())], []]
        self.returns_rows = True

    def connect(self) -> "Server":
        return self

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execution_options(self, **options: bool) -> "Server":
        self.options = options
        return self

    def exec_driver_sql(self, statement: str) -> "Server":
        self.sent.append(statement)
        return self

    def keys(self) -> list[str]:
        return list(self.values)

    def fetchmany(self, _: int) -> list[tuple[object, ...]]:
        return self.parts.pop(0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """Return a function that lets the variable lead to a fake server of a dialect."""

    def start(dialect: str, values: dict[str, object]) -> Server:
        fake = Server(dialect, values)
        monkeypatch.setenv(VARIABLE, f"{dialect}://reader@host/help")
        monkeypatch.setattr(sqlalchemy, "create_engine", lambda *_, **__: fake)
        return fake

    return start


def test_values_keep_their_types(server: Callable[..., Server]) -> None:
    values = {
        "n": 1,
        "flag": True,
        "price": decimal.Decimal("1.50"),
        "day": dt.date(2020, 1, 1),
        "none": None,
    }
    server("postgresql", values)
    assert query().to_pylist() == [values]


def test_after_a_statement_that_was_to_write_nothing_is_changed_or_locked(url: str) -> None:
    for text in (
        "DELETE FROM tickets",
        "DROP TABLE tickets",
        "SELECT id FROM tickets; DELETE FROM tickets",
        "BEGIN",
    ):
        refused(text)
    execute(url, "DELETE FROM tickets WHERE id = 1")
    assert query()["id"].to_pylist() == [2, 3]


def test_a_server_is_asked_for_a_read_only_transaction_that_is_never_committed(
    server: Callable[..., Server],
) -> None:
    fake = server("postgresql", {"n": 1})
    assert query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    assert fake.sent == ["SELECT 1 AS n"]
    assert fake.options == {"postgresql_readonly": True, "no_parameters": True}
    fake = server("mysql", {"n": 1})
    fake.returns_rows = False
    assert (
        refused("DELETE FROM tickets")
        == "fetch.query must be a SELECT; got a statement without rows"
    )


# What is kept


def test_rows_are_kept_until_query_or_file_change(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"

    def ids(text: str = QUERY) -> tuple[list[int], str]:
        run_fetch(Fetch(database=VARIABLE, query=text), str(raw), raw)
        return pq.read_table(raw / "query.parquet")["id"].to_pylist(), capsys.readouterr().out

    assert ids() == ([1, 2, 3], "query.parquet: 3 rows from the database of HELP_DESK_URL\n")
    execute(url, "DELETE FROM tickets WHERE id = 2")
    kept = (
        f"the rows of an earlier run; to query again, remove {raw / 'query.parquet'} and force "
        "this stage"
    )
    assert ids() == ([1, 2, 3], f"query.parquet: kept {kept}\n")
    assert ids(f"{QUERY} DESC")[0] == [3, 1]
    (raw / "query.parquet").unlink()
    assert ids()[0] == [1, 3]
    (raw / "query.parquet").write_bytes(b"damaged")
    assert ids()[0] == [1, 3]


def test_kept_rows_need_no_database(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Fetch(database=VARIABLE, query=QUERY)
    run_fetch(settings, str(tmp_path / "raw"), tmp_path / "raw")
    content = (tmp_path / "raw" / "query.parquet").read_bytes()
    assert url.encode() not in content
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    run_fetch(settings, str(tmp_path / "raw"), tmp_path / "raw")
    assert (tmp_path / "raw" / "query.parquet").read_bytes() == content


def test_a_table_of_your_own_asks_no_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.csv").touch()
    run_fetch(Fetch(database=VARIABLE, query=QUERY), str(tmp_path / "own.csv"), tmp_path / "raw")
    assert [file.name for file in (tmp_path / "raw").iterdir()] == [fetch.NOTE]
    assert capsys.readouterr().out == f"nothing to fetch: data.path is {tmp_path / 'own.csv'}\n"


# Errors


@pytest.mark.parametrize(
    ("name", "got"), [("none.db", "got no file {path}"), ("text.db", "file is not a database")]
)
def test_a_file_that_is_no_database_is_refused_and_none_is_made(
    name: str, got: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.db").write_text("a text, " * 999)
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/{name}")
    assert refused().endswith(got.format(path=tmp_path / name))
    assert [file.name for file in tmp_path.iterdir()] == ["text.db"]


def test_rows_beyond_the_memory_are_refused(
    server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = server("postgresql", {"text": "x" * 10**6})
    fake.parts = [fake.parts[0] * 10] * 99
    monkeypatch.setattr(resources, "available_memory", lambda: 50_000_000)
    line = "fetch.query: 20 rows needs about 60 MB of memory; 50 MB is available; "
    assert refused().startswith(line)


def test_urls_and_queries_are_refused_with_the_approved_line(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(case: str) -> list[str]:
        """Return what is said of a URL, or of a query to the database of tickets."""
        kind, _, text = case.partition(":")
        monkeypatch.setenv(VARIABLE, text.strip() if kind == "url" else url)
        return [refused(text.strip() if kind == "query" else QUERY)]

    approved.check_cases(Path(__file__).with_name("refused.txt"), say)


def test_a_password_in_the_message_of_a_driver_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        def connect(self) -> Any:
            raise sqlalchemy.exc.OperationalError(
                None, None, Exception("no login for reader:secret at host")
            )

    monkeypatch.setenv(VARIABLE, "postgresql://reader:secret@host/help")
    monkeypatch.setattr(sqlalchemy, "create_engine", lambda *_, **__: Engine())
    line = refused()
    assert (
        line
        == "fetch.database (HELP_DESK_URL) must lead to a database; no login for reader:*** at host"
    )
