"""Statements that do more than read, through every place that runs a user's SQL: one line, and no byte changes."""

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.tables.tables import frame_of
from textclf.core.errors import UserError
from textclf.fetch import database
from textclf.predict import inputs
from textclf.tables import corpus
from textclf.tables.layout import Layout
from textclf.tables.settings import Data

VARIABLE = "REVIEWS_URL"
SCHEMA = """
CREATE TABLE reviews (text TEXT, label INTEGER);
INSERT INTO reviews VALUES ('good', 1), ('bad', 0), ('so; so', 1);
CREATE VIRTUAL TABLE found USING fts5(text, label);
INSERT INTO found VALUES ('very good', 1), ('very bad', 0);
"""
SELECT = "SELECT text, label FROM reviews"
BEYOND = "got one that does more than read"
HOSTILE = {
    "/**/" * 40 + "x": "got '/**/",  # each comment must be tried once only
    "DROP TABLE reviews": "got 'DROP TABLE reviews'",
    "DELETE FROM reviews": "got 'DELETE FROM reviews'",
    "DELETE FROM reviews RETURNING text, label": "got 'DELETE FROM reviews RETURNING text, lab…'",
    "INSERT INTO reviews VALUES ('a', 1) RETURNING *": "got ",
    "-- a comment\nUPDATE reviews SET label = 0": "got ",
    "/* SELECT */ DROP TABLE reviews": "got '/* SELECT */ DROP TABLE reviews'",
    "REPLACE INTO reviews VALUES ('a', 1)": "got ",
    "ALTER TABLE reviews RENAME TO others": "got ",
    "CREATE TABLE copy AS SELECT * FROM reviews": "got ",
    "CREATE TEMP TABLE copy AS SELECT * FROM reviews": "got ",
    "CREATE VIRTUAL TABLE more USING fts5(a)": "got ",
    "ATTACH 'other.db' AS other": "got ",
    "VACUUM": "got 'VACUUM'",
    "VACUUM INTO 'other.db'": "got ",
    "EXPLAIN VACUUM INTO 'other.db'": "got ",
    "PRAGMA writable_schema = ON": "got ",
    "PRAGMA journal_mode = DELETE": "got ",
    "BEGIN EXCLUSIVE": "got ",
    "COMMIT": "got ",
    "REINDEX": "got ",
    "ANALYZE": "got ",
    " ": "got ' '",
    ";": "got ';'",
    "WITH kept AS (SELECT 1) DELETE FROM reviews": BEYOND,
    "WITH more AS (SELECT 'a', 1) INSERT INTO reviews SELECT * FROM more": BEYOND,
    "SELECT text, label FROM reviews, pragma_journal_mode": BEYOND,
    "SELECT fts3_tokenizer('simple') AS text, 1 AS label": "not authorized to use function: fts3_tokenizer",
    "SELECT load_extension('other.so') AS text, 1 AS label": "not authorized to use function: load_extension",
    f"{SELECT}; DROP TABLE reviews": "You can only execute one statement at a time",
}
READS = {
    f" \n-- a comment\n/* and; another */ {SELECT};": 3,
    "WITH r AS (SELECT * FROM reviews) SELECT text, label FROM r ORDER BY text": 3,
    "WITH RECURSIVE n(x) AS (VALUES (1) UNION SELECT x + 1 FROM n WHERE x < 9) SELECT text, label FROM reviews, n": 27,
    "SELECT text, label FROM reviews WHERE text = 'so; so' OR label = 0": 2,
    "SELECT column1 AS text, column2 AS label FROM (VALUES ('a', 0), ('b', 1))": 2,
    "SELECT text, label FROM found WHERE found MATCH 'very'": 2,
}
Reader = Callable[[Path, str], int]


def count_fetched(_: Path, query: str) -> int:
    return database.query_rows(VARIABLE, query)[1]


def count_split(path: Path, query: str) -> int:
    return len(frame_of(corpus.read(path, Data(path=str(path), query=query))))


def count_predicted(path: Path, query: str) -> int:
    layout = Layout({"text": "text"}, query=query, option="--")
    return sum(len(batch.texts) for batch in inputs.read_table(path, layout))


READERS: dict[str, tuple[Reader, str]] = {
    "fetch.query": (count_fetched, "fetch.query must be a SELECT"),
    "data.query": (count_split, "{path}: data.query must be a SELECT on its tables ("),
    "--query": (count_predicted, "{path}: --query must be a SELECT on its tables ("),
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a database, alone in the current folder."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("reviews.db")) as connection:
        connection.executescript(SCHEMA)
    monkeypatch.setenv(VARIABLE, "sqlite:///reviews.db")
    return Path("reviews.db")


@pytest.mark.parametrize(("query", "reader"), [*zip(HOSTILE, itertools.cycle(READERS), strict=False)])
def test_a_statement_that_does_more_than_read_is_refused(path: Path, query: str, reader: str) -> None:
    count, rule = READERS[reader]
    before = path.read_bytes()
    with pytest.raises(UserError) as error:
        count(path, query)
    (line,) = error.value.lines
    assert line.startswith(rule.format(path=path))
    assert HOSTILE[query] in line
    assert path.read_bytes() == before
    assert list(Path().iterdir()) == [path]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("query", READS)
def test_a_query_that_reads_gives_its_rows(path: Path, query: str, reader: str) -> None:
    before = path.read_bytes()
    assert READERS[reader][0](path, query) == READS[query]
    assert path.read_bytes() == before
    assert list(Path().iterdir()) == [path]
