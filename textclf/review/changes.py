"""Changes of metrics between two revisions: difference, interval and verdict.

Nothing in this module reads a file: metrics come as the nested mappings that metrics/*.json hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from textclf.core.files import DIGITS, SPLITS
from textclf.evaluate.intervals import Interval, difference
from textclf.evaluate.registry import METRICS

JUDGED = ("test", "validation")  # splits whose rows the model was not trained on
IMPORTANT = tuple(name for name, metric in METRICS.items() if metric.important)
ORDER = (*IMPORTANT, *(name for name in METRICS if name not in IMPORTANT))

Settled = Literal["unchanged", "new", "removed", "different task"]  # without a difference to judge
Verdict = (
    Literal["better", "worse", "may be chance", "no interval", "too few rows", "baseline"] | Settled
)
Numbers = dict[str, dict[str, dict[str, Any]]]  # model -> split -> metric -> value
Key = tuple[str, str, str]  # model, split, metric


@dataclass(frozen=True)
class Change:
    """A metric at the base and at the head, None where it is missing."""

    model: str
    split: str
    metric: str
    base: float | None
    head: float | None
    interval: Interval | None = None  # of head minus base
    # Otherwise the numbers measure different things, without difference and interval.
    same_task: bool = True
    few_rows: bool = False  # whether a revision has too few rows for an interval
    # Whether the model learns nothing from texts, and so gets neither better nor worse.
    baseline: bool = False

    @property
    def key(self) -> Key:
        """Return model, split and metric."""
        return self.model, self.split, self.metric

    @property
    def name(self) -> str:
        """Return the dotted name, as in params.yaml and DVC's tables."""
        return ".".join(self.key)

    @property
    def lower_is_better(self) -> bool:
        """Return whether lower values of this metric are better."""
        return self.metric in METRICS and not METRICS[self.metric].higher_is_better

    @property
    def difference(self) -> float:
        """Return head minus base, rounded to `DIGITS`; NaN without one, or if the tasks differ."""
        if self.base is None or self.head is None or not self.same_task:
            return math.nan
        return round(self.head - self.base, DIGITS)

    @property
    def drop(self) -> float:
        """Return how much worse the head is than the base; negative if it is better."""
        return self.difference if self.lower_is_better else -self.difference

    @property
    def drop_interval(self) -> Interval | None:
        """Return the interval of `drop`."""
        if self.interval is None or self.lower_is_better:
            return self.interval
        return Interval(-self.interval.high, -self.interval.low)

    @property
    def within_noise(self) -> bool:
        """Return whether there is an interval and it contains 0."""
        return self.interval is not None and self.interval.low <= 0 <= self.interval.high

    @property
    def judged_by(self) -> Interval | None:
        """Return the interval that the verdict of a change rests on, None if it rests on none."""
        return None if self.baseline or self.difference == 0 else self.interval

    @property
    def verdict(self) -> Verdict:
        """Return the verdict; better and worse mean that the interval excludes 0."""
        if self.base is None or self.head is None:
            return "new" if self.base is None else "removed"
        if not self.same_task:
            return "different task"
        if self.difference == 0:
            return "unchanged"
        if self.baseline:
            return "baseline"
        if self.interval is None:
            return "too few rows" if self.few_rows else "no interval"
        if self.within_noise:
            return "may be chance"
        return "worse" if self.drop > 0 else "better"


def compare_metrics(
    base: Numbers,
    head: Numbers,
    base_intervals: Numbers,
    head_intervals: Numbers,
    same_task: bool = True,
) -> list[Change]:
    """Return the change of every metric of either revision, in the order of the report.

    The interval is `difference` of those in `base_intervals` and `head_intervals`: for two models
    on the same rows too wide rather than too narrow. There is none if one of these is missing or
    the tasks differ.
    """
    keys = {
        (model, split, metric)
        for numbers in (base, head)
        for model, splits in numbers.items()
        for split, metrics in splits.items()
        for metric in metrics
    }
    changes = []
    for key in sorted(keys, key=_sort_key):
        before, now = _get(base, key), _get(head, key)
        ends = [_get(intervals, key, {}) for intervals in (head_intervals, base_intervals)]
        interval = None
        if same_task and None not in (before, now) and all(ends):
            of_head, of_base = (Interval(end["low"], end["high"]) for end in ends)
            unpaired = difference(now, before, of_head, of_base)
            interval = Interval(*(round(end, DIGITS) for end in unpaired))
        changes.append(Change(*key, before, now, interval, same_task, few_rows=None in ends))
    return changes


def _sort_key(key: Key) -> tuple[Any, ...]:
    model, split, metric = key
    splits = SPLITS[::-1]  # the test rows first
    return model, _rank(split, splits), _rank(metric, ORDER), metric


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _get(numbers: Numbers, key: Key, default: Any = None) -> Any:
    model, split, metric = key
    return numbers.get(model, {}).get(split, {}).get(metric, default)


def format_number(value: float) -> str:
    """Return the number with three decimals, or with one significant digit if these were all 0."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1g}"
