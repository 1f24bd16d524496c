"""Several labels of a text: in one cell, as a list, or in a column of 0 and 1 for each label."""

import json
from collections import Counter
from collections.abc import Sequence, Set

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core.arrow import array_of_numbers, as_array, encode, flat, rows_of
from textclf.core.display import list_in
from textclf.core.quoting import quote_name, quote_value
from textclf.tables.layout import Record
from textclf.tables.values import SEPARATORS, label_of

LABELS = pa.list_(pa.string())
ROWS_PER_LABEL = 2  # mean number of rows of each part of cells that are several labels, at least
FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
JOINT = "\x1f"  # between the values of several columns of a row


def flagged(record: Record, columns: Sequence[str]) -> list[str]:
    """Return the columns of a row that are 1 or true, sorted; the others must be 0 or false.

    Raises `ValueError` for other values.
    """
    labels = []
    for column in columns:
        value = (label_of(record, column) or "").strip().lower()
        if value not in FLAGS:
            rule = "must be 0 or 1 (or false or true), as a column of data.label"
            raise ValueError(
                f"{quote_name(column)} {rule}; got {quote_value(record.get(column))}; correct it"
            )
        if FLAGS[value]:
            labels.append(column)
    return sorted(labels)


def labels_in(value: object, column: str, separator: str | None, single: bool) -> list[str]:
    """Return the labels in a cell, stripped, sorted and distinct; none if it is empty.

    The cell is a list, JSON text of one, or labels with the separator between them; without one it
    may hold a `single` label. Raises `ValueError` for anything else.
    """
    parts = value if isinstance(value, list) else list_in(value)
    if parts is None:
        text = label_of({column: value}, column) or ""
        if separator is None and text.strip() and (not single or text.lstrip().startswith("[")):
            rule = 'must be a JSON list, such as ["a", "b"]'
            raise ValueError(
                f"{quote_name(column)} {rule}; got {quote_value(text)}; or set data.label_separator"
            )
        parts = [text] if separator is None else text.split(separator)
    labels = [(label_of({column: part}, column) or "").strip() for part in parts]
    return sorted({label for label in labels if label})


def only_value(value: object) -> object:
    """Return the value of a list of one, None for an empty list; any other value as it is."""
    return next(iter(value), None) if isinstance(value, list) and len(value) < 2 else value


def written_list(value: object) -> object:
    """Return a list as JSON text; any other value as it is."""
    return json.dumps(value, default=str) if isinstance(value, list) else value


def form_of(cells: Set[str], rows: int) -> str:
    """Return how the cells of a column hold several labels each.

    This is `[` for lists, `01`, a separator, or "" if they do not. A character is a separator if
    the parts of a cell are also cells of their own, or stand in several cells; parts that are in
    every cell are left aside. As labels repeat, `rows`, those with a value, must be many.
    """
    if not cells or {cell.lower() for cell in cells} <= FLAGS.keys():
        return "01" if cells else ""
    lists = [list_in(cell) for cell in cells]
    are_lists = all(
        parts is not None and all(isinstance(part, str | int) for part in parts) for parts in lists
    )
    if are_lists:
        forms = {"[": [[str(part) for part in parts or []] for parts in lists]}
    else:
        forms = {mark: [cell.split(mark) for cell in cells] for mark in SEPARATORS}
    for form, divided in forms.items():
        sets = [{part.strip() for part in parts} - {""} for parts in divided]
        shared = set.intersection(*sets)
        own = [labels - shared for labels in sets]
        alone = {label for labels in own for label in labels if len(labels) == 1}
        several = [labels for labels in own if len(labels) > 1]
        counts = Counter(label for labels in own for label in labels)
        repeated = min((counts[label] for labels in several for label in labels), default=0) > 1
        combines = form == "[" or repeated or any(alone >= labels for labels in several)
        if combines and len(shared.union(*own)) * ROWS_PER_LABEL <= rows:
            return form
    return ""


def unite(table: pa.Table) -> pa.Table:
    """Return the first row of each id, with the labels of all rows of that id."""
    rows, labels = encode(as_array(table["id"]))[0], as_array(table["label"])
    first = np.unique(rows, return_index=True)[1]
    united = label_lists(rows[rows_of(labels)], flat(labels), len(first))
    return table.take(first).set_column(table.column_names.index("label"), "label", united)


def label_lists(rows: NDArray[np.integer], labels: pa.Array, count: int) -> pa.ListArray:
    """Return the labels of each of `count` rows, sorted and distinct.

    `rows` has the row of each of `labels`, of which nulls are left out.
    """
    table = pa.table([array_of_numbers(rows), labels], ["row", "label"]).drop_null()
    distinct = table.group_by(["row", "label"]).aggregate([])
    pairs = distinct.sort_by([("row", "ascending"), ("label", "ascending")])
    offsets = np.searchsorted(pairs["row"], np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(array_of_numbers(offsets), as_array(pairs["label"]))
