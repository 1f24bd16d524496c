"""Values of a column of times: dates and date-times in ISO 8601, or numbers."""

import re
from datetime import UTC, date, datetime

DECIMAL = re.compile(r"[+-]?\d{1,300}(\.\d*)?([eE][+-]?\d{1,2})?", re.ASCII)


def written_time(value: object) -> object:
    """Return a date, a date-time or a decimal as text; any other value as it is."""
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else value


def parse_time(text: str) -> float | datetime:
    """Return the number in a text, or its date-time in ISO 8601; a date is its midnight.

    A date-time with a time zone is in UTC. Raises `ValueError` if the text is neither.
    """
    if DECIMAL.fullmatch(text.strip()):
        return float(text)
    time = datetime.fromisoformat(text.strip())
    return time if time.tzinfo is None else time.astimezone(UTC)


def kind_of_time(time: float | datetime) -> str:
    """Return what a time is: times of two kinds can't be compared."""
    if isinstance(time, float):
        return "a number"
    return f"a date or a date-time {'without' if time.tzinfo is None else 'with'} time zone"
