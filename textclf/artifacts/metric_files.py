"""The JSON files in metrics/, checked when they are read: someone may have edited, merged or cut them."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from textclf.artifacts.decisions import Decision
from textclf.artifacts.metrics import METRICS, pair_name
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, require
from textclf.core.settings import rule, validate

DEEPEST = 50  # levels of mappings and lists in a file
LARGEST = 2**63 - 1  # number of rows or features
REMEDY = "remove it and run dvc repro (or dvc pull) to make it"
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


# The shapes of the files


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
    "slices": {ANY_KEY: dict[str, Slice]},
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

# Reading


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Return the mapping in the bytes of a JSON file whose numbers are all finite.

    `where` names the file in errors. Raises `UserError` for anything else, and for text that is not Unicode.
    """
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_refuse)
        _check_values(content)
    except (ValueError, RecursionError):
        raise UserError(f"{where} must be JSON with finite numbers; got something else") from None
    if not isinstance(content, dict):
        raise UserError(f"{where} must be a mapping; got {type(content).__name__}")
    return content


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _check_values(content: Any) -> None:
    """Raise `ValueError` for a number that is not finite, a lone surrogate, and more than `DEEPEST` levels."""
    values = [content]
    for _ in range(DEEPEST):
        for value in values:
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError
            for text in value if isinstance(value, dict) else [value]:
                if isinstance(text, str):
                    text.encode()
        values = [part for value in values for part in _parts(value)]
    if values:
        raise ValueError


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def check(content: Mapping[str, Any], name: str, where: str) -> None:
    """Raise `UserError` unless what a file called `<name>.json` holds has the types that its readers expect.

    A file that is none of `SHAPES` may hold anything. Keys of the top level may be missing: an older version may not
    have written them.
    """
    shape = SHAPES.get(name, {})
    for key, value in content.items():
        try:
            validate(shape.get(key, shape.get(ANY_KEY, Any)), value, where, prefix=key)
        except UserError as error:
            raise UserError(error.lines[0]) from None  # a damaged file may have a thousand mistakes


def read(
    path: Path, name: str, models: Sequence[str] = (), external: Sequence[str] = (), validated: bool = False
) -> dict[str, Any]:
    """Return the content of a file that is one of `SHAPES`, with all that readers need for the models of a run.

    `models` are those of train.models, `external` those of evaluate.external; `validated`: there are validation rows.
    Raises `UserError` if the file is missing or damaged, or lacks a number.
    """
    data = require(path).read_bytes()
    try:
        content = parse(data, str(path))
        check(content, name, str(path))
        splits = [split for split in SPLITS if validated or split != "validation"]
        for keys in _needed(name, models, external, splits):
            _require_part(content, keys, str(path))
    except UserError as error:
        raise UserError(f"{error.lines[0]}; {REMEDY}") from None
    return content


def read_all(folder: Path, names: Iterable[str], models: Sequence[str], external: Sequence[str] = ()) -> dict[str, Any]:
    """Return the contents of files in the folder metrics by name, decisions among them, as `read`."""
    decisions = read(folder / "decisions.json", "decisions", models, external)
    validated = decisions["protocol"]["validation_rows"] > 0
    return {name: read(folder / f"{name}.json", name, models, external, validated) for name in names}


def _require_part(content: Any, keys: Iterable[str], where: str) -> None:
    part = content
    for key in keys:
        part = part.get(key) if isinstance(part, dict) else None
    if part is None:
        raise UserError(f"{where}: {'.'.join(keys)} is missing; it must be set")


def _needed(
    name: str, models: Sequence[str], external: Sequence[str], splits: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the keys that a file must have for these models and splits, each with the keys above it."""
    match name:
        case "evaluation":
            measured = [
                *((model, split) for model in models for split in splits),
                *((each, "test") for each in external),
            ]
            yield from ((*place, metric) for place in measured for metric in ("accuracy", "ece", "log_loss"))
        case "intervals":
            yield from ((model, split, "accuracy") for model in models for split in splits)
            yield from ((model, "test", "accuracy") for model in external)
        case "comparisons":
            yield from ((pair_name(later, earlier),) for earlier, later in combinations((*models, *external), 2))
        case "decisions":
            yield from (("protocol",), ("guessing",), ("crossvalidation",))
            yield from ((model,) for model in (*models, *external))
        case "training" | "slices":
            yield from ((model,) for model in (*models, *external))
        case "splits":
            yield from ((split,) for split in splits)
            yield ("label_conflicts",)
            for kind in ("exact", "normalised"):
                yield from (("duplicates", kind, split) for split in splits)
                pairs = [f"{later}_in_{earlier}" for earlier, later in combinations(splits, 2)]
                yield from (("leaks", kind, pair) for pair in pairs)
