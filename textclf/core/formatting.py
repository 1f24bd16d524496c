"""Numbers and names as text for people, in reports, cards and comments."""

from collections.abc import Sequence
from itertools import zip_longest

SMALLEST_P = 0.001  # smaller p-values are shown as "< 0.001"


def display_name(name: str) -> str:
    """Return a model's name with spaces instead of underscores."""
    return name.replace("_", " ")


def join_names(names: Sequence[str]) -> str:
    """Return the names joined with commas, and "and" before the last."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun, in the plural if needed: "1 row", "2,000 classes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines with aligned columns; rows may be of any length."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]


def split_rows(split: str) -> str:
    """Return the phrase for the rows of a split: "training rows", "test rows"."""
    return {"train": "training rows"}.get(split, f"{split} rows")


def percent(share: float, digits: int = 1) -> str:
    """Return a share (0 to 1) as a percentage."""
    return f"{100 * share:.{digits}f}%"


def confidence_level(confidence: float) -> str:
    """Return the level of an interval as a percentage with all its digits: 95%, 97.5%."""
    return f"{100 * confidence:.10g}%"


def points(difference: float, signed: bool = True) -> str:
    """Return a difference of shares in percentage points, with a true minus sign."""
    text = f"{100 * difference:+.1f}" if signed else f"{100 * difference:.1f}"
    return ("0.0" if text in {"+0.0", "-0.0"} else text).replace("-", "\N{MINUS SIGN}")


def largest_remainder(shares: Sequence[float]) -> list[int]:
    """Return shares that sum to 1 as whole percentages that sum to 100, by Hare's method.

    A share of 0 stays 0.
    """
    parts = [round(100 * share, 9) for share in shares]  # 29.000000000000004 has no remainder
    whole = [int(part) for part in parts]
    missing = round(sum(parts)) - sum(whole)
    by_remainder = sorted(range(len(parts)), key=lambda index: whole[index] - parts[index])
    for index in by_remainder[:missing]:
        whole[index] += 1
    return whole


def round_significant(value: float, digits: int = 6) -> float:
    """Return the number rounded to significant digits, for a p-value however small it is."""
    return float(f"{value:.{digits}g}")


def p_value(value: float) -> str:
    """Return a p-value with three digits, or "< 0.001"."""
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def p_relation(value: float) -> str:
    """Return what follows "p" in a sentence: "= 0.035" or "< 0.001"."""
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"
