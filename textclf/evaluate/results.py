"""The results of a run as the files in metrics/ have them; the same classes write and read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, TypeAdapter, model_validator

from textclf.artifacts.decisions import Decision
from textclf.artifacts.split_report import SplitReport
from textclf.core.differences import MISSING, value_at
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.formatting import points
from textclf.core.result_files import (
    REMEDY,
    Count,
    Exact,
    Fraction,
    Number,
    Positive,
    PValue,
    Result,
    check,
    parse_file,
    to_json,
)
from textclf.core.settings import rule
from textclf.evaluate.registry import METRICS, format_interval, format_value, pair_name


def _check_metrics(metrics: dict[str, float]) -> dict[str, float]:
    for name, value in metrics.items():
        if name in METRICS and METRICS[name].percent and not 0 <= value <= 1:
            raise rule(f"metrics with {name} from 0 to 1")
    return metrics


def _check_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise rule("a number")
    return value


# By the names of `METRICS`.
Metrics = Annotated[dict[str, Number], AfterValidator(_check_metrics)]
# Numbers of a training, of any names.
Record = dict[str, Annotated[int | float, PlainValidator(_check_number)]]


class Ends(Result):
    """The interval of a number."""

    low: Number
    high: Number
    # Of an accuracy: the number of independent rows that its Wilson interval is of.
    effective_rows: Annotated[Number, Field(gt=0)] = 1.0
    # Of an accuracy of dependent rows: the degrees of freedom of that number.
    degrees: Annotated[Number, Field(ge=0)] | None = None


class MeasuredShare(Ends):
    """A share of some rows."""

    value: Fraction
    rows: Positive


class Difference(Ends):
    """A metric of one model minus that of another on the same rows, with its interval."""

    difference: Number

    def reversed(self) -> Self:
        """Return the difference of the other model minus this one."""
        ends = {"low": -self.high, "high": -self.low}
        return self.model_copy(update={"difference": -self.difference, **ends})


class Comparison(Difference):
    """The difference in accuracy of a later model minus an earlier one, and its test."""

    only_first: Count  # rows that only the later one decides correctly
    only_second: Count
    p: PValue  # that they are alike
    # Corrected for the number of pairs; those with a baseline are neither corrected nor counted.
    p_holm: PValue
    # The smallest that the test detects with 80% power; None if there is none.
    smallest_difference: Number | None = None
    # The differences of other metrics; None if there are too few rows.
    metrics: dict[str, Difference | None] = Field({})


class ByModel(Result):
    """A file with an entry per model, beside a few other keys."""

    model_config = ConfigDict(extra="allow")

    def __getitem__(self, model: str) -> Any:
        """Return the entry of a model; `KeyError` if there is none."""
        return self.models[model]

    @property
    def models(self) -> dict[str, Any]:
        """The entries by model."""
        return self.__pydantic_extra__ or {}


class Protocol(Result):
    """The rows by which models are chosen and measured."""

    validation_rows: Count = 0
    # Training rows that choose, if there are no validation rows.
    held_out_rows: Count = 0
    # 1 if a model recorded its loss on the test rows while training.
    test_rows_watched: Count = 0
    # A checksum of the test rows, by which `looks` recognises their results.
    test_rows: Count | None = None
    # The number of clusters of each split with dependent rows.
    clusters: dict[str, Positive] = Field({})
    # The independent rows that those of a split are worth at least: n^2 / sum(m^2) for clusters of
    # m of n rows, Kish (1965), Survey Sampling, 5.4.
    independent_rows: dict[str, Number] = Field({})


class FoldScores(Result):
    """The scores of a model on held-out training rows."""

    rows: Positive
    folds: Positive
    accuracy: Fraction
    log_loss: Number
    cost: Number | None = None
    mae: Number | None = None


class Candidate(Result):
    """How a model compares with the best, by `compare_candidates`; errors are standard errors."""

    accuracy_difference: Number = 0.0
    accuracy_error: Number = 0.0
    cost_difference: Number | None = None  # with costs, in place of the accuracy
    cost_error: Number = 0.0
    mae_difference: Number | None = None  # with ordered classes
    mae_error: Number = 0.0
    log_loss_difference: Number = 0.0
    log_loss_error: Number = 0.0
    tied: Count  # 1 or 0; the first of the tied models is chosen


class Choice(Result):
    """The choice of the default model among several, unless export.model names one."""

    models: dict[str, Candidate] = Field({})  # from the fastest to the slowest
    accuracy: Fraction | None = None  # of the first that is tied, allowing for the choice
    cost: Number | None = None  # likewise, with costs
    mae: Number | None = None  # likewise, with ordered classes
    log_loss: Number | None = None  # likewise, with several labels per text


class Calibrated(Result):
    """The log loss of a model on the rows that calibrate it, before and after.

    Both are the same if the model stays uncalibrated.
    """

    rows: Positive
    before: Number
    after: Number


class ModelDecision(Result):
    """How a model decides, as the keys of `Decision.to_json`, and what that rests on."""

    model_config = ConfigDict(extra="allow")

    # Its log loss minus that of guessing on the test rows.
    guessing: Difference | None = None
    # By split: its calibration error if its probabilities were right.
    ece_if_calibrated: dict[str, Number] = Field({})
    # Only if evaluate.calibration is set.
    calibrated: Calibrated | None = None
    # By split, of a calibrated model: the metrics before calibration.
    uncalibrated: dict[str, Metrics] = Field({})
    # The rows, or clusters, that calibrate it and are wrong before calibration.
    validation_mistakes: Count | None = None
    # The number of labels with too few rows to choose a threshold by.
    labels_of_few_rows: Count | None = None
    # By actual and decided class: see `find_unseen_cost`.
    unseen_cost: dict[str, dict[str, Exact]] = Field({})

    @cached_property
    def decision(self) -> Decision:
        """How probabilities become decisions."""
        return Decision.from_json(self.__pydantic_extra__ or {})

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.decision  # noqa: B018 (computed to see whether it can be)
        except ValueError:
            raise rule(
                "a decision with a valid threshold, temperature, or slope and intercept"
            ) from None
        return self


class Decisions(ByModel):
    """The content of decisions.json."""

    protocol: Protocol = Field(default_factory=Protocol)
    # Of guessing by the shares of the training rows; `cost` is that of the best constant decision.
    guessing: Metrics = Field({})
    # Without validation rows.
    crossvalidation: dict[str, FoldScores] = Field({})
    # With several models.
    choice: Choice | None = None
    # By split, of the model that `choice` chooses, whatever export.model names; empty if no rows
    # choose.
    best: dict[str, Metrics] = Field({})
    __pydantic_extra__: dict[str, ModelDecision]


class Slice(Result):
    """A model on the test rows of a slice.

    The metric of evaluate.slice_metric and its interval have keys of their own names.
    """

    model_config = ConfigDict(extra="allow")

    rows: Positive
    accuracy: Fraction
    accuracy_interval: Ends
    difference: Number  # of its accuracy minus that of all other rows
    difference_interval: Ends
    p: PValue  # that both accuracies are the same
    p_holm: PValue  # corrected for the slices of the model
    effective_rows: Number | None = None  # independent rows that dependent ones are worth
    __pydantic_extra__: dict[str, Number | Ends | None]

    def metric(self, name: str) -> tuple[float, Ends | None] | None:
        """Return a metric and its interval, None for too few rows; None for an undefined metric."""
        extra: dict[str, Any] = self.__pydantic_extra__
        return (extra[name], extra[f"{name}_interval"]) if name in extra else None


class SliceProtocol(Result):
    """What is no slice."""

    left_out: dict[str, Count] = Field({})  # values of each column


class Slices(ByModel):
    """The content of slices.json: by model and slice."""

    protocol: SliceProtocol = Field(default_factory=SliceProtocol)
    __pydantic_extra__: dict[str, dict[str, Slice]]


class CoverageProtocol(Result):
    """What was asked of prediction sets, and of how many rows their limits are."""

    coverage: Fraction
    by_class: Count  # 1 if each class is to have that coverage
    validation_rows: Positive


class MeasuredSets(Result):
    """The prediction sets of a model on the test rows. Shares without rows are None."""

    rows: Positive
    # Sets with the actual class, or the mean share of its labels that the set of a text has
    coverage: MeasuredShare | None
    set_size: Number
    empty: Fraction
    answered: Fraction  # sets of one class
    several: Fraction
    accuracy: MeasuredShare | None  # of the answers; None for sets of labels
    classes: dict[str, MeasuredShare | None]  # rows of each class whose set has it


class Coverage(ByModel):
    """The content of coverage.json: empty without evaluate.coverage."""

    protocol: CoverageProtocol | None = None
    __pydantic_extra__: dict[str, MeasuredSets]


class Rejected(Result):
    """How rejection sorts the rows of a split. A share without rows is None."""

    # Of the rows of a class: those with their class that are not rejected.
    accuracy: MeasuredShare | None
    # Of the rows of no class: those rejected.
    recall: MeasuredShare | None
    # Of the rows rejected: those of no class.
    precision: MeasuredShare | None


class Area(Result):
    """The area under the ROC curve; without an interval if there are too few rows."""

    value: Fraction
    low: Number | None = None
    high: Number | None = None

    @property
    def ends(self) -> Ends | None:
        """The interval."""
        return None if self.low is None or self.high is None else Ends(low=self.low, high=self.high)


class RejectedByScore(Rejected):
    """The same by another score and its own threshold."""

    threshold: Number
    roc_auc: Area


class Unknown(Rejected):
    """Texts of no class in a split: as the model decides, and by each score."""

    scores: dict[str, RejectedByScore]


class Foreseen(Ends):
    """The accuracy of twice the labels and the labels for a target, by a power law of errors."""

    now: Fraction  # accuracy that it gives for all labels
    accuracy: Fraction  # for twice as many; the interval is that of it
    target: Fraction
    # The `value`, `low` and `high` for the target; None if they are too many to foresee.
    labels: dict[str, Positive | None]


class OfLabels(Result):
    """A model of fewer labels, and of more; the keys are numbers of labels."""

    # The accuracy on the test rows.
    history: dict[str, MeasuredShare]
    # None if there are too few numbers of labels.
    foreseen: Foreseen | None = None
    # The accuracy with suggested texts minus that with random ones.
    suggested: dict[str, Difference] = Field({})


class Shape(Result):
    """The features of a split."""

    rows: Positive
    features: Count
    nonzeros: Count
    cut: Count = 0  # texts that are longer than the representation reads


class Features(Result):
    """The features of a representation by split, and further numbers.

    One of these is the share of texts without spaces.
    """

    model_config = ConfigDict(extra="allow")

    train: Shape
    validation: Shape | None = None
    test: Shape
    __pydantic_extra__: dict[str, Shape | Exact]


@dataclass(frozen=True)
class Results:
    """The JSON files in metrics/ by name; one that was not read is empty."""

    # By model and split.
    evaluation: dict[str, dict[str, Metrics]] = field(default_factory=dict)
    # By model, split and metric; None for too few rows.
    intervals: dict[str, dict[str, dict[str, Ends | None]]] = field(default_factory=dict)
    # By `pair_name`.
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    slices: Slices = field(default_factory=Slices)
    coverage: Coverage = field(default_factory=Coverage)
    training: dict[str, Record] = field(default_factory=dict)
    # By model and split.
    unknown: dict[str, dict[str, Unknown]] = field(default_factory=dict)
    # By model; empty if all labels are of the table.
    labels: dict[str, OfLabels] = field(default_factory=dict)
    features: dict[str, Features] = field(default_factory=dict)
    splits: SplitReport = field(default_factory=SplitReport)

    @classmethod
    def of(cls, **contents: Any) -> Self:
        """Return the results with these contents of files, also as plain dictionaries."""
        parts = {
            name: TypeAdapter(KINDS[name]).validate_python(content)
            for name, content in contents.items()
        }
        return cls(**parts)

    @classmethod
    def read(
        cls, folder: Path, names: Iterable[str], models: Sequence[str], external: Sequence[str] = ()
    ) -> Self:
        """Return the content of these files, with all that readers need for the models of a run.

        `models` are those of train and average, `external` those of evaluate.external. Raises
        `UserError` if a file is missing or damaged, or lacks a number.
        """
        contents = {name: parse_file(folder / f"{name}.json") for name in names}
        parts = {
            name: check(KINDS[name], content, f"{folder / name}.json")
            for name, content in contents.items()
        }
        results = cls(**parts)
        splits = list(SPLITS)
        if not results.decisions.protocol.validation_rows:
            splits.remove("validation")
        for name, content in contents.items():
            for key in map(".".join, _needed(name, models, external, splits)):
                if value_at(content, key) in (MISSING, None):
                    raise UserError(
                        f"{folder / name}.json: {key} is missing; it must be set; {REMEDY}"
                    )
        return results

    def compare(self, name: str, other: str) -> Comparison:
        """Return the comparison of two models on the test rows, of the first minus the other."""
        pair = self.comparisons.get(pair_name(name, other))
        if pair is not None:
            return pair
        pair = self.comparisons[pair_name(other, name)].reversed()
        metrics = {
            metric: difference and difference.reversed()
            for metric, difference in pair.metrics.items()
        }
        return pair.model_copy(update={"metrics": metrics})

    def accuracy_ends(self, model: str, split: str = "test") -> Ends:
        """Return the interval of an accuracy, which a model has on each split that it predicts."""
        return cast("Ends", self.intervals[model][split]["accuracy"])

    def files(self) -> dict[str, Any]:
        """Return what each file contains, by its name."""
        return {f"{each.name}.json": to_json(getattr(self, each.name)) for each in fields(self)}


KINDS = get_type_hints(Results, include_extras=True)


def _needed(
    name: str, models: Sequence[str], external: Sequence[str], splits: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the keys that a file must have for these models and splits, as paths from the top."""
    every = (*models, *external)
    measured = [
        *((model, split) for model in models for split in splits),
        *((each, "test") for each in external),
    ]
    match name:
        case "evaluation":
            yield from (
                (*place, metric) for place in measured for metric in ("accuracy", "ece", "log_loss")
            )
        case "intervals":
            yield from ((*place, "accuracy", "effective_rows") for place in measured)
        case "comparisons":
            yield from ((pair_name(later, earlier),) for earlier, later in combinations(every, 2))
        case "decisions":
            yield from ((key,) for key in ("protocol", "guessing", "crossvalidation", *every))
        case "training" | "slices":
            yield from ((model,) for model in every)
        case "splits":
            pairs = [f"{later}_in_{earlier}" for earlier, later in combinations(splits, 2)]
            yield from ((key,) for key in (*splits, "label_conflicts"))
            for kind in ("exact", "normalised"):
                yield from (("duplicates", kind, split) for split in splits)
                yield from (("leaks", kind, pair) for pair in pairs)


