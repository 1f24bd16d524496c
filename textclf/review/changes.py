"""What differs between two revisions: metrics with the noise of their change, the gate, params, stages.

Nothing here reads a file: metrics, params and locks come as the mappings that the files hold, predictions as tables.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from textclf import params as rules
from textclf.core.errors import UserError
from textclf.core.files import DIGITS, SPLITS
from textclf.evaluate.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

    from textclf.evaluate.statistics import McNemar

LOWER_IS_BETTER = ("log_loss", "brier", "ece")
IMPORTANT = ("accuracy", "f1", "roc_auc", "log_loss")
ORDER = (*IMPORTANT, "balanced_accuracy", "mcc", "precision", "recall", "brier", "ece")
JUDGED = ("test", "validation")  # splits whose rows the model has not seen

Verdict = Literal["better", "worse", "inside the noise", "no interval", "same", "new", "removed", "another task"]
Numbers = dict[str, dict[str, dict[str, Any]]]  # model to split to metric to what is said of it
Key = tuple[str, str, str]  # model, split, metric


# Changes of metrics


@dataclass(frozen=True)
class Change:
    """A metric at the base and here, None where it is not there, and the interval of here less base.

    Without `same_task` the two numbers measure different things, and have neither difference nor interval.
    """

    model: str
    split: str
    metric: str
    base: float | None
    head: float | None
    interval: Interval | None = None
    same_task: bool = True

    @property
    def name(self) -> str:
        """Model, split and metric, as params.yaml and DVC's tables write them."""
        return f"{self.model}.{self.split}.{self.metric}"

    @property
    def difference(self) -> float:
        """Here less base, to `DIGITS`; NaN where one is missing or they are of different tasks."""
        if self.base is None or self.head is None or not self.same_task:
            return math.nan
        return round(self.head - self.base, DIGITS)

    @property
    def drop(self) -> float:
        """How much worse than the base it is; negative where it is better."""
        return self.difference if self.metric in LOWER_IS_BETTER else -self.difference

    @property
    def drop_interval(self) -> Interval | None:
        """The interval of `drop`."""
        if self.interval is None or self.metric in LOWER_IS_BETTER:
            return self.interval
        return Interval(-self.interval.high, -self.interval.low)

    @property
    def verdict(self) -> Verdict:
        """What the change amounts to; better and worse are beyond the interval."""
        if self.base is None or self.head is None:
            return "new" if self.base is None else "removed"
        if not self.same_task:
            return "another task"
        if self.difference == 0:
            return "same"
        if self.interval is None:
            return "no interval"
        if self.interval.low <= 0 <= self.interval.high:
            return "inside the noise"
        return "worse" if self.drop > 0 else "better"


def mover(head: float, base: float, of_head: Interval, of_base: Interval) -> Interval:
    """The interval of head less base, of independent samples, from the interval of each.

    With d = head - base: d - sqrt((head - low_head)^2 + (high_base - base)^2) to
    d + sqrt((high_head - head)^2 + (base - low_base)^2). With Wilson's intervals of shares it is the hybrid score
    interval, method 10 of Newcombe (1998), Stat. Med. 17:873-890; for any other metric the method of variance
    estimates recovery, MOVER: Zou & Donner (2008), Stat. Med. 27:1693-1702. Of two models on the same rows it is
    too wide rather than too narrow, as these tend to be right on the same rows.
    """
    below = math.hypot(max(head - of_head.low, 0), max(of_base.high - base, 0))  # a percentile may lie beyond
    above = math.hypot(max(of_head.high - head, 0), max(base - of_base.low, 0))
    return Interval(round(head - base - below, DIGITS), round(head - base + above, DIGITS))


def changes(
    base: Numbers,
    head: Numbers,
    of_base: Numbers,
    of_head: Numbers,
    paired: Mapping[Key, Interval] | None = None,
    same_task: bool = True,
) -> list[Change]:
    """Every metric of either revision; the interval is the paired one where there is one, else MOVER's.

    `of_base` and `of_head` hold `low` and `high` of each metric; a metric without both has no interval, nor has any
    without `same_task`.
    """
    keys = {
        (model, split, metric)
        for numbers in (base, head)
        for model, splits in numbers.items()
        for split, metrics in splits.items()
        for metric in metrics
    }
    found = []
    for key in sorted(keys, key=_place):
        one, other = _at(base, key), _at(head, key)
        interval = (paired or {}).get(key)
        ends = _ends(_at(of_head, key)), _ends(_at(of_base, key))
        if interval is None and one is not None and other is not None and ends[0] and ends[1]:
            interval = mover(other, one, ends[0], ends[1])
        found.append(Change(*key, one, other, interval if same_task else None, same_task))
    return found


