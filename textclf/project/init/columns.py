"""Which columns of a table hold the texts, the labels and the ids, and which others may be used."""

import re
from collections import Counter
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.evaluate.slices.membership import FEWEST_ROWS
from textclf.evaluate.slices.names import FAMILIES
from textclf.tables.columns import (
    LISTED,
    LISTS,
    SPACED,
    Column,
    column_names,
    describe_column,
    find_text,
    read_values,
    require_rows,
    require_same_columns,
)
from textclf.tables.corpus import read
from textclf.tables.excel import UnsavedFormulaError
from textclf.tables.files import find_files
from textclf.tables.layout import NUMBER, SOURCE, Layout
from textclf.tables.read import read_batches
from textclf.tables.settings import Data
from textclf.tables.values import UNFIT

# Usual names of a column of labels, likeliest first, and of a column of splits.
LABELS = ("label", "labels", "class", "category", "target", "sentiment", "intent", "topic")
SPLIT = "split"
# A column of at most so many distinct values is offered for slices; one of more may be of groups.
FEW = 20
# A column of labels has at most so many distinct values, at least so many rows per value on
# average, and labels of at most so many characters on average.
MOST_CLASSES = 1000
ROWS_PER_CLASS = 4
LONGEST_LABEL = 60
# Other columns of values of so many characters on average may be of texts.
SHORTEST_TEXT = 20
# Without a usual name, a column of labels has at most this share of dates and decimals.
MEASURED = 0.5
# Names of columns, unlike sentences.
NAME = re.compile(r"[\w -]+")
# Names of columns of ids.
ID = re.compile(r"(.*[\W_])?(?i:id|uuid|guid)|.*[a-z]I[dD]")
# Rows per value of a column of slices, of which a quarter are test rows.
ROWS_PER_SLICE = 4 * FEWEST_ROWS
# A column of groups has at least so many rows per value on average.
ROWS_PER_GROUP = 2
# The form of a column of 0 and 1.
FLAGS = "01"
# If rows that repeat an id are one text each, at least this share of the texts must have two labels
# or more.
SEVERAL = 0.05


def find_split(path: Path, layout: Layout) -> str | None:
    """Return the column of the splits: one named `split` of few values; None if there is none."""
    if SPLIT not in column_names(path, layout):
        return None
    column = describe_column(path, layout, SPLIT)
    return SPLIT if column is not None and column.distinct <= len(SPLITS) else None


def find_columns(
    path: Path,
    layout: Layout,
    texts: Sequence[str] | None,
    labels: Sequence[str] | None,
    unused: Container[str | None] = (),
) -> tuple[str | tuple[str, ...], str | tuple[str, ...], list[Column]]:
    """Return the names of the columns of the texts and of the labels, and the other columns.

    The names are those given, or follow from what the columns hold. Those of `unused` are none of
    them. The texts are the column of long values that rarely repeat, the labels that of few. Raises
    `UserError` if there is no such column, if several could be the labels, or if a file
    lacks columns that others have.
    """
    # Cells without a name are those beside the table, or below a merged cell of its header.
    require_same_columns(path, layout, {*texts, *labels} if texts and labels else ())
    every = [name for name in column_names(path, layout) if name]
    repeated = [name for name in every if every.count(name) > 1]
    if repeated and not (texts and labels):
        raise UserError(
            f"{path}: {every.count(repeated[0])} columns are named {quote_value(repeated[0])}; "
            "rename one, or name others by --text and --label"
        )
    names = [name for name in every if name not in unused]
    columns = []
    for name in names:
        # A column of formulas without values is left out if the user named those to read.
        with suppress(*([UnsavedFormulaError] if texts and labels else [])):
            if (column := describe_column(path, layout, name)) is not None:
                columns.append(column)
    if not any(column.values for column in columns):
        require_rows(path, layout)
    if not (texts and labels):
        require_header(columns, path, layout)
    if not texts:
        not_labels = [column for column in columns if column.name not in (labels or ())]
        texts = [find_text(not_labels, path)]
    if not labels:
        several = len(find_files(path, layout)) > 1 and SOURCE not in names
        not_texts = [name for name in names if name not in texts]
        named = [name for usual in LABELS for name in not_texts if name.strip().lower() == usual]
        candidates = [column for column in columns if column.name not in texts]
        labels = find_labels(candidates, path, several, named)
    used = {*texts, *labels, SOURCE}
    for column in columns:
        fields = [name for name in names if name.startswith(f"{column.name}.")]
        if column.values and fields and not used.isdisjoint([column.name, *fields]):
            _require_no_objects(path, layout, column.name, fields)
    others = [column for column in columns if column.name not in used and column.listed <= LISTED]
    return _one_or_several(texts), _one_or_several(labels), others


