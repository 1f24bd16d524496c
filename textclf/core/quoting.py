"""Quote values, names and messages of libraries in error messages: on one line, not too long."""

import shlex
import sys
from collections.abc import Mapping, Sequence

VALUE_LIMIT = 40  # characters of a value
NAMES_LIMIT = 12  # names in a list, and classes whose numbers are listed
MESSAGE_LIMIT = 200  # characters of a library's message
# First characters of cells that spreadsheets compute, the last four in full width: OWASP, CSV
# Injection.
FORMULA = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")


def quote_value(value: object, limit: int = VALUE_LIMIT) -> str:
    """Return a value in Python's notation, shortened; None, lists and objects are named instead."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(shorten(value, limit))
        case _:
            return shorten(repr(value), limit)


def shorten(text: str, limit: int) -> str:
    """Return the text; if it is longer than `limit` characters, its beginning and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quote_name(name: str) -> str:
    """Return a name, quoted if it would break the line or be misread in a list of names."""
    plain = (
        name.isprintable()
        and name == name.strip()
        and 0 < len(name) <= VALUE_LIMIT
        and "," not in name
    )
    return name if plain else quote_value(name)


def list_names(names: Sequence[str]) -> str:
    """Return the names with commas between them; of many, the first few and an ellipsis."""
    quoted = [quote_name(name) for name in names[:NAMES_LIMIT]]
    if len(names) > NAMES_LIMIT:
        quoted.append("…")
    return ", ".join(quoted)


def list_few(texts: Sequence[str], most: int) -> str:
    """Return the first `most` texts with commas between them, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def list_classes(numbers: Mapping[str, float], form: str = ",", unit: str = " rows") -> str:
    """Return a number of each class, such as its rows; of many classes, least and most."""
    if len(numbers) <= NAMES_LIMIT:
        items = numbers.items()
        return ", ".join(f"{quote_name(name)} ({number:{form}})" for name, number in items)
    least, *_, most = sorted(numbers, key=lambda name: (numbers[name], name))
    lower = f"{numbers[least]:{form}} ({quote_name(least)})"
    upper = f"{numbers[most]:{form}}{unit} ({quote_name(most)})"
    return f"from {lower} to {upper}"


def first_line(error: object) -> str:
    """Return the first line of a library's message, without its full stop.

    Unprintable characters are escaped.
    """
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    line = line.rstrip(" .:")
    if not line.isprintable():
        line = line.encode("unicode_escape").decode("ascii")
    return shorten(line, MESSAGE_LIMIT)


def quote_argument(text: str) -> str:
    """Return a word of a command, quoted for the shell of this system.

    cmd.exe knows only double quotes.
    """
    quoted = shlex.quote(text)
    if sys.platform == "win32" and quoted != text:
        return '"' + text.replace('"', '\\"') + '"'
    return quoted
