"""Changes and failure rates for the tests of the review."""

from typing import Any

from textclf.behave.results import Behaviour
from textclf.evaluate.intervals import Interval
from textclf.review.changes import Change


def change(
    metric: str,
    base: float | None,
    head: float | None,
    interval: tuple[float, float] | None = None,
    same_task: bool = True,
) -> Change:
    """Return a change of a metric of `keras` on the test rows."""
    return Change(
        "keras", "test", metric, base, head, Interval(*interval) if interval else None, same_task
    )


def change_of(words: str) -> Change:
    """Return a metric's change: name, values at base and head, perhaps two ends or a task."""
    metric, *rest = words.removesuffix(" another task").split()
    base, head = (None if number == "null" else float(number) for number in rest[:2])
    interval = (float(rest[2]), float(rest[3])) if rest[2:] else None
    return change(metric, base, head, interval, not words.endswith(" another task"))


def rates(**failures: int) -> dict[str, Any]:
    """Return the results of keras in tests of ten cases, as a file has them."""
    tests = {
        name: {
            "cases": 10,
            "failures": number,
            "failure_rate": number / 10,
            "low": 0.0,
            "high": 1.0,
            "failed": [],
        }
        for name, number in failures.items()
    }
    return {"models": {"keras": tests}, "sha256": ""}


def behaviour(**failures: int) -> dict[str, Behaviour]:
    return {"mine": Behaviour.model_validate(rates(**failures))}