def _require_no_objects(path: Path, layout: Layout, name: str, fields: Sequence[str]) -> None:
    """Raise `UserError` if a column has other values in some rows, and objects in others."""
    if any(UNFIT in values for values in read_values(path, layout, name)):
        raise UserError(
            f"{path}: {quote_name(name)} must be of one form in all rows; got texts in some and "
            f"objects ({list_names(fields)}) in others; write all as texts, or all as lists"
        )


def require_header(columns: Sequence[Column], path: Path, layout: Layout) -> None:
    """Raise `UserError` if the names of the columns look like the values of a row."""
    # In tables that were put together, rows below repeat the whole header.
    if not layout.header or all(column.repeats_name for column in columns):
        return
    # The header of a text is a name, and then those of other columns may be years.
    longest = max(columns, key=lambda column: column.mean_length)
    is_name = NAME.fullmatch(longest.name) and 2 * len(longest.name) <= longest.mean_length
    reasons = []
    for column in columns:
        name, like_label = column.name, column.distinct * ROWS_PER_CLASS <= column.values
        is_number = NUMBER.fullmatch(name) and column.measured + column.whole > 1 - SPACED
        if is_number and not is_name:
            reasons.append(f"{quote_name(name)} is a number, like the values below it")
        elif column.repeats_name and like_label:
            reasons.append(f"{quote_name(name)} is a value of its column, too")
    if reasons:
        file = find_files(path, layout)[0].path
        raise UserError(
            f"{file}:{layout.header} must be the names of the columns; got what looks like a row: "
            f"{reasons[0]}; add --no-header, or name the columns by --text and --label"
        )


def _one_or_several(names: Sequence[str]) -> str | tuple[str, ...]:
    return names[0] if len(names) == 1 else tuple(names)


def find_sets(
    path: Path, data: Data, columns: Sequence[Column], layout: Layout, given: bool = False
) -> tuple[dict[str, Any], str]:
    """Return the settings of a table whose texts have several labels, and what shows it.

    The settings are empty if a text has one label. `columns` are those that are neither texts nor
    labels; `given`: the user named those of labels. Raises `UserError` if several columns could
    each be the only one of labels.
    """
    task = {"task": "multilabel"}
    if not isinstance(data.label, str):
        if not given and not _share_of_several(path, data):
            raise UserError(
                f"{path}: --label must name the column of labels, or each of them if a text may "
                f"have several; no row is 1 in two of {list_names(data.label)}"
            )
        flags = [column for column in columns if column.form == FLAGS]
        constant = list_names([column.name for column in flags if column.distinct < 2])
        left_out = f", without {constant}, the same in all rows" if constant else ""
        alone = "" if given else f"; --label {quote_name(data.label[0])} takes one alone"
        return task, f"{list_names(data.label)} are columns of 0 and 1{left_out}{alone}"
    labels = describe_column(path, layout, data.label)
    if labels is not None and labels.form == LISTS:
        lengths = _count_lengths(path, layout, data.label)
        if lengths.keys() <= {0, 1}:
            held = "lists of one label each"
            if lengths[0]:
                without = count_noun(lengths[0], "row")
                held = f"lists of at most one label (left out: {without} without one)"
            return {}, f"{quote_name(data.label)} holds {held}"
        return task, f"{quote_name(data.label)} holds lists"
    if labels is not None and labels.form not in {"", FLAGS}:
        shown = f"{quote_name(data.label)} combines some by {labels.form!r}"
        return {**task, "label_separator": labels.form}, shown
    texts = describe_column(path, layout, data.text) if isinstance(data.text, str) else None
    for column in columns:
        named_as_id = ID.fullmatch(column.name) or column.name == data.id
        is_id = column.name != data.group and named_as_id
        repeats = is_id and column.distinct < column.values
        if texts is not None and repeats and texts.distinct <= column.distinct:
            settings = {**task, "id": column.name}
            with suppress(UserError):
                if _share_of_several(path, data.model_copy(update=settings)) >= SEVERAL:
                    return settings, f"rows with the same {quote_name(column.name)} have one each"
    return {}, ""


