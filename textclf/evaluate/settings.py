"""Settings of the stage evaluate."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from textclf.artifacts.decisions import RESERVED
from textclf.core.quoting import quote_name
from textclf.core.settings import FilePath, Section, Share, named, one_of, relation, rule, suggest
from textclf.evaluate.metrics.of_counts import CountMetric
from textclf.evaluate.metrics.of_rows import RowMean
from textclf.evaluate.registry import METRICS

ThresholdRule = Literal["accuracy", "f1", "precision", "micro_f1"]
THRESHOLD_RULES = get_args(ThresholdRule)
# The rule by which all labels have one threshold.
MICRO_F1 = "micro_f1"
# The threshold at which the more probable of two classes is decided.
EVEN = 0.5


def _threshold(value: object) -> float | ThresholdRule:
    if value in THRESHOLD_RULES:
        return cast("ThresholdRule", value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise rule(
            f"a number between 0 and 1, or what to choose it by: {', '.join(THRESHOLD_RULES)}"
        )
    return float(value)


Threshold = Annotated[
    float | ThresholdRule,
    PlainValidator(_threshold),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"enum": list(THRESHOLD_RULES)},
            ]
        }
    ),
]


# The key of the cost of no answer, beside the actual classes.
ABSTAIN = "abstain"
# The largest cost, so that sums of costs are finite.
MOST = 1e100
CostsByClass = Mapping[str, Mapping[str, float] | float]


def _costs(value: object) -> CostsByClass:
    value = {} if value is None else value
    entries: dict[Any, Any] = dict(value) if isinstance(value, Mapping) else {"": value}
    for actual, row in entries.items():
        of_class = isinstance(row, Mapping)
        for cost in row.values() if of_class else [row]:
            is_number = (
                isinstance(cost, int | float) and not isinstance(cost, bool) and abs(cost) <= MOST
            )
            if not is_number or not (of_class or actual == ABSTAIN):
                raise rule("numbers, as {actual: {predicted: cost}, abstain: cost}")
    return entries


CostMatrix = Annotated[
    Any, PlainValidator(_costs), WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "null"}]})
]


# Metrics that counts or sums of the rows of a slice give: not accuracy, which slices always have.
OF_COUNTS, OF_SUMS = (
    tuple(name for name, metric in METRICS.items() if isinstance(metric, kind) and metric.of_slices)
    for kind in (CountMetric, RowMean)
)
SLICE_METRICS = (*OF_COUNTS, *OF_SUMS)

MetricName = Annotated[str, one_of(METRICS), Field(json_schema_extra={"enum": list(METRICS)})]
SliceMetric = Annotated[
    str, one_of(SLICE_METRICS, "null or one of"), WithJsonSchema({"enum": [*SLICE_METRICS]})
]


class Evaluate(Section):
    """How probabilities become decisions, and how certain the metrics are."""

    threshold: Threshold = Field(
        EVEN,
        description="threshold of the positive class; "
        "accuracy, f1, micro_f1 or precision chooses it on held-out rows",
    )
    target_precision: Share = Field(
        0.9, description="precision to guarantee at this confidence, if threshold is precision"
    )
    costs: CostMatrix = Field(
        {},
        description="{actual: {predicted: cost}, abstain: cost} in place of a threshold; "
        "else 1, or 0 if right",
    )
    calibration: Literal["none", "platt", "temperature"] = Field(
        "none",
        description="temperature, or platt (binary, labels): fit probabilities to held-out rows",
    )
    coverage: Share | None = Field(
        None,
        description="share of prediction sets that have the actual class, by validation rows; "
        "null: no sets",
    )
    coverage_by_class: bool = Field(
        False, description="whether each class has that coverage, not only all rows together"
    )
    unknown_score: Literal["probability", "energy", "distance"] = Field(
        "probability",
        description="score by which texts of no class are rejected, if data.unknown names some",
    )
    unknown_keep: Share = Field(
        0.95,
        description="share of the accuracy to keep on the rows that choose, "
        "if fewer than five are of no class",
    )
    confidence: Share = Field(0.95, description="confidence level of every interval")
    slice_metric: SliceMetric | None = Field(
        None,
        description=f"metric of each slice beside accuracy, or null: {', '.join(SLICE_METRICS)}",
    )
    external: Annotated[dict[str, FilePath], named("predictions", RESERVED)] = Field(
        {}, description="predictions made elsewhere to compare: {name: file}"
    )

    @model_validator(mode="after")
    def _decides_once(self) -> Self:
        if self.costs and self.threshold != EVEN:
            raise relation(
                f"threshold must be {EVEN} with costs, which decide instead; got {self.threshold}"
            )
        return self

    @property
    def chooses(self) -> bool:
        """Whether calibration or threshold is chosen by rows that did not train the model."""
        return self.calibration != "none" or isinstance(self.threshold, str)


def by_pair(costs: CostsByClass) -> dict[tuple[str, str], float]:
    """Return the costs that are named, by actual and decided class."""
    rows = [(actual, row) for actual, row in costs.items() if isinstance(row, Mapping)]
    return {(actual, decided): cost for actual, row in rows for decided, cost in row.items()}


def unknown_classes(costs: CostsByClass, classes: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each name in the costs that is not a class."""
    named = dict.fromkeys(name for pair in by_pair(costs) for name in pair)
    for name in named:
        if name in classes:
            continue
        yield f"evaluate.costs must name classes; got {quote_name(name)}; {suggest(name, classes)}"
