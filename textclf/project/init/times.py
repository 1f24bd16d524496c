"""How the times of a table are written, if not as in ISO 8601."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.quoting import quote_name, quote_value
from textclf.tables.columns import read_values
from textclf.tables.layout import Layout
from textclf.tables.values import parse_time

# Dates as people write them, by the country; and the hours after them.
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d")
SHORT_DATES = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y")
HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = [day + hour for day, hour in product((*DATES, *SHORT_DATES), HOURS)]


def find_time_format(path: Path, layout: Layout, name: str) -> str | None:
    """Return the form in which all times of a column are written; None for ISO 8601 and numbers.

    It is None, too, if there is no such form: then the reader of the table names the rows. Raises
    `UserError` if there are two, as for 3/4/2024, where the month may be the first or the second.
    """
    values = list(dict.fromkeys(value for value in _texts(path, layout, name) if value))
    fitting: list[str | None] = [None, *FORMATS]
    for value in values:
        fitting = [form for form in fitting if _fits(value, form)]
        if not fitting:
            break
    if None in fitting or not fitting:
        return None
    if len(fitting) > 1:
        raise UserError(
            f"{path}: --time-format must say how {quote_name(name)} is written; "
            f"{quote_value(values[0])} and all other values may be {' or '.join(map(str, fitting))}"
        )
    return fitting[0]


def _texts(path: Path, layout: Layout, name: str) -> Iterator[str]:
    for batch in read_values(path, layout, name):
        yield from map(str.strip, batch)


def _fits(value: str, form: str | None) -> bool:
    try:
        parse_time(value, form)
    except (ValueError, OverflowError):
        return False
    return True
