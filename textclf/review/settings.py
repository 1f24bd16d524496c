"""Settings of the gate: what a change must not break."""

from typing import Annotated

from pydantic import AfterValidator, Field

from textclf.core.files import SPLITS
from textclf.core.formatting import join_names
from textclf.core.settings import Name, Section, one_of, rule
from textclf.evaluate.registry import METRICS
from textclf.evaluate.settings import SLICE_METRICS, MetricName

LOWER_IS_BETTER = join_names(
    [name for name, metric in METRICS.items() if not metric.higher_is_better]
)


def _shares(limits: dict[str, float]) -> dict[str, float]:
    for name, limit in limits.items():
        if METRICS[name].percent and not 0 <= limit <= 1:
            raise rule(f"limits from 0 to 1 for {name}, not percent")
    return limits


SplitName = Annotated[str, one_of(SPLITS)]
SliceMetricName = Annotated[str, one_of(("accuracy", *SLICE_METRICS))]
Shares = AfterValidator(_shares)
Bounds = dict[Name, dict[SplitName, Annotated[dict[MetricName, float], Shares]]]
SliceBounds = dict[Name, dict[Name, Annotated[dict[SliceMetricName, float], Shares]]]
Drops = dict[
    Name, dict[SplitName, Annotated[dict[MetricName, Annotated[float, Field(ge=0)]], Shares]]
]
Rates = dict[Name, dict[Name, dict[Name, Annotated[float, Field(ge=0, le=1)]]]]


class Gate(Section):
    """Limits beyond which `textclf pr-report` fails, each as model: {split: {metric: number}}."""

    minimum: Bounds = Field(
        {}, description=f"worst value allowed: the most for {LOWER_IS_BETTER}, the least for others"
    )
    maximum_drop: Drops = Field(
        {},
        description="how much worse than the base a metric may be; "
        "only changes beyond their interval count",
    )
    slices: SliceBounds = Field(
        {},
        description="worst value allowed in a slice of the test rows, "
        "as {keras: {class=1: {accuracy: 0.7}}}",
    )
    behaviour: Rates = Field(
        {},
        description="highest failure rate in a behavioural test, "
        "as model: {file in behave.tests: {test: rate}}",
    )
