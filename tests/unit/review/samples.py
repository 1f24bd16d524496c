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
    return Change("keras", "test", metric, base, head, Interval(*interval) if interval else None, same_task)


def rates(**failures: int) -> dict[str, Any]:
    """Return the results of keras in tests of ten cases, as a file has them."""
    tests = {
        name: {"cases": 10, "failures": number, "failure_rate": number / 10, "low": 0.0, "high": 1.0, "failed": []}
        for name, number in failures.items()
    }
    return {"models": {"keras": tests}, "sha256": ""}


def behaviour(**failures: int) -> dict[str, Behaviour]:
    return {"mine": Behaviour.model_validate(rates(**failures))}
