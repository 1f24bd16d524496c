"""One table from every source: columns beside the text mean the same in training and prediction."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.unit.tables.tables import arrow, excel, parquet, sqlite
from textclf.artifacts.decisions import Decision
from textclf.artifacts.splits import text_rows
from textclf.core.files import COLUMN
from textclf.core.text_row import TextRow
from textclf.fetch.database import query_rows
from textclf.predict import inputs
from textclf.predict.predictor import Predictor
from textclf.serve import Limits, requests
from textclf.tables import corpus
from textclf.tables.layout import Layout
from textclf.tables.settings import Data
from textclf.vectorize.columns.representation import Representation
from textclf.vectorize.columns.settings import Settings

FACTS = Settings(
    numbers=("price", "stock"),
    categories=("paid", "version", "code", "size", "key"),
    dates=("day", "sent"),
)
LATE = datetime(2024, 5, 31, 23, 30, tzinfo=timezone(timedelta(hours=-4)))  # June in UTC
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
LARGE = 2**53 + 1  # which no float is

# Each row twice, since a category needs two rows.
TABLE: dict[str, list[Any]] = {
    "text": [f"text {number}" for number in range(8)],
    "label": ["0", "1"] * 4,
    "price": [12.5, -0.0, None, 1e-7] * 2,
    "stock": [3, None, 40, 3] * 2,
    "paid": [True, False, None, True] * 2,
    "version": ["1.10", "1.1", "", "2"] * 2,
    "code": ["007", "NA", "nan", "A b"] * 2,
    "size": [1, 2, None, 10**15] * 2,
    "key": [LARGE, 0, 3, 4] * 2,
    "day": [date(2024, 5, 31), None, date(2024, 2, 29), date(2023, 1, 1)] * 2,
    "sent": [LATE, None, LATE, NEW_YEAR] * 2,
}
FLOATS = {"price": pa.float64(), "stock": pa.float32(), "size": pa.float64()}


def same(value: Any) -> Any:
    return value


def upper(value: Any) -> Any:
    return str(value).upper() if isinstance(value, bool) else value


def boolean_as_text(value: Any) -> Any:
    """Return a boolean as text, since SQLite has none."""
    return str(value) if isinstance(value, bool) else value


def with_fraction(value: Any) -> Any:
    """Return a whole number as programs write it that keep it as a float."""
    return f"{value}.0" if type(value) is int else value


def as_text(value: Any) -> Any:
    return value if value is None else str(value)


def rows(change: Callable[[Any], Any] = same, number: Any = None) -> list[dict[str, Any]]:
    """Return the rows as records: dates in ISO 8601, and `number` for each missing number."""
    records = []
    for values in zip(*TABLE.values(), strict=True):
        record = dict(zip(TABLE, values, strict=True))
        for name, value in record.items():
            if value is None:
                record[name] = number if name in FACTS.numbers else None
            else:
                record[name] = value.isoformat() if isinstance(value, date) else change(value)
        records.append(record)
    return records


def delimited(records: Sequence[Mapping[str, Any]], delimiter: str = ",") -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, TABLE, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue().encode()


def typed(**changed: pa.Array) -> dict[str, pa.Array]:
    """Return the columns with the types that a database has for them."""
    types = FLOATS | {"sent": pa.timestamp("us", "America/New_York")}
    return {name: pa.array(values, types.get(name)) for name, values in TABLE.items()} | changed


def workbook() -> bytes:
    """Return the table as a workbook: with days but no time zones, no number beyond a float."""
    cells = [[*row.values()] for row in rows()]
    place, key = list(TABLE).index("day"), list(TABLE).index("key")
    for row, day in zip(cells, TABLE["day"], strict=True):
        row[place], row[key] = day, str(row[key])
    return excel(list(TABLE), *cells)


NAN = {name: pa.array(TABLE[name], kind).fill_null(float("nan")) for name, kind in FLOATS.items()}
DECIMALS = [None if price is None else Decimal(str(price)) for price in TABLE["price"]]
FRAME = pd.DataFrame(TABLE)  # numbers are floats where one is missing
SQLITE = sqlite([[*row.values()] for row in rows(boolean_as_text)], ", ".join(TABLE))
FILES = {
    "plain.csv": delimited(rows()),
    "upper.csv": delimited(rows(upper)),
    "fraction.csv": delimited(rows(with_fraction)),
    "nan.csv": delimited(rows(number="nan")),
    "NaN.csv": delimited(rows(number="NaN")),
    "pandas.csv": FRAME.to_csv(index=False).encode(),
    "plain.tsv": delimited(rows(), "\t"),
    "null.json": json.dumps(rows()).encode(),
    "nan.json": json.dumps(rows(number=float("nan"))).encode(),
    "text.json": json.dumps(rows(as_text)).encode(),
    "null.jsonl": "".join(json.dumps(row) + "\n" for row in rows()).encode(),
    "cells.xlsx": workbook(),
    # Of one row each, so that some parts have no missing value.
    "null.parquet": parquet(typed(), row_group_size=1),
    "nan.parquet": parquet(typed(**NAN)),
    "decimal.parquet": parquet(typed(price=pa.array(DECIMALS, pa.decimal128(20, 8)))),
    "pandas.parquet": FRAME.to_parquet(index=False),
    "null.arrow": arrow(typed(), rows=1),
    "rows.db": SQLITE,
}
NULLABLE = FRAME.convert_dtypes()  # whose missing values are pandas.NA
OF_NULLABLE = NULLABLE.itertuples(index=False)
RECORDS = {
    "pandas": FRAME,
    "pandas, types of its own": NULLABLE,
    "pandas, types of Arrow": pa.table(typed()).to_pandas(types_mapper=pd.ArrowDtype),
    "rows of pandas": [dict(zip(NULLABLE, row, strict=True)) for row in OF_NULLABLE],
    "records": rows(),
}


def meant() -> list[str]:
    """Return the rows with each value in one form."""
    instants = [time and time.astimezone(UTC).isoformat() for time in TABLE["sent"]]
    booleans = [as_text(paid) and str(paid).lower() for paid in TABLE["paid"]]
    columns = TABLE | {"sent": instants, "paid": booleans}
    texts: list[str] = []
    for place, text in enumerate(TABLE["text"]):
        values = {name: columns[name][place] for name in FACTS.names}
        cells = {name: "" if value is None else str(value) for name, value in values.items()}
        texts.append(TextRow(text, cells))
    return texts


FITTED = Representation.fit(meant(), FACTS)


def features(texts: Sequence[str]) -> tuple[dict[str, Any], list[Any]]:
    """Return what is learned of rows, and their features."""
    return Representation.fit(texts, FACTS).to_json(), FITTED.transform(texts).tolist()


def from_records(records: Any) -> list[str]:
    return Predictor(FITTED, None, Decision(0.5)).rows(records)


def test_the_table_has_each_kind_of_value() -> None:
    terms = FITTED.terms()
    assert {"price", "price=missing", "stock=missing", "paid=true", "paid=false"} < set(terms)
    assert {"version=1.1", "version=1.10", "code=007", "code=NA", "code=nan"} < set(terms)
    assert {"size=1", "size=1000000000000000", f"key={LARGE}"} < set(terms)
    assert {"sent month=6", "sent weekday=Saturday", "sent hour=3", "day month=5"} < set(terms)


@pytest.mark.parametrize("name", FILES)
def test_values_of_every_file_mean_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    data = Data(path="unused", columns=FACTS.names)
    trained = text_rows(corpus.read(tmp_path / name, data).table)
    layout = Layout({"text": "text"} | {COLUMN + column: column for column in FACTS.names})
    batches = inputs.read_table(tmp_path / name, layout)
    predicted = [text for batch in batches for text in batch.texts]
    assert features(trained) == features(predicted) == features(meant())


@pytest.mark.parametrize("name", RECORDS)
def test_values_of_data_frames_and_records_mean_the_same(name: str) -> None:
    assert features(from_records(RECORDS[name])) == features(meant())


def test_values_of_a_request_mean_the_same() -> None:
    records = [{name: row[name] for name in ("text", *FACTS.names)} for row in rows()]
    body = json.dumps({"texts": records}).encode()
    wanted = requests.parse(body, Limits(), {"m"}, len(FACTS.names))
    assert features(from_records(wanted.texts)) == features(meant())


def test_values_of_a_database_mean_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "rows.db").write_bytes(SQLITE)
    monkeypatch.setenv("ROWS", f"sqlite:///{tmp_path}/rows.db")
    (tmp_path / "query.parquet").write_bytes(query_rows("ROWS", "SELECT * FROM rows")[0])
    table = corpus.read(tmp_path / "query.parquet", Data(path="unused", columns=FACTS.names)).table
    assert features(text_rows(table)) == features(meant())
