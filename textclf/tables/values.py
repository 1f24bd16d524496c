"""Values of a record or of a column as texts and labels, unchanged, if text can hold them."""

import re
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import array_of, numbers_of
from textclf.core.quoting import quote_name, quote_value
from textclf.tables.layout import SEPARATOR, Record
from textclf.tables.lines import SURROGATE

if TYPE_CHECKING:
    import pyarrow as pa

# What to do with a table whose rows have several labels each.
ONE_LABEL = "set data.task to multilabel, and data.label_separator unless they are lists"
SEPARATORS = ";,|"  # between several labels in one value
AROUND = "[](){}'\" "  # labels in a list that was written as text
_QUOTED = r"""(?:'[^']*'|"[^"]*")"""
_NUMBER = r"-?\d+"
_TEXTS = rf"[\[({{]\s*{_QUOTED}(?:[\s,]+{_QUOTED})+[\s,]*[\])}}]"
_NUMBERS = rf"\[\s*{_NUMBER}(?:[\s,]+{_NUMBER})+[\s,]*\]"
# A list of several texts or numbers; (0, 10] is no list.
LIST = re.compile(f"{_TEXTS}|{_NUMBERS}")
NUL = re.compile(r"\x00")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UNFIT = "\0"  # stands for a value of another type, which every check refuses
DECIMAL = re.compile(r"[+-]?\d{1,300}(\.\d*)?([eE][+-]?\d{1,2})?", re.ASCII)
A_NUMBER = "a number"  # a kind of time
DIGITS = 38  # of a number, before and after its decimal point
FINER = re.compile(r"[.,]\d{6}(\d+)")  # what datetime leaves out


def text_of(record: Record, column: str) -> str | None:
    """Return the text in a column, None if there is no value; `ValueError` if it is not text."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        line = f"{quote_name(column)} must be text; got {quote_value(value)}"
        raise ValueError(line)  # noqa: TRY004
    return _require_valid(value, column)


def joined_text(record: Record, columns: Sequence[str], separator: str = SEPARATOR) -> str | None:
    """Return the texts of columns that are not blank, joined; None if there are none.

    Raises `ValueError` as `text_of`.
    """
    values = [text_of(record, column) for column in columns]
    texts = [text for text in values if text is not None]
    if len(columns) == 1 or not texts:
        return texts[0] if texts else None
    return _require_valid(join(texts, separator), ", ".join(columns))


def join(texts: Iterable[str], separator: str) -> str:
    """Return the texts that are not blank, joined."""
    return separator.join(text for text in texts if text.strip())


def label_of(record: Record, column: str) -> str | None:
    """Return the label, id or group in a column as text, None if there is no value.

    Raises `ValueError` unless it is text, an integer or a boolean.
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
        raise ValueError(
            f"{quote_name(column)} must not contain control characters; got {quote_value(value)}"
        )
    return value


def written_cell(value: Any) -> Any:
    """Return a decimal or a date as text, None if it is missing; other values as in Python."""
    value = value.item() if hasattr(value, "item") else value  # of numpy
    # NaN and NaT differ from themselves; comparing pandas.NA with itself gives pandas.NA.
    if (value != value) is not False:
        return None
    return str(value) if isinstance(value, date | float | Decimal) else value


def cell_of(record: Record, column: str) -> str:
    """Return the value in a column as text, "" if it is missing; `ValueError` as `label_of`."""
    return label_of({column: written_cell(record.get(column))}, column) or ""


def _require_valid(value: str, column: str) -> str:
    """Return the value; `ValueError` if it can't be written as text."""
    position = value.find("\0")
    if position >= 0:
        raise ValueError(f"{quote_name(column)} must not contain NUL; got one at offset {position}")
    if value.isascii():
        return value
    if match := SURROGATE.search(value):
        got = f"half a surrogate pair at offset {match.start()}"
        raise ValueError(f"{quote_name(column)} must be Unicode text; got {got}")
    return value


def to_array(values: "list[object] | pa.StringArray", numbers: bool) -> "pa.StringArray":
    """Return a column of a batch as an array: "" for missing values, `UNFIT` for what is no text.

    With `numbers`, integers and booleans are written as `label_of` writes them.
    """
    if not isinstance(values, list):
        return values
    texts = [value if isinstance(value, str) else _written(value, numbers) for value in values]
    try:
        return array_of(texts)
    except UnicodeEncodeError:  # of a surrogate
        return array_of([UNFIT if SURROGATE.search(text) else text for text in texts])


def _written(value: object, numbers: bool) -> str:
    if value is None:
        return ""
    return str(value).lower() if numbers and isinstance(value, int) else UNFIT


def are_valid(values: "pa.StringArray", forbidden: re.Pattern[str]) -> NDArray[np.bool_]:
    """Return for each value whether it is not blank and free of forbidden characters: (values,).

    With `NUL` `text_of` accepts those, with `CONTROL` `label_of`; they say of the others what is
    wrong.
    """
    import pyarrow.compute as pc

    lengths = numbers_of(pc.binary_length(values))
    has_forbidden = pc.match_substring_regex(values, forbidden.pattern)
    wrong = pc.or_(pc.utf8_is_space(values), has_forbidden).cast("uint8")
    return np.asarray((lengths > 0) & (numbers_of(wrong) == 0))


def combined_labels(labels: Set[str]) -> list[str]:
    """Return the labels that combine others, sorted.

    They are `['a', 'b']` and other lists that were written as text; and `a;b`, `a, b`, `a|b` or
    `[a, b]` if `a` and `b` are labels too.
    """
    names = {label.strip(AROUND) for label in labels} - {""}
    combined = {label for label in labels if LIST.fullmatch(label)}
    for separator in SEPARATORS:
        for label in labels:
            parts = [part.strip(AROUND) for part in label.split(separator)]
            if len(parts) > 1 and names >= set(parts):
                combined.add(label)
    return sorted(combined)


def parse_time(text: str, form: str | None = None) -> Decimal | str:
    """Return the number in a text, or its date-time in ISO 8601 in a form that sorts by time.

    `form` is that of `datetime.strptime`, for texts in another form. A date is its midnight; a
    date-time with a time zone is in UTC. Raises `ValueError` if the text is neither, or a number of
    more than `DIGITS` digits before or after the point.
    """
    text = text.strip()
    if form is not None:
        return _sortable(datetime.strptime(text, form))  # noqa: DTZ007 (the form may have a zone)
    if DECIMAL.fullmatch(text):
        number = Decimal(text)
        if number.adjusted() >= DIGITS or int(number.as_tuple().exponent) < -DIGITS:
            raise ValueError(f"more than {DIGITS} digits")
        return number
    finer = FINER.search(text)
    return _sortable(datetime.fromisoformat(text), finer[1] if finer else "")


def _sortable(time: datetime, finer: str = "") -> str:
    """Return a time as text that sorts by time; `finer` are digits below the microsecond."""
    zone = "" if time.tzinfo is None else "+00:00"
    time = time if time.tzinfo is None else time.astimezone(UTC)
    fraction = f".{time.microsecond:06}{finer}".rstrip("0.")
    return f"{time.replace(microsecond=0, tzinfo=None).isoformat(' ')}{fraction}{zone}"


def kind_of_time(time: Decimal | str) -> str:
    """Return what a time is: times of two kinds can't be compared."""
    if isinstance(time, Decimal):
        return A_NUMBER
    zone = "with" if time.endswith("+00:00") else "without"
    return f"a date or a date-time {zone} time zone"
