"""Surveys of made-up tables."""

from typing import Any

from textclf.project.init.survey import Survey

TWO = "1000 1000"


def rows(counts: str) -> dict[str, int]:
    """Return the rows of each class: "100 5*20" is 100 of one and 20 of each of five."""
    each = [part.rpartition("*") for part in counts.split()]
    numbers = [int(rows) for times, _, rows in each for _ in range(int(times or 1))]
    return {f"c{number:03}": count for number, count in enumerate(numbers)}


def make_survey(classes: str = TWO, distinct: str = "", **more: Any) -> Survey:
    """Return the survey of a table with so many rows, and distinct texts, of each class."""
    known: dict[str, Any] = {"longest": 20, "language": "English"} | more
    return Survey(rows(classes), rows(distinct or classes), 0, 0, 0, 10, **known)
