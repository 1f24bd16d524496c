"""Values of a column of times: dates and date-times in ISO 8601, or numbers; all of their digits count."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

DECIMAL = re.compile(r"[+-]?\d{1,300}(\.\d*)?([eE][+-]?\d{1,2})?", re.ASCII)
A_NUMBER = "a number"  # a kind of time
DIGITS = 38  # of a number, before and after its decimal point
NUMBER = pa.decimal256(2 * DIGITS, DIGITS)
FINER = re.compile(r"[.,]\d{6}(\d+)")  # what datetime leaves out


def parse_time(text: str) -> Decimal | str:
    """Return the number in a text, or its date-time in ISO 8601 in a form whose order is that of time.

    A date is its midnight; a date-time with a time zone is in UTC. Raises `ValueError` if the text is neither, or a
    number of more than `DIGITS` digits before or after the point.
    """
    text = text.strip()
    if DECIMAL.fullmatch(text):
        number = Decimal(text)
        if number.adjusted() >= DIGITS or int(number.as_tuple().exponent) < -DIGITS:
            raise ValueError(f"more than {DIGITS} digits")
        return number
    time = datetime.fromisoformat(text)
    zone = "" if time.tzinfo is None else "+00:00"
    time = time if time.tzinfo is None else time.astimezone(UTC)
    finer = FINER.search(text)
    fraction = f".{time.microsecond:06}{finer[1] if finer else ''}".rstrip("0.")
    return f"{time.replace(microsecond=0, tzinfo=None).isoformat(' ')}{fraction}{zone}"


def kind_of_time(time: Decimal | str) -> str:
    """Return what a time is: times of two kinds can't be compared."""
    if isinstance(time, Decimal):
        return A_NUMBER
    return f"a date or a date-time {'with' if time.endswith('+00:00') else 'without'} time zone"
