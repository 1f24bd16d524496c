"""Values of a record or of a column as texts and labels, unchanged, with a check that they can be kept as text."""

import re
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, cast

import numpy as np

from textclf.core.quoting import quote_name, quote_value
from textclf.core.strings import content, rows_with, take
from textclf.tables import limits
from textclf.tables.layout import Record
from textclf.tables.limits import require_length
from textclf.tables.lines import SURROGATE, is_unicode

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

# What to do with a table whose rows have several labels each.
ONE_LABEL = "write one row per label, or one table per label whose two classes say whether a text has it"
SEPARATORS = ";,|"  # between several labels in one value
AROUND = "[](){}'\" "  # labels in a list that was written as text
_QUOTED, _NUMBER = r"""(?:'[^']*'|"[^"]*")""", r"-?\d+"
# A list of several texts or numbers; (0, 10] is no list
LIST = re.compile(rf"[\[({{]\s*{_QUOTED}(?:[\s,]+{_QUOTED})+[\s,]*[\])}}]|\[\s*{_NUMBER}(?:[\s,]+{_NUMBER})+[\s,]*\]")
# Bytes with which white space begins in UTF-8, and other characters as well
_MAY_BEGIN_BLANK = np.zeros(256, bool)
_MAY_BEGIN_BLANK[[*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")


def text_of(record: Record, column: str) -> str | None:
    """Return the text in a column, None if there is no value; `ValueError` if it is not text."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{quote_name(column)} must be text; got {quote_value(value)}")  # noqa: TRY004
    return _require_valid(value, column)


def label_of(record: Record, column: str) -> str | None:
    """Return the label, id or group in a column as text, None if there is no value.

    Integers are written in digits, booleans as true and false. Raises `ValueError` for other types and for control
    characters.
    """
    value = record.get(column)
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        rule = "must be text, an integer or a boolean"
        raise ValueError(f"{quote_name(column)} {rule}; got {quote_value(value)}")  # noqa: TRY004
    if CONTROL.search(_require_valid(value, column)):
        raise ValueError(f"{quote_name(column)} must not contain control characters; got {quote_value(value)}")
    return value


def _require_valid(value: str, column: str) -> str:
    """Return the value; `ValueError` if it is too long or can't be written as text."""
    require_length(value, quote_name(column))
    if (position := value.find("\0")) >= 0:
        raise ValueError(f"{quote_name(column)} must not contain NUL; got one at offset {position}")
    if not value.isascii() and (match := SURROGATE.search(value)):
        position = match.start()
        raise ValueError(f"{quote_name(column)} must be Unicode text; got half a surrogate pair at offset {position}")
    return value


def texts_of(values: list[object]) -> list[str] | None:
    """Return a column of a block as texts; None unless `text_of` accepts every value and none is blank."""
    if set(map(type, values)) != {str}:
        return None
    texts = cast("list[str]", values)
    joined = "".join(texts)
    if len(joined) > limits.TEXT_CHARACTERS and max(map(len, texts)) > limits.TEXT_CHARACTERS:
        return None
    return texts if "\0" not in joined and is_unicode(joined) and all(map(str.strip, texts)) else None


def labels_of(values: list[object]) -> list[str] | None:
    """Return a column of a block as labels; None unless `label_of` accepts every value and none is blank."""
    if set(map(type, values)) == {int}:
        return list(map(str, values))
    texts = texts_of(values)
    return None if texts is None or CONTROL.search("".join(set(texts))) else texts


def slices_of(values: list[object]) -> list[str] | None:
    """Return a column of a block as values of a slice; None unless `slice_of` accepts every value."""
    try:
        texts = {(type(value), value): slice_of({"": value}, "") for value in values}
    except (ValueError, TypeError):  # TypeError: a list or a mapping can't be a key
        return None
    return [texts[type(value), value] for value in values]


def slice_of(record: Record, column: str) -> str:
    """Return the value of a slice: as `label_of` has it, "" if it is missing or blank; `ValueError` as there."""
    value = label_of(record, column) or ""
    return value if value.strip() else ""


def are_texts(values: "pa.StringArray") -> "NDArray[np.bool_]":
    """Return for each value of a column whether `text_of` accepts it and it is not blank: (values,)."""
    data, bounds = content(values)
    lengths = np.diff(bounds)
    good = (lengths > 0) & (lengths <= limits.TEXT_CHARACTERS)
    if len(data):
        if not data.min():
            good &= ~rows_with(data == 0, bounds)
        first = data[np.minimum(bounds[:-1], len(data) - 1)]
        _look_at(values, good, _MAY_BEGIN_BLANK[first] | (lengths > limits.TEXT_CHARACTERS), texts_of)
    return good


def are_labels(values: "pa.StringArray") -> "NDArray[np.bool_]":
    """Return for each value of a column whether `label_of` accepts it and it is not blank: (values,)."""
    data, bounds = content(values)
    lengths = np.diff(bounds)
    good = (lengths > 0) & (lengths <= limits.TEXT_CHARACTERS)
    if len(data):
        first = data[np.minimum(bounds[:-1], len(data) - 1)]
        beyond_ascii = rows_with(data - np.uint8(0x20) >= np.uint8(0x7F - 0x20), bounds)
        _look_at(values, good, beyond_ascii | (first == 0x20) | (lengths > limits.TEXT_CHARACTERS), labels_of)
    return good


def _look_at(
    values: "pa.StringArray",
    good: "NDArray[np.bool_]",
    which: "NDArray[np.bool_]",
    check: Callable[[list[object]], list[str] | None],
) -> None:
    """Set for some values whether a check of lists accepts them."""
    if len(positions := np.flatnonzero(which)):
        good[positions] = [check([value]) is not None for value in take(values, positions).to_pylist()]


def combined_labels(labels: Set[str]) -> list[str]:
    """Return the labels that combine others, sorted.

    They are `['a', 'b']` and other lists that were written as text; and `a;b`, `a, b`, `a|b` or `[a, b]` if `a` and `b`
    are labels too.
    """
    names = {name for label in labels if (name := label.strip(AROUND))}
    combined = {label for label in labels if LIST.fullmatch(label)}
    for separator in SEPARATORS:
        for label in labels:
            parts = [part.strip(AROUND) for part in label.split(separator)]
            if len(parts) > 1 and names >= set(parts):
                combined.add(label)
    return sorted(combined)
