"""Predictions made elsewhere, such as by a hosted model, a language model or rules."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from textclf.artifacts.predictions import PREFIX
from textclf.core.display import list_in
from textclf.core.errors import UserError
from textclf.core.files import whole_file
from textclf.core.quoting import list_names, quote_value

TOLERANCE = 0.01 + 1e-9  # by which rounded probabilities of a row may miss a sum of 1
SHOWN = 3  # ids or columns in an error
TEXT = ("id", "label")  # columns that are read as text
MOST_CHARACTERS = 2**26  # of a field of CSV; that of a quote that is never closed has more


@dataclass(frozen=True)
class External:
    """Predictions of a file."""

    path: Path
    ids: pd.Index  # (rows,), unique
    # (rows, classes); each row sums to 1, unless texts have several labels.
    probabilities: NDArray[np.float64]
    labels_only: bool  # whether the file has labels, so that each probability is 0 or 1
    classes: tuple[str, ...]


def read(path: Path, classes: Sequence[str] | None, multilabel: bool = False) -> External:
    """Return the predictions in a CSV or Parquet file with the column `id`.

    The columns `probability_<class>` have the probabilities, one for each class; without such
    columns, `label` has the class, which gets probability 1. If a text has several labels, `label`
    has a list of them, in CSV as JSON. Other columns are ignored. Without `classes`, they are those
    of the file. Raises `UserError` for anything else.
    """
    rows = _read_table(path)
    repeated = rows["id"][rows["id"].duplicated()]
    if len(repeated):
        raise UserError(f"{path} must have one row per id; repeated are {few(repeated.unique())}")
    columns = [name for name in map(str, rows) if name.startswith(PREFIX)]
    if classes is None:
        named = [name.removeprefix(PREFIX) for name in columns]
        classes = named or sorted(set(rows.get("label", ())))
    if columns:
        probabilities = _probabilities(path, rows, columns, [f"{PREFIX}{name}" for name in classes])
        if not multilabel:
            probabilities = _shares(path, rows, probabilities)
    elif "label" in rows:
        probabilities = _certain(path, rows, classes, multilabel)
    else:
        raise UserError(
            f"{path} must have a column {PREFIX}<class> for each class, or a column label"
        )
    return External(path, pd.Index(rows["id"]), probabilities, not columns, tuple(classes))


def _read_table(path: Path) -> pd.DataFrame:
    """Return the columns of a file that matter: `TEXT` as text, lists of Parquet as JSON."""
    if path.suffix == ".csv":
        with whole_file(path, "CSV"), path.open(encoding="utf-8-sig", newline="") as file:
            return _read_csv(path, csv.reader(file, strict=True))
    if path.suffix != ".parquet":
        raise UserError(f"{path} must be a file that ends in .csv or .parquet")
    with whole_file(path, "Parquet"), pq.ParquetFile(path) as opened:
        table = opened.read(_choose_columns(path, opened.schema_arrow.names))
        # What pandas says of the table may be damaged, or make an index of the ids.
        rows: pd.DataFrame = table.replace_schema_metadata().to_pandas()
        for name in set(TEXT) & set(table.column_names):
            if pa.types.is_list(table.schema.field(name).type):
                lists = table[name].to_pylist()
                rows[name] = [json.dumps(value, ensure_ascii=False) for value in lists]
            else:
                rows[name] = table[name].cast(pa.string()).fill_null("").to_numpy()
        return rows


def _read_csv(path: Path, reader: Any) -> pd.DataFrame:
    """Return the columns of a CSV file that matter, as text.

    Raises `UserError` at a row of another width than the header.
    """
    csv.field_size_limit(MOST_CHARACTERS)
    header: list[str] = next(reader, [])
    columns: dict[str, list[str]] = {name: [] for name in _choose_columns(path, header)}
    positions = [header.index(name) for name in columns]
    line = reader.line_num + 1  # on which the next row begins
    for fields in reader:
        if fields and len(fields) != len(header):
            raise UserError(
                f"{path}:{line}: must have {len(header)} fields, as the header has; "
                f"got {len(fields)}; put quotes around a field that contains a comma"
            )
        if fields:
            for position, values in zip(positions, columns.values(), strict=True):
                values.append(fields[position])
        line = reader.line_num + 1
    return pd.DataFrame(columns, dtype=object)


def _choose_columns(path: Path, names: Sequence[str]) -> list[str]:
    """Return the columns that matter; `UserError` if there is no id, or if one is repeated."""
    if "id" not in names:
        raise UserError(
            f"{path} must have a column id with the ids of the rows; "
            f"got {list_names(names) or 'no columns'}"
        )
    wanted = [name for name in names if name in TEXT or name.startswith(PREFIX)]
    if repeated := [name for name in dict.fromkeys(wanted) if wanted.count(name) > 1]:
        raise UserError(f"{path} must have each column once; repeated are {list_names(repeated)}")
    return wanted


def few(names: Iterable[str]) -> str:
    """Return the first of these names, for an error."""
    names = list(names)
    return list_names(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _probabilities(
    path: Path, rows: pd.DataFrame, given: list[str], wanted: list[str]
) -> NDArray[np.float64]:
    if set(given) != set(wanted):
        raise UserError(
            f"{path} must have the columns {', '.join(wanted)}, one for each class; "
            f"got {list_names(given)}"
        )
    numbers = rows[wanted].apply(pd.to_numeric, errors="coerce")
    values: NDArray[np.float64] = numbers.to_numpy(np.float64)
    wrong = np.argwhere(~((values >= 0) & (values <= 1)))
    if len(wrong):
        row, column = wrong[0]
        name, cell = rows["id"].iloc[row], rows[wanted[column]].iloc[row]
        raise UserError(
            f"{path}: {wanted[column]} of id {quote_value(name)} must be a number from 0 to 1; "
            f"got {quote_value(cell)}"
        )
    return values


def _shares(path: Path, rows: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = values.sum(axis=1, keepdims=True)
    off = np.flatnonzero(np.abs(sums - 1) > TOLERANCE)
    if len(off):
        shown = quote_value(rows["id"].iloc[off[0]])
        raise UserError(
            f"{path}: the probabilities of id {shown} must sum to 1; got {sums[off[0], 0]:.6g}"
        )
    return np.asarray(values / sums)


def _certain(
    path: Path, rows: pd.DataFrame, classes: Sequence[str], multilabel: bool
) -> NDArray[np.float64]:
    given = rows[["id", "label"]]
    if multilabel:
        labels = [
            _labels(path, name, value)
            for name, value in zip(rows["id"], rows["label"], strict=True)
        ]
        given = given.assign(label=pd.Series(labels, dtype=object))
        given = given[given["label"].str.len() > 0].explode("label")
    positions = pd.Index(classes).get_indexer(pd.Index(given["label"]))
    wrong = np.flatnonzero(positions < 0)
    if len(wrong):
        name, label = given["id"].iloc[wrong[0]], given["label"].iloc[wrong[0]]
        raise UserError(
            f"{path}: label of id {quote_value(name)} must be one of {list_names(classes)}; "
            f"got {quote_value(label)}"
        )
    certain = np.zeros((len(rows), len(classes)))
    certain[given.index, positions] = 1
    return certain


def _labels(path: Path, name: str, value: str) -> list[str]:
    """Return the labels in a list in JSON or as pandas writes it; `UserError` for anything else."""
    labels = list_in(value)
    if labels is not None and all(isinstance(label, str | int) for label in labels):
        return list(map(str, labels))
    rule = 'a list of labels, in CSV as JSON such as ["a", "b"] or []'
    raise UserError(
        f"{path}: label of id {quote_value(name)} must be {rule}; got {quote_value(value)}"
    )
