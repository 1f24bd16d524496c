"""What the JSON files in metrics/ hold: the types of their values, by which readers check them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from textclf.artifacts.decisions import Decision
from textclf.core.files import SPLITS, UNKNOWN_SPLITS
from textclf.core.settings import rule
from textclf.evaluate.registry import METRICS

LARGEST = 2**63 - 1  # number of rows or features
PAIRS = {f"{later}_in_{earlier}" for place, later in enumerate(SPLITS) for earlier in SPLITS[:place]}


class OpenMapping(BaseModel):
    """A mapping in a file: fields have their exact types, and other keys may have any value."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, defer_build=True)

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
RowsInPart = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Metrics = Annotated[dict[str, Number], AfterValidator(_check_metrics)]
Rows = Annotated[dict[str, Count], AfterValidator(_check_rows)]
Pairs = Annotated[dict[str, Count], AfterValidator(_check_pairs)]


class Decided(OpenMapping):
    """How a model decides."""

    threshold: Number = 0.5
    temperature: Annotated[float, Field(gt=0)] = 1.0
    slope: Number = 1.0
    intercept: Number = 0.0
    uncalibrated: dict[str, Metrics] = {}
    ece_if_calibrated: dict[str, Number] = {}  # by split
    validation_mistakes: Count = LARGEST
    unseen_cost: dict[str, dict[str, Number]] = {}  # by actual and decided class

    @model_validator(mode="after")
    def _check(self) -> "Decided":
        try:
            Decision.from_json(self.model_dump(exclude_unset=True))
        except ValueError:
            raise rule("a decision with temperature, or slope and intercept, or neither") from None
        return self


def mapping(**fields: Any) -> Any:
    """Return the type of a mapping with these keys, of a type each, or of a type and a default."""
    return create_model("Mapping", __base__=OpenMapping, **fields)


def by_name(values: Any) -> Any:
    """Return the type of a mapping from any names to values of a type."""
    return dict[str, values]


COUNTS, METRICS_BY_NAME = by_name(Count), by_name(Metrics)
ENDS_OF: dict[str, Any] = {"low": Number, "high": Number}
ENDS = mapping(**ENDS_OF)
DIFFERENCE = mapping(difference=Number, low=Number, high=Number)
SHARE = mapping(value=Fraction, low=Number, high=Number, rows=Positive)  # of rows, with its interval
OF_NO_CLASS = {"accuracy": SHARE, "recall": SHARE, "precision": SHARE | None}
SHAPE = mapping(rows=Positive, features=Count, nonzeros=Count)  # of the features of a split
BY_KIND = mapping(exact=COUNTS, normalised=COUNTS)  # of duplicate texts

ANY_KEY = "*"  # stands for the keys that are not listed
RECORD = "record"  # a model's part of training.json, as its own file in data/trained
# The types of the values by key, for each file by its name without .json. Keys that are not listed may have any value.
SHAPES: dict[str, dict[str, Any]] = {
    "evaluation": {ANY_KEY: METRICS_BY_NAME},
    "intervals": {ANY_KEY: by_name(by_name(mapping(**ENDS_OF, effective_rows=(RowsInPart, 1.0)) | None))},
    "comparisons": {
        ANY_KEY: mapping(
            difference=Number,
            low=Number,
            high=Number,
            only_first=Count,
            only_second=Count,
            p=Number,
            p_holm=Number,
            smallest_difference=(Number, 0.0),
            metrics=(by_name(DIFFERENCE | None), {}),
        )
    },
    "decisions": {
        "protocol": mapping(
            validation_rows=Count,
            clusters=(by_name(Positive), {}),
            independent_rows=(by_name(Number), {}),
            test_rows=(Count, 0),
        ),
        "crossvalidation": by_name(mapping(rows=Positive, folds=Positive, accuracy=Fraction, log_loss=Number)),
        "choice": mapping(models=by_name(by_name(Number)), accuracy=(Fraction, 0.0)),
        "guessing": mapping(log_loss=Number),
        "best": METRICS_BY_NAME,
        ANY_KEY: create_model("Decided", __base__=Decided, guessing=(DIFFERENCE | None, None)),
    },
    "slices": {
        "protocol": mapping(left_out=COUNTS),
        ANY_KEY: by_name(
            mapping(  # the metric of evaluate.slice_metric stands beside, with its interval
                rows=Positive,
                accuracy=Fraction,
                accuracy_interval=ENDS,
                difference=Number,
                difference_interval=ENDS,
                p=Fraction,
                p_holm=Fraction,
            )
        ),
    },
    "coverage": {
        "protocol": mapping(coverage=Fraction, by_class=Count, validation_rows=Positive),
        ANY_KEY: mapping(
            coverage=SHARE,
            set_size=Number,
            empty=Fraction,
            answered=Fraction,
            several=Fraction,
            accuracy=SHARE | None,
            classes=by_name(SHARE | None),
        ),
    },
    "training": {ANY_KEY: by_name(Number)},
    RECORD: {ANY_KEY: Number},
    "features": {  # older versions had the splits of one representation
        **dict.fromkeys(SPLITS, SHAPE),
        ANY_KEY: mapping(
            train=SHAPE,
            validation=(SHAPE | None, None),
            test=SHAPE,
            **dict.fromkeys(UNKNOWN_SPLITS, (SHAPE | None, None)),
        ),
    },
    "splits": {
        **dict.fromkeys(SPLITS, mapping(classes=Rows)),
        "corrections": mapping(applied=COUNTS, unchanged=Count, skipped=Count),
        "dropped": COUNTS,
        "rare": by_name(COUNTS),
        "labels": COUNTS,
        "given": COUNTS,
        "duplicates": BY_KIND,
        "leaks": mapping(exact=Pairs, normalised=Pairs, group=(Pairs, {})),
        "label_conflicts": mapping(exact=Count, normalised=Count),
        "unknown": by_name(COUNTS),
    },
    "unknown": {
        ANY_KEY: by_name(
            mapping(
                **OF_NO_CLASS,
                scores=by_name(mapping(threshold=Number, roc_auc=mapping(value=Fraction, **ENDS_OF), **OF_NO_CLASS)),
            )
        )
    },
}
