"""The charts: one specification each, from which the figures, the report and `dvc plots` draw.

The stage `plot` draws those of `CHARTS` that have a figure; the section `plots` of dvc.yaml lists
all for `dvc plots`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from textclf.plot.style import PERCENT, Spec


@dataclass(frozen=True)
class Axis:
    """A column along an axis; `scale` and `ticks` are Vega-Lite's scale and axis of an encoding."""

    column: str
    # "" is the column's name.
    title: str | None = ""
    # The format of its numbers in the title of a mark; a column of names has none.
    form: str = ".1%"
    scale: Spec | None = field(default_factory=lambda: {"domain": [0, 1]})
    ticks: Spec = field(default_factory=lambda: PERCENT)

    @property
    def label(self) -> str | None:
        """The title; None if the axis has none."""
        return self.column.replace("_", " ") if self.title == "" else self.title

    def encode(self, column: str = "") -> Spec:
        """Return the Vega-Lite encoding of this column, or of another one along the same axis."""
        kind: Spec = {"type": "quantitative"} if self.form else {"type": "nominal", "sort": None}
        scale = {"scale": self.scale} if self.scale else {}
        own = {"field": column or self.column, "title": self.label, "axis": self.ticks}
        return kind | scale | own

    @property
    def field(self) -> tuple[str, str, str]:
        """What the title of a mark says: title, format and column, as for `marks.describe`."""
        return self.label or self.column, self.form, self.column


def names(column: str, title: str | None = "", scale: Spec | None = None, **ticks: Any) -> Axis:
    """Return an axis of names, in their order in the table."""
    return Axis(column, title, "", scale, ticks)


