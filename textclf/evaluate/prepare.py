"""The metrics and intervals of many rows, computed on all cores before they are asked for."""

from collections.abc import Mapping
from typing import Any

from textclf.artifacts import shards
from textclf.core import workers
from textclf.evaluate.metrics.of_counts import CountMetric, ShareMetric
from textclf.evaluate.registry import METRICS
from textclf.evaluate.split_metrics import SplitMetrics

# Bytes of a row, and of each class beside, while a metric is computed; measured: the area under the
# ROC curve takes most.
ROW, CLASS = 64, 16
# Metrics that go over all rows, one in a task. The others, of which a task computes all, do so once
# together.
OF_COUNTS = [
    name for name, metric in METRICS.items() if isinstance(metric, (CountMetric, ShareMetric))
]
GROUPS = [OF_COUNTS, *([name] for name in METRICS if name not in OF_COUNTS)]

# The splits that are measured, as forked processes find them.
_splits: dict[str, SplitMetrics] = {}


def prepare(splits: Mapping[str, SplitMetrics]) -> None:
    """Compute the metrics of splits with more rows than a shard, in processes that share them."""
    large = {name: part for name, part in splits.items() if part.rows > shards.ROWS}
    tasks = [
        (split, model, group)
        for split, part in large.items()
        for model in part.judged
        for group in GROUPS
    ]
    if not large or not workers.forks():
        return
    _splits.update(large)
    memory = max((ROW + CLASS * len(part.classes)) * part.rows for part in large.values())
    try:
        with workers.local_pool(len(tasks), memory) as pool:
            made = pool.map(_prepare, tasks, "measure models")
    finally:
        _splits.clear()
    for (split, model, _), results in zip(tasks, made, strict=True):
        splits[split].judged[model].results.update(results)


def _prepare(split: str, model: str, names: list[str]) -> dict[Any, Any]:
    part = _splits[split]
    part.prepare(model, names)
    return part.judged[model].results
