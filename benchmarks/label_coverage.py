"""Measure how often the 95% intervals of metrics of several labels per text contain the true value.

    python -m benchmarks.label_coverage

Test sets of eight labels, which 2% to 40% of the rows have, are drawn from a known model, so the true values are known
too. Labels and mistakes of a row are correlated. Takes about ten minutes on one core.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.progress import track
from textclf.evaluate.influence import compare_metric
from textclf.evaluate.intervals import Interval, normal_quantile
from textclf.evaluate.metrics import point_values
from textclf.evaluate.registry import METRICS, metrics_of
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import COMPARED_SETS, SplitMetrics

SETS = 300  # simulated test sets per line
TRUTH = 1_000_000  # rows from which the true values are computed
SEED = 1
SHARES = (0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)  # of the rows that have each label
TOGETHER = 0.3  # of the variance of a row's scores is common to its labels
PAIR = ("a", "b")
OF_LABELS = ("precision", "recall", "f1", "roc_auc", "average_precision")
RARE = 0  # the label that is shown by itself

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class Scenario:
    """A kind of test set. `cluster` rows each share their labels and a part `correlation` of the variance of scores.

    `distance` is that of the rows with a label from those without, in standard deviations of the scores of the first
    model; the second has 0.8 of it.
    """

    name: str
    rows: int
    distance: float = 1.2
    cluster: int = 1
    correlation: float = 0.5


SCENARIOS = (
    Scenario("100 rows", 100),
    Scenario("400 rows", 400),
    Scenario("2,000 rows", 2000),
    Scenario("400 rows, sharp", 400, distance=2.0),
    Scenario("400 rows, blunt", 400, distance=0.7),
    Scenario("400 rows, 100 groups of 4", 400, cluster=4),
    Scenario("2,000 rows, 200 groups of 10", 2000, cluster=10),
)


def draw(kind: Scenario, rows: int, generator: np.random.Generator) -> tuple[Labels, dict[str, Floats]]:
    """Return the labels of rows, and probabilities by model, both (rows, labels)."""
    clusters = rows // kind.cluster
    limits = np.array([normal_quantile(1 - share) for share in SHARES])
    y = (noise(clusters, 1, 0, generator) > limits).astype(np.int8).repeat(kind.cluster, axis=0)
    noises = [noise(clusters, kind.cluster, kind.correlation, generator) for _ in PAIR]
    noises[1] = 0.7 * noises[0] + math.sqrt(1 - 0.7**2) * noises[1]
    shares = np.array(SHARES)
    outputs = {}
    for name, own, distance in zip(PAIR, noises, (kind.distance, 0.8 * kind.distance), strict=True):
        odds = np.log(shares / (1 - shares)) + 2 * distance * (distance * (2 * y - 1) + own)
        outputs[name] = 1 / (1 + np.exp(-1.2 * odds))  # 1.2: overconfident
    return y, outputs


def noise(clusters: int, size: int, correlation: float, generator: np.random.Generator) -> Floats:
    """Return standard normal numbers (rows, labels), correlated within rows and within clusters of `size` rows."""

    def of_rows(rows: int) -> Floats:
        common, own = generator.normal(size=(rows, 1)), generator.normal(size=(rows, len(SHARES)))
        return np.asarray(math.sqrt(TOGETHER) * common + math.sqrt(1 - TOGETHER) * own)

    shared = of_rows(clusters).repeat(size, axis=0)
    return math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * of_rows(clusters * size)


def measured(kind: Scenario, y: Labels, outputs: dict[str, Floats]) -> SplitMetrics:
    """Return the metrics of the rows, as the stage evaluate has them."""
    ids, split = np.arange(len(y)).astype(object), np.full(len(y), "test", dtype=object)
    classes = tuple(f"{share:.0%}" for share in SHARES)
    models = {name: Predictions(ids, split, y, output, classes) for name, output in outputs.items()}
    clusters = np.repeat(np.arange(len(y) // kind.cluster), kind.cluster) if kind.cluster > 1 else None
    decision = Decision(thresholds=(0.5,) * len(SHARES))
    return SplitMetrics("test", models, dict.fromkeys(models, decision), Evaluate(), False, clusters)


def truth(kind: Scenario, generator: np.random.Generator) -> dict[str, float]:
    """Return the metrics of model a in a very large sample, those of its rarest label, and the differences from b."""
    y, outputs = draw(replace(kind, cluster=1), TRUTH, generator)
    values = {name: point_values(y, output, (output > 0.5).astype(np.int8)) for name, output in outputs.items()}
    a, b = (values[name] for name in PAIR)
    true = {name: float(a[name][0]) for name, metric in metrics_of(True).items() if metric.interval}
    true |= {of_rare(metric): float(a[f"class_{metric}"][0, RARE]) for metric in OF_LABELS}
    return true | {minus_b(metric): float(a[metric][0] - b[metric][0]) for metric in ("accuracy", *COMPARED_SETS)}


def of_rare(metric: str) -> str:
    """Return what the metric of the rarest label is called."""
    return f"{METRICS[metric].title} of the label of {SHARES[RARE]:.0%}"


def minus_b(metric: str) -> str:
    """Return what the difference of a metric between the models is called."""
    return f"difference in {METRICS[metric].title}"


def intervals(part: SplitMetrics) -> dict[str, Interval | None]:
    """Return the intervals of a test set, by the keys of `truth`."""
    metrics = [name for name in part.values["a"] if name in metrics_of(True) and metrics_of(True)[name].interval]
    ends: dict[str, Interval | None] = {name: part.interval("a", name) for name in metrics}
    if part.support[RARE]:
        ends |= {of_rare(metric): part.interval("a", metric, RARE) for metric in OF_LABELS}
    difference = part.comparison(*PAIR).difference
    ends[minus_b("accuracy")] = Interval(difference.low, difference.high)
    for metric in COMPARED_SETS:
        values = {name: float(part.values[name][metric][0]) for name in PAIR}
        found = compare_metric(part.of_rows, metric, values, [PAIR], 0.95)[PAIR]
        ends[minus_b(metric)] = None if found is None else Interval(found.low, found.high)
    return ends


def measure() -> dict[str, Any]:
    """Return how often each interval contains the true value, in each scenario."""
    content: dict[str, Any] = {"sets": SETS, "scenarios": []}
    for number, kind in enumerate(track(SCENARIOS, "scenarios", len(SCENARIOS))):
        generator = np.random.default_rng(SEED + number)
        true = truth(kind, generator)
        stated, contained = dict.fromkeys(true, 0), dict.fromkeys(true, 0)
        for _ in range(SETS):
            for name, ends in intervals(measured(kind, *draw(kind, kind.rows, generator))).items():
                if ends is not None:
                    stated[name] += 1
                    contained[name] += ends.low - 1e-9 <= true[name] <= ends.high + 1e-9
        metrics = {
            name: {
                "true": true[name],
                "contained": contained[name] / max(stated[name], 1),
                "stated": stated[name] / SETS,
            }
            for name in true
        }
        content["scenarios"].append({"scenario": kind.name, "metrics": metrics})
    return content


def table() -> str:
    """Return the share of intervals that contain the true value, by metric (row) and kind of test set (column)."""
    content = results.read("label_coverage")
    kinds = content["scenarios"]
    shown = {name: metric.title for name, metric in metrics_of(True).items() if metric.interval}
    shown |= {name: name for name in [*map(of_rare, OF_LABELS), *map(minus_b, ("accuracy", *COMPARED_SETS))]}
    rows = [[title, *(covered(kind["metrics"][name]) for kind in kinds)] for name, title in shown.items()]
    error = 100 * math.sqrt(0.95 * 0.05 / content["sets"])
    note = f"{content['sets']} test sets per column; the standard error of a percentage is about {error:.1f} points."
    header = ["% of intervals with the truth", *(kind["scenario"] for kind in kinds)]
    return f"{results.markdown(header, rows)}\n\n{note}"


def covered(cell: dict[str, float]) -> str:
    """Return the percentage of intervals that contain the truth, and that of the test sets with an interval."""
    if cell["stated"] < 0.05:
        return "none"
    return f"{100 * cell['contained']:.0f}" + (f" ({cell['stated']:.0%})" if cell["stated"] < 0.995 else "")


TABLES = {"label-coverage": table}

if __name__ == "__main__":
    results.main({"label_coverage": measure})