@dataclass(frozen=True)
class Chart:
    """What a chart shows: columns of a table along two axes, a mark per row or a line per model."""

    # The name of its template for dvc plots.
    name: str
    title: str
    # One of line, point, bar and cell.
    kind: str
    x: Axis
    y: Axis
    # The file in plots/ that has its data, if one has.
    table: str = ""
    # The split whose rows are drawn, of a table with a column `split`.
    split: str = ""
    # Columns of an interval, along the axis that has numbers (y, if both have).
    ends: tuple[str, str] | None = None
    # Points of a dotted line: guessing, or perfect calibration.
    guide: Sequence[tuple[float, float]] = ()
    # The column whose number is the area of a point.
    area: str = ""
    # Whether a line goes in steps: between two points, y is that of the right one.
    steps: bool = False
    # The column that the dashes of lines tell apart.
    dash: str = "model"
    # The column with a panel for each of its values: model or class.
    panels: str = ""
    # The SVG file in plots/, if it has one; charts of one figure stand side by side.
    figure: str = ""
    # Stands below the title of the figure.
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are drawn, with `model`."""
        drawn = self.panels, self.x.column, self.y.column, *(self.ends or ()), self.area
        names = ["model", self.dash, "split" if self.split else "", *drawn]
        return tuple(dict.fromkeys(filter(None, names)))


FINE = {"grid": False, "tickMinStep": 1, "tickCount": 6}
EPOCH = Axis("epoch", form=",.0f", scale={"zero": True, "nice": False}, ticks=FINE)
# The ticks of an axis of shares.
SHARE = {"format": "%"}
ACCURACY = Chart(
    name="accuracy",
    title="Accuracy by epoch",
    table="history",
    kind="line",
    x=EPOCH,
    y=Axis("accuracy", scale={"zero": False, "nice": True}, ticks=SHARE),
    dash="split",
    figure="history",
)
LOSS = Chart(
    name="loss",
    title="Loss by epoch",
    table="history",
    kind="line",
    x=EPOCH,
    y=Axis("loss", "loss (nats)", ".4f", scale={"zero": True, "nice": True}, ticks={}),
    dash="split",
    figure="history",
)
CONFUSION = Chart(
    name="confusion",
    title="Test rows by actual and predicted class",
    table="confusion",
    kind="cell",
    x=names("predicted", "predicted class"),
    y=names("actual", "actual class"),
    ends=("count", "share"),
    panels="model",
    figure="confusion",
)
ROC = Chart(
    name="roc",
    title="ROC curves of the test rows",
    table="roc",
    kind="line",
    x=Axis("false_positive_rate"),
    y=Axis("true_positive_rate"),
    guide=((0, 0), (1, 1)),
    panels="class",
    figure="roc",
)
PRECISION_RECALL = Chart(
    name="precision_recall",
    title="Precision and recall of the test rows",
    table="precision_recall",
    kind="line",
    x=Axis("recall"),
    y=Axis("precision"),
    # A straight line would be too optimistic: Davis and Goadrich (2006),
    # doi:10.1145/1143844.1143874.
    steps=True,
    panels="class",
)
RISK_COVERAGE = Chart(
    name="risk_coverage",
    title="Error of the test rows answered first, the most confident ones",
    table="risk_coverage",
    kind="line",
    x=Axis("share_answered", "share of the rows answered"),
    y=Axis("error", scale={"zero": True}),
)
RELIABILITY = Chart(
    name="reliability",
    title="Reliability on the test rows",
    table="reliability",
    kind="point",
    x=Axis("confidence", ticks=PERCENT | {"tickCount": 4}),
    y=Axis("accuracy", ticks=SHARE),
    ends=("accuracy_low", "accuracy_high"),
    guide=((0, 0), (1, 1)),
    area="rows",
    panels="model",
    figure="reliability",
    note=(
        "On the dotted line confidence and accuracy agree; below it the model is overconfident. "
        "Area: rows."
    ),
)
F1 = Chart(
    name="f1",
    title="F1 of each class on the test rows",
    table="classes",
    kind="point",
    x=Axis("f1", "F1"),
    y=names("class"),
    split="test",
    ends=("f1_low", "f1_high"),
)
CHARTS = {
    chart.name: chart
    for chart in (ACCURACY, LOSS, F1, CONFUSION, ROC, PRECISION_RECALL, RISK_COVERAGE, RELIABILITY)
}
# Charts of the report alone, and of studies, whose rows are in no table of a run.
BY_SPLIT = Chart(
    name="accuracies",
    title="Accuracy on each split",
    kind="point",
    x=Axis("accuracy", scale={"zero": False, "nice": True, "domainMax": 1}),
    y=names("split", None, {"paddingInner": 0.3}),
    ends=("low", "high"),
)
BY_MODEL = Chart(
    name="by-model",
    title="Accuracy of each model",
    kind="point",
    x=Axis("accuracy", scale={"zero": False, "nice": True, "domainMax": 1}),
    y=names("model", None),
    ends=("low", "high"),
)
BY_CLASS = Chart(
    name="by-class",
    title="Recall of each class: the share of its rows that is found",
    kind="point",
    x=Axis("accuracy", "recall: share of the class found"),
    y=names("class", None, {"paddingInner": 0.3}, labelLimit=130),
    ends=("low", "high"),
)
LENGTHS = Chart(
    name="lengths",
    title="Texts by their number of words",
    kind="bar",
    x=Axis("from", "words in a text", ",.0f", scale=None, ticks={"grid": False, "tickMinStep": 1}),
    y=Axis("rows", "texts", ",.0f", scale=None, ticks={"tickCount": 4}),
    ends=("from", "to"),
)
LEARNING_CURVE = Chart(
    name="learning_curve",
    title="Would more rows help?",
    table="learning_curve",
    kind="line",
    x=Axis("rows", "training rows", ",.0f", scale=None, ticks={"grid": False, "tickCount": 8}),
    y=Axis("accuracy", "test accuracy", scale={"zero": False, "nice": True}, ticks=SHARE),
    ends=("accuracy_low", "accuracy_high"),
    figure="learning_curve",
)


def of_labels(chart: Chart) -> Chart:
    """Return a chart whose title and axes name labels instead of classes."""

    def reworded(text: str) -> str:
        text = text.replace("classes", "labels").replace("class", "label")
        return text.replace("accuracy", "subset accuracy").replace("Accuracy", "Subset accuracy")

    x, y = (replace(axis, title=axis.label and reworded(axis.label)) for axis in (chart.x, chart.y))
    return replace(chart, title=reworded(chart.title), x=x, y=y)


def columns_of(table: str) -> list[str]:
    """Return the columns of a table in plots/ that its charts draw."""
    charts = [chart for chart in CHARTS.values() if chart.table == table]
    return list(dict.fromkeys(name for chart in charts for name in chart.columns))
