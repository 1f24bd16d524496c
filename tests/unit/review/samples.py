"""Changes for the tests of the review."""

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
