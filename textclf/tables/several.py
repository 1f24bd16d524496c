"""Several labels of a text, as tables write them: in one cell, as a list, or in a column of 0 and 1 for each label."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from textclf.core.arrow import as_array, encode, flat, rows_of
from textclf.core.quoting import quote_name, quote_value
from textclf.tables.layout import Record
from textclf.tables.values import label_of

LABELS = pa.list_(pa.string())
FLAGS = {"0": False, "false": False, "1": True, "true": True}
JOINT = "\x1f"  # between the values of several columns of a row


def flagged(record: Record, columns: Sequence[str]) -> list[str]:
    """Return the columns of a row that are 1 or true, sorted; `ValueError` unless the others are 0 or false."""
    labels = []
    for column in columns:
        value = (label_of(record, column) or "").strip().lower()
        if value not in FLAGS:
            rule = "must be 0 or 1 (or false or true), as a column of data.label"
            raise ValueError(f"{quote_name(column)} {rule}; got {quote_value(record.get(column))}; correct it")
        labels += [column] * FLAGS[value]
    return sorted(labels)


def labels_in(value: object, column: str, separator: str | None, single: bool) -> list[str]:
    """Return the labels in a cell, stripped, sorted and distinct; none if it is empty.

    The cell is a list, JSON text of one, or labels with the separator between them; without one it may hold a `single`
    label. Raises `ValueError` for anything else.
    """
    parts = value if isinstance(value, list) else _json_list(value)
    if parts is None:
        text = label_of({column: value}, column) or ""
        if separator is None and text.strip() and (not single or text.lstrip().startswith("[")):
            rule = 'must be a JSON list, such as ["a", "b"]'
            raise ValueError(f"{quote_name(column)} {rule}; got {quote_value(text)}; or set data.label_separator")
        parts = [text] if separator is None else text.split(separator)
    labels = [(label_of({column: part}, column) or "").strip() for part in parts]
    return sorted({label for label in labels if label})


def _json_list(value: object) -> list[object] | None:
    """Return the list whose JSON a value is, or None."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return None
    try:
        found: list[object] = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found


def written_list(value: object) -> object:
    """Return a list as JSON text; any other value as it is."""
    return json.dumps(value, default=str) if isinstance(value, list) else value


def unite(table: pa.Table) -> pa.Table:
    """Return the first row of each id, with the labels of all rows of that id."""
    rows, labels = encode(as_array(table["id"]))[0], as_array(table["label"])
    pairs = pd.DataFrame({"row": rows[rows_of(labels)], "label": flat(labels).to_pylist()})
    pairs = pairs.drop_duplicates().sort_values(["row", "label"])
    first = np.unique(rows, return_index=True)[1]
    offsets = np.searchsorted(pairs["row"], np.arange(len(first) + 1))
    united = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(pairs["label"].tolist(), pa.string()))
    return table.take(first).set_column(table.column_names.index("label"), "label", united)