TOO_FEW = "too few rows"  # shown instead of an interval, where the metrics files have null


def format_metric(
    name: str,
    metrics: Mapping[str, float],
    intervals: Mapping[str, Ends | None],
    calibrated: float | None = None,
) -> tuple[str, str]:
    """Return a metric of a split as it is shown, with its interval; "" in place of none.

    `calibrated` is what stands beside the calibration error: the one to expect if the probabilities
    are right.
    """
    if name not in metrics:
        return "", ""
    if name not in intervals:
        beside = ""
        if name == "ece" and calibrated is not None:
            beside = f"{format_value(name, calibrated)} if calibrated"
        return format_value(name, metrics[name]), beside
    return format_measured(name, metrics[name], intervals[name])


def format_measured(name: str, value: float, ends: Ends | None) -> tuple[str, str]:
    """Return a metric's value and its interval, None for too few rows, as they are shown."""
    interval = format_interval(name, ends.low, ends.high) if ends else TOO_FEW
    return format_value(name, value), interval


def format_share(share: MeasuredShare | None) -> str:
    """Return a share with its interval in brackets, "" of no rows."""
    if share is None:
        return ""
    value, interval = format_measured("accuracy", share.value, share)
    return f"{value} ({interval})"


def format_difference(name: str, difference: float, ends: Ends | None) -> tuple[str, str]:
    """Return the difference of a metric between two models and its interval as they are shown.

    Percentages differ in points. `ends` is None for too few rows.
    """
    if ends is None:
        return "", TOO_FEW
    numbers = difference, ends.low, ends.high
    if METRICS[name].percent:
        value, low, high = (points(number) for number in numbers)
    else:
        value, low, high = (f"{number:+.3f}".replace("-", "\N{MINUS SIGN}") for number in numbers)
    return value, f"{low} to {high}"