def _place(key: Key) -> tuple[Any, ...]:
    model, split, metric = key
    splits = (*JUDGED, *(name for name in SPLITS if name not in JUDGED))
    return (
        model,
        splits.index(split) if split in splits else len(splits),
        ORDER.index(metric) if metric in ORDER else len(ORDER),
        metric,
    )


def _at(numbers: Numbers, key: Key) -> Any:
    model, split, metric = key
    return numbers.get(model, {}).get(split, {}).get(metric)


def _ends(entry: Any) -> Interval | None:
    return Interval(entry["low"], entry["high"]) if isinstance(entry, dict) and {"low", "high"} <= set(entry) else None


# The gate


@dataclass(frozen=True)
class Check:
    """One rule of the gate, the change that it judged, and what is wrong with it, if anything."""

    rule: Literal["minimum", "maximum_drop"]
    limit: float
    change: Change
    reason: str = ""


def check_gate(gate: rules.Gate, found: Iterable[Change]) -> list[Check]:
    """Each rule of the gate, judged; `UserError` if it names a metric that is not there.

    `minimum`: the value may not be worse. `maximum_drop`: it may not be worse than the base by more, unless the
    interval of the change holds 0; without an interval the value alone decides, without a base, or with one of
    another task, there is no drop.
    """
    known = {change.name: change for change in found if change.head is not None}
    checks: list[Check] = []
    wrong = []
    for rule, bounds in (("minimum", gate.minimum), ("maximum_drop", gate.maximum_drop)):
        for model, splits in bounds.items():
            for split, metrics in splits.items():
                for metric, limit in metrics.items():
                    name = f"{model}.{split}.{metric}"
                    if name not in known:
                        wrong.append(f"params.yaml: gate.{rule} must name a metric of the run; got {name}")
                    elif rule == "minimum":
                        checks.append(Check("minimum", limit, known[name], _too_bad(known[name], limit)))
                    else:
                        checks.append(Check("maximum_drop", limit, known[name], _fell(known[name], limit)))
    if wrong:
        raise UserError(*wrong)
    return checks


def _too_bad(change: Change, limit: float) -> str:
    value = math.nan if change.head is None else change.head
    if change.metric in LOWER_IS_BETTER:
        return f"{change.name} is {number(value)}, more than {limit}" if value > limit else ""
    return f"{change.name} is {number(value)}, less than {limit}" if value < limit else ""


def _fell(change: Change, limit: float) -> str:
    if not change.drop > limit:  # NaN where there is nothing to compare with
        return ""
    interval = change.drop_interval
    if interval is not None and interval.low <= 0 <= interval.high:
        return ""
    went = "rose" if change.metric in LOWER_IS_BETTER else "fell"
    around = f" ({number(interval.low)} to {number(interval.high)})" if interval else ""
    return f"{change.name} {went} by {number(change.drop)}{around}, more than {limit}"


# Changes of params, metrics of other files, and stages


@dataclass(frozen=True)
class Difference:
    """A value at the base and here, as JSON; None where it is not set."""

    name: str
    base: str | None
    head: str | None


def flat(content: Any, prefix: str = "") -> dict[str, str]:
    """Dotted keys to values as JSON; a list is one value, and so is an empty mapping."""
    if isinstance(content, dict) and content:
        parts = (flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in content.items())
        return {key: value for part in parts for key, value in part.items()}
    return {prefix: json.dumps(content, ensure_ascii=False, default=str)}


def differences(base: Any, head: Any) -> list[Difference]:
    """The keys whose values differ, in the order of the base, then of what is new."""
    one, other = flat(base) if base else {}, flat(head) if head else {}
    return [Difference(key, one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)]


TASK = ("fetch", "data")  # sections of params.yaml that say which rows, and which of their columns is the label


def task_differences(params: Sequence[Mapping[str, Any]], splits: Sequence[Mapping[str, Any]]) -> list[str]:
    """What makes the task of one revision another than that of the other; empty if it is the same.

    `params` and `splits` hold the content of params.yaml and of the split stage's metrics, of the base and here. A
    section, or the classes of the test rows, that either does not have is not asked: it is of another time.
    """
    shared = [name for name in TASK if all(content.get(name) for content in params)]
    found = [entry.name for entry in differences(*({name: content[name] for name in shared} for content in params))]
    classes = [{key for key in flat(content) if key.startswith("test.classes.")} for content in splits]
    return [*found, "test.classes"] if all(classes) and classes[0] != classes[1] else found


@dataclass(frozen=True)
class Stage:
    """A stage that dvc.lock records otherwise: what of its inputs, and which of its outputs, differ."""

    name: str
    causes: list[str]
    outs: list[str]


