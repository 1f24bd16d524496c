"""What the JSON files in metrics/ hold: the types of their values, by which readers check them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from textclf.artifacts.decisions import Decision
from textclf.core.files import SPLITS
from textclf.core.settings import rule
from textclf.evaluate.registry import METRICS

LARGEST = 2**63 - 1  # number of rows or features
PAIRS = {f"{later}_in_{earlier}" for place, later in enumerate(SPLITS) for earlier in SPLITS[:place]}


class OpenMapping(BaseModel):
    """A mapping in a file: fields have their exact types, and other keys may have any value."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _require_mapping(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise rule("a mapping")
        return value


def _check_metrics(metrics: dict[str, float]) -> dict[str, float]:
    for name, value in metrics.items():
        if name in METRICS and METRICS[name].percent and not 0 <= value <= 1:
            raise rule(f"metrics with {name} from 0 to 1")
    return metrics


def _check_rows(counts: dict[str, int]) -> dict[str, int]:
    if not any(counts.values()):
        raise rule("the numbers of at least one row")
    return counts


def _check_pairs(counts: dict[str, int]) -> dict[str, int]:
    if unknown := set(counts) - PAIRS:
        raise rule(f"of pairs of splits, such as test_in_train, not {min(unknown)}")
    return counts


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Positive = Annotated[int, Field(strict=True, gt=0, le=LARGEST)]
Metrics = Annotated[dict[str, Number], AfterValidator(_check_metrics)]
Rows = Annotated[dict[str, Count], AfterValidator(_check_rows)]
Pairs = Annotated[dict[str, Count], AfterValidator(_check_pairs)]


class Ends(OpenMapping):
    """An interval."""

    low: Number
    high: Number


class Pair(OpenMapping):
    """Two models on the same rows."""

    difference: Number
    low: Number
    high: Number
    only_first: Count
    only_second: Count
    p: Number
    p_holm: Number
    smallest_difference: Number = 0.0


class Slice(OpenMapping):
    """A part of the test rows. The metric of evaluate.slice_metric stands beside, with its interval."""

    rows: Positive
    accuracy: Fraction
    accuracy_interval: Ends
    difference: Number
    difference_interval: Ends
    p: Fraction
    p_holm: Fraction


class SliceProtocol(OpenMapping):
    """Which parts of the test rows are no slices: the number of values by column."""

    left_out: dict[str, Count]


class Decided(OpenMapping):
    """How a model decides."""

    threshold: Number = 0.5
    temperature: Annotated[float, Field(gt=0)] = 1.0
    slope: Number = 1.0
    intercept: Number = 0.0
    uncalibrated: dict[str, Metrics] = {}

    @model_validator(mode="after")
    def _check(self) -> "Decided":
        try:
            Decision.from_json(self.model_dump(exclude_unset=True))
        except ValueError:
            raise rule("a decision with temperature, or slope and intercept, or neither") from None
        return self


class Counted(Ends):
    """A share of rows with its interval."""

    value: Fraction
    rows: Positive


class SetProtocol(OpenMapping):
    """How prediction sets were made."""

    coverage: Fraction
    by_class: Count
    validation_rows: Positive


class Covered(OpenMapping):
    """The prediction sets of a model."""

    coverage: Counted
    set_size: Number
    empty: Fraction
    answered: Fraction
    several: Fraction
    accuracy: Counted | None
    classes: dict[str, Counted | None]


class Protocol(OpenMapping):
    """What the models were measured on."""

    validation_rows: Count
    clusters: dict[str, Positive] = {}


class HeldOut(OpenMapping):
    """The scores of a model in the cross-validation within the training rows."""

    rows: Positive
    folds: Positive
    accuracy: Fraction
    log_loss: Number


class Guessing(OpenMapping):
    """What every model should be better than."""

    log_loss: Number


class Shape(OpenMapping):
    """The features of a split."""

    rows: Positive
    features: Count
    nonzeros: Count


class Represented(OpenMapping):
    """The features of a representation."""

    train: Shape
    validation: Shape | None = None
    test: Shape


class SplitRows(OpenMapping):
    """The rows of a split."""

    classes: Rows


class Duplicates(OpenMapping):
    """Rows that repeat an earlier text of their split."""

    exact: dict[str, Count]
    normalised: dict[str, Count]


class Leaks(OpenMapping):
    """Rows whose text or group is also in another split."""

    exact: Pairs
    normalised: Pairs
    group: Pairs = {}


class Conflicts(OpenMapping):
    """Texts with more than one label."""

    exact: Count
    normalised: Count


class Corrections(OpenMapping):
    """What became of the corrected labels."""

    applied: dict[str, Count]
    unchanged: Count
    skipped: Count


ANY_KEY = "*"  # stands for the keys that are not listed
RECORD = "record"  # a model's part of training.json, as its own file in data/trained
# The types of the values by key, for each file by its name without .json. Keys that are not listed may have any value.
SHAPES: dict[str, dict[str, Any]] = {
    "evaluation": {ANY_KEY: dict[str, Metrics]},
    "intervals": {ANY_KEY: dict[str, dict[str, Ends | None]]},
    "comparisons": {ANY_KEY: Pair},
    "decisions": {
        "protocol": Protocol,
        "crossvalidation": dict[str, HeldOut],
        "guessing": Guessing,
        "best": dict[str, Metrics],
        ANY_KEY: Decided,
    },
    "slices": {"protocol": SliceProtocol, ANY_KEY: dict[str, Slice]},
    "coverage": {"protocol": SetProtocol, ANY_KEY: Covered},
    "training": {ANY_KEY: dict[str, Number]},
    RECORD: {ANY_KEY: Number},
    "features": {**dict.fromkeys(SPLITS, Shape), ANY_KEY: Represented},  # older versions had the splits of one
    "splits": {
        **dict.fromkeys(SPLITS, SplitRows),
        "corrections": Corrections,
        "dropped": dict[str, Count],
        "given": dict[str, Count],
        "duplicates": Duplicates,
        "leaks": Leaks,
        "label_conflicts": Conflicts,
    },
}
