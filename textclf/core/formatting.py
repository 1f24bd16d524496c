"""Numbers and names as a person would write them, in reports, cards and comments."""

from collections.abc import Sequence

LEAST_P = 0.001  # that is said as it is


def readable(name: str) -> str:
    """A model's name as a person would write it."""
    return name.replace("_", " ")


def listed(names: Sequence[str]) -> str:
    """Names with commas, and an "and" before the last."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rows_of(split: str) -> str:
    """The rows of a split by name."""
    return {"train": "training rows"}.get(split, f"{split} rows")


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * share:.{digits}f}%"


def level(confidence: float) -> str:
    """The level of an interval, with the digits that it has: 95%, 97.5%."""
    return f"{100 * confidence:.10g}%"


def points(difference: float, signed: bool = True) -> str:
    """A difference of shares in percentage points, with a true minus."""
    text = f"{100 * difference:+.1f}" if signed else f"{100 * difference:.1f}"
    return ("0.0" if text in {"+0.0", "-0.0"} else text).replace("-", "\N{MINUS SIGN}")


def p_value(value: float) -> str:
    """A p value, of small ones only that they are."""
    return f"< {LEAST_P}" if value < LEAST_P else f"{value:.3f}"