def stages(base: Mapping[str, Any], head: Mapping[str, Any]) -> list[Stage]:
    """The stages of which two contents of dvc.lock differ, in their order."""
    found = []
    ours, theirs = head.get("stages") or {}, base.get("stages") or {}
    for name in theirs | ours:
        one, other = theirs.get(name), ours.get(name)
        if one == other:
            continue
        if one is None or other is None:
            cause = "it is new" if one is None else "it is gone"
            found.append(Stage(name, [cause], list(hashes(other or one or {}, "outs"))))
            continue
        causes = _unlike(hashes(one, "deps"), hashes(other, "deps"))
        causes += [entry.name for entry in _params_of(one, other)]
        causes += ["its command"] if one.get("cmd") != other.get("cmd") else []
        found.append(Stage(name, causes, _unlike(hashes(one, "outs"), hashes(other, "outs"))))
    return found


def _params_of(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    base, head = one.get("params", {}), other.get("params", {})
    for file in base | head:
        yield from differences(base.get(file), head.get(file))


def hashes(record: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Path to md5 of the `deps` or `outs` of a stage in dvc.lock."""
    return {entry["path"]: entry.get("md5", "") for entry in record.get(kind, [])}


def _unlike(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [path for path in {**one, **other} if one.get(path) != other.get(path)]


# Predictions of both revisions


@dataclass(frozen=True)
class Pair:
    """The two sets of predictions of a model for the same rows of a split."""

    model: str
    split: str
    rows: int
    test: "McNemar"  # a is here, b the base


@dataclass
class Pairing:
    """What the predictions of both revisions say, as far as they are on this machine."""

    intervals: dict[Key, Interval] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    same: list[bool] = field(default_factory=list)  # whether the test rows are, for each model that could be compared


def pair_up(
    moved: Iterable[Change],
    base_tables: "Mapping[str, pd.DataFrame]",
    head_tables: "Mapping[str, pd.DataFrame]",
    settings: rules.Evaluate,
    stratified: bool,
) -> Pairing:
    """Paired intervals of what changed, where both revisions predicted the same rows, and give the metrics recorded."""
    from textclf.artifacts import predictions
    from textclf.evaluate import evaluation

    found = Pairing()
    by_place: dict[tuple[str, str], list[Change]] = {}
    for change in moved:
        by_place.setdefault((change.model, change.split), []).append(change)
    for (model, split), group in by_place.items():
        if model not in base_tables or model not in head_tables or split not in JUDGED:
            continue
        base, head = (table[table["split"] == split] for table in (base_tables[model], head_tables[model]))
        same = same_rows(base, head)
        if split == "test":
            found.same.append(same)
        if not same or predictions.classes(base) != predictions.classes(head):
            continue
        recomputed = evaluation.metrics(base), evaluation.metrics(head)
        if any((c.base, c.head) != (recomputed[0].get(c.metric), recomputed[1].get(c.metric)) for c in group):
            continue  # another code has measured them
        intervals, test = paired(base, head, settings, stratified)
        found.intervals |= {(model, split, metric): ends for metric, ends in intervals.items()}
        found.pairs.append(Pair(model, split, len(head), test))
    return found


def same_rows(one: "pd.DataFrame", other: "pd.DataFrame") -> bool:
    """Whether two tables of predictions hold the same ids, each with the same label."""
    labels = [dict(zip(rows["id"], rows["label"], strict=True)) for rows in (one, other)]
    return labels[0] == labels[1] and len(labels[0]) == len(one) == len(other)


def paired(
    base: "pd.DataFrame", head: "pd.DataFrame", settings: rules.Evaluate, stratified: bool
) -> tuple[dict[str, Interval], "McNemar"]:
    """The interval of each metric's change, and McNemar's test with a for head; of decided rows of the same ids.

    Both sets of predictions are measured on the same resamples of the rows, as `statistics.bootstrap` draws them;
    for accuracy the interval is that of `statistics.accuracy_difference`. `ece` has none (`statistics.percentile`).
    """
    import numpy as np

    from textclf.artifacts import predictions
    from textclf.evaluate import evaluation, statistics

    base = base.set_index("id").loc[head["id"]].reset_index()
    outputs = {}
    for name, rows in (("base", base), ("head", head)):
        places = {label: place for place, label in enumerate(predictions.classes(rows))}
        outputs[name] = evaluation.arrays(rows)[1], np.array([places[label] for label in rows["decided"]])
    y = evaluation.arrays(head)[0]
    draws = statistics.bootstrap(y, outputs, settings.seed, settings.resamples, stratified)
    intervals = {}
    for metric, values in draws["head"].items():
        if values.ndim == 1 and metric != "ece":
            low, high = statistics.percentile(values - draws["base"][metric], settings.confidence)
            intervals[metric] = Interval(round(low, DIGITS), round(high, DIGITS))
    right = [(rows["label"] == rows["decided"]).to_numpy(dtype=bool) for rows in (head, base)]
    return intervals, statistics.mcnemar(*right)


def number(value: float) -> str:
    """Three digits after the point, or one that counts where these would be 0."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1g}"