def _count_lengths(path: Path, layout: Layout, name: str) -> Counter[int | None]:
    """Return how many lists of a column have each length: 0 for no value, None for no list."""
    one = replace(layout, columns={"label": name})
    return Counter(
        len(value or []) if isinstance(value, list | None) else None
        for file in find_files(path, one)
        for batch in read_batches(file.path, file.format, one)
        for value in batch.columns.get(name, [])
    )


def _share_of_several(path: Path, data: Data) -> float:
    """Return the share of the texts that have two labels or more."""
    label_counts = pc.list_value_length(read(path, data).table["label"])
    return float(pc.mean(pc.greater(label_counts, 1)).as_py())


def find_labels(
    columns: Sequence[Column], path: Path, several_files: bool, named: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the name of the column of labels.

    It is `source`, the name of the file, if each of several files is a class. They are several if
    all that could be it are of 0 and 1. If no column looks like labels, it is the first of those
    that are `named` so: the table's reader says what is wrong.
    """
    labels = [column for column in columns if _can_be_label(column)]
    usual = [
        column.name for name in LABELS for column in labels if column.name.strip().lower() == name
    ]
    if usual or len(labels) == 1:
        return (usual[0] if usual else labels[0].name,)
    if labels and all(column.form == FLAGS for column in labels):
        return tuple(column.name for column in labels)
    if labels:
        choices = [f"{quote_name(column.name)} ({column.distinct} values)" for column in labels]
        raise UserError(
            f"{path}: --label must name the column of labels; it could be {list_names(choices)}"
        )
    if several_files:
        return (SOURCE,)
    if named:
        return (named[0],)
    names = list_names([column.name for column in columns]) or "none"
    advice = "name it by --label, or if no text is labelled run textclf suggest"
    raise UserError(
        f"{path} must have a column of labels, with few values that repeat; "
        f"got none among {names}; {advice}"
    )


def _can_be_label(column: Column) -> bool:
    if column.form not in {"", FLAGS}:
        return True
    repeated = column.distinct * ROWS_PER_CLASS <= column.values
    named = column.name.strip().lower() in LABELS  # then 1.0 and 2.0 may be classes
    short = column.mean_length <= LONGEST_LABEL and (
        named or column.form == FLAGS or column.measured <= MEASURED
    )
    few = 2 <= column.distinct <= MOST_CLASSES
    return few and repeated and short and column.listed <= LISTED


def find_id(columns: Sequence[Column], first: str) -> str | None:
    """Return the column of unique ids: one named as ids, else the table's first if it is unique."""
    unique = [
        column.name
        for column in columns
        if column.name
        and 2 <= column.values == column.distinct
        and not (column.spaced or column.measured)
    ]
    if named := [name for name in unique if ID.fullmatch(name)]:
        return named[0]
    return first if first in unique else None


def repeats_ids(column: Column) -> bool:
    """Return whether a column has the name of ids, and a few of its values more than once."""
    few = 0 < column.values - column.distinct < SPACED * column.values
    return few and ID.fullmatch(column.name) is not None


def find_useful(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the columns to offer.

    Those for slices have few values, with enough rows each; models may also read numbers and dates.
    """
    short = [
        column
        for column in columns
        if column.distinct > 1 and column.mean_length <= LONGEST_LABEL and column.is_plain
    ]
    few = [column for column in short if column.distinct <= FEW]
    slices = tuple(
        column.name
        for column in few
        if column.distinct * ROWS_PER_SLICE <= column.values
        and column.measured <= MEASURED
        and column.name not in FAMILIES
        and "=" not in column.name
    )
    numbers = [
        column
        for column in short
        if column.measured + column.whole > 1 - SPACED and not ID.fullmatch(column.name)
    ]
    readable = tuple(column.name for column in short if column in few or column in numbers)
    return {"slices": slices, "columns": readable}


def look_like_texts(columns: Sequence[Column]) -> list[str]:
    """Return the names of columns of long values of several words, no dates, that rarely repeat."""
    return [
        column.name
        for column in columns
        if column.spaced > 1 - MEASURED
        and column.measured <= MEASURED
        and column.mean_length >= SHORTEST_TEXT
        and column.distinct > MEASURED * column.values
    ]


def find_groups(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of many values that repeat, such as an author or a thread.

    Numbers are among them only if they have the name of ids.
    """
    return [
        column
        for column in columns
        if column.is_plain
        and column.distinct > FEW
        and column.distinct * ROWS_PER_GROUP <= column.values
        and column.mean_length <= LONGEST_LABEL
        and column.measured <= MEASURED
        and (column.whole <= MEASURED or ID.fullmatch(column.name))
    ]
