"""How probabilities become decisions: calibration, threshold, and the default model of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from textclf.artifacts.checksums import read_checked_json, write_checked_json
from textclf.core.files import read_versioned_json, reading, require_known, write_versioned_json
from textclf.core.scale import distances

DECISION = "decision.json"  # in the folder of an exported model
# Keys of metrics/decisions.json beside the models, which no model can have as its name.
RESERVED = ("best", "choice", "crossvalidation", "guessing", "protocol")
NONE = -1  # in the place of the position of a class: no answer
INDEX = "index.json"  # in the folder of all exported models; names the default model
# Parameters of the calibrations.
SCALING = ("temperature", "slope", "intercept", "slopes", "intercepts")
# Keys of a decision beside its calibration.
RULES = ("threshold", "thresholds", "costs", "scale", "rejection", "baseline")
# Keys below `scaling` in an exported decision.
IN_SCALING = (*SCALING, "costs", "scale", "rejection")
# Probabilities are clipped to it before a logarithm, as in scikit-learn.
EPSILON = float(np.finfo(np.float64).eps)

PROBABILITY = "probability"  # the score of a text: the probability of its most probable class

Measured = Mapping[str, Mapping[str, Mapping[str, float]]]  # model -> split -> metric -> value
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# Rows: actual classes; columns: decided classes and, if allowed, no answer.
Costs = tuple[tuple[Number, ...], ...]
Threshold = Annotated[Number, Field(ge=0, le=1)]
EXACT = ConfigDict(extra="forbid", defer_build=True)  # no key too many


@dataclass(frozen=True, config=EXACT)
class Temperature:
    """Temperature scaling: the logits are divided by `temperature`.

    The order of the classes does not change.
    """

    # Beyond these limits, a logit divided by it may overflow.
    temperature: Annotated[Number, Field(ge=EPSILON, le=1 / EPSILON)]

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, classes)."""
        return np.asarray(
            scipy.special.softmax(logarithms(probabilities) / self.temperature, axis=1)
        )


@dataclass(frozen=True, config=EXACT)
class Platt:
    """Platt scaling: the log odds of the positive class become `slope` * log odds + `intercept`."""

    slope: Number
    intercept: Number

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, 2)."""
        odds = self.slope * log_odds(probabilities) + self.intercept
        return np.column_stack([scipy.special.expit(-odds), scipy.special.expit(odds)])


@dataclass(frozen=True, config=EXACT)
class LabelScaling:
    """Scaling of several labels per text.

    The log odds of each become its slope * log odds + its intercept. A slope of 1 and an intercept
    of 0 leave a label as it is; a temperature is a slope of 1 / temperature alone.
    """

    slopes: tuple[Number, ...]
    intercepts: tuple[Number, ...]

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, labels)."""
        odds = logarithms(probabilities) - logarithms(1 - probabilities)
        scaled = np.array(self.slopes) * odds + np.array(self.intercepts)
        return np.asarray(scipy.special.expit(scaled))


Calibration = Temperature | Platt | LabelScaling


@dataclass(frozen=True, config=EXACT)
class Rejection:
    """A text is rejected as of no class if its score is below the threshold.

    The scores are those of `textclf.artifacts.unknown`.
    """

    score: Literal["probability", "energy", "distance"]
    threshold: Number


@dataclass(frozen=True, config=EXACT)
class Decision:
    """Calibration, then a rule: threshold, costs, scale, thresholds.

    If these are None, the most probable class is decided.
    """

    threshold: Threshold | None = None  # of the positive class, the last of two
    calibration: Calibration | None = None
    thresholds: tuple[Threshold, ...] | None = None  # of each label, with several labels per text
    costs: Costs | None = None
    scale: tuple[Number, ...] | None = None  # the number of each of ordered classes
    rejection: Rejection | None = None  # which texts belong to no class; None: each belongs to one
    # 1 for a model that ignores the texts, whose answer is always the same.
    baseline: Literal[1] | None = None

    @property
    def multilabel(self) -> bool:
        """Return whether a row is decided as a set of labels."""
        return self.thresholds is not None

    def calibrate(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, classes)."""
        if self.calibration is None or not len(probabilities):
            return probabilities
        return self.calibration.apply(probabilities)

    def decide(self, calibrated: NDArray[np.float64]) -> NDArray[Any]:
        """Return the position of the class decided for each row, (rows,) int64.

        With a threshold: the positive class if its probability exceeds it. With costs: the class
        with the lowest expected cost, the first of equal ones, or `NONE` if no answer costs less:
        Elkan (2001), IJCAI, 973-978. With a scale alone: the class with the lowest expected
        distance, a median. Otherwise the most probable class, the first of equally probable ones.
        With several labels per text: 1 for each label whose probability exceeds its threshold,
        (rows, labels) int8.
        """
        if self.thresholds is not None:
            return np.asarray(calibrated > np.array(self.thresholds), dtype=np.int8)
        if self.matrix is not None:
            # not by BLAS, whose last digits depend on the number of rows
            expected = np.einsum("rc,cd->rd", calibrated, np.array(self.matrix))
            cheapest = expected.argmin(axis=1)
            return np.where(cheapest < calibrated.shape[1], cheapest, NONE)
        if self.threshold is None:
            return np.asarray(calibrated.argmax(axis=1), dtype=np.int64)
        return np.asarray(calibrated[:, 1] > self.threshold, dtype=np.int64)

    def rejects(
        self, calibrated: NDArray[np.float64], scores: Mapping[str, NDArray[np.float64]]
    ) -> NDArray[np.bool_]:
        """Return which rows are rejected as of no class, (rows,).

        `calibrated` are probabilities (rows, classes); `scores` (rows,) are those of
        `textclf.artifacts.unknown.scores_of` by name.
        """
        if self.rejection is None:
            return np.zeros(len(calibrated), dtype=bool)
        by_probability = self.rejection.score == PROBABILITY
        values = calibrated.max(axis=1) if by_probability else scores[self.rejection.score]
        return np.asarray(values < self.rejection.threshold)

    def judge(
        self, probabilities: NDArray[np.float64], scores: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Return calibrated probabilities (rows, classes) and what a user gets for each row.

        The latter as `decide`, but `NONE` for rejected rows; `scores` as in `rejects`.
        """
        calibrated = self.calibrate(probabilities)
        decided = self.decide(calibrated)
        if self.rejection is not None:
            decided = np.where(self.rejects(calibrated, scores), NONE, decided)
        return calibrated, decided

    @property
    def matrix(self) -> Costs | None:
        """What a class costs in place of another by the rule: the costs, or else the distances."""
        if self.costs is None and self.scale is not None:
            return distances(self.scale)
        return self.costs

    @property
    def prices(self) -> Costs | None:
        """The costs, with a column for no answer wherever there may be none.

        A rejected text costs 1 like any mistake that `evaluate.costs` does not name.
        """
        if self.costs is None or self.rejection is None or len(self.costs[0]) > len(self.costs):
            return self.costs
        return tuple((*row, 1.0) for row in self.costs)

    def answering(self) -> "Decision":
        """Return the decision without the cost of no answer, so that it always decides a class."""
        if not self.costs:
            return self
        return replace(self, costs=tuple(row[: len(self.costs)] for row in self.costs))

    def to_json(self) -> dict[str, Any]:
        """Return the keys of `RULES` that apply, and the calibration's parameters, of `SCALING`."""
        values = asdict(self)
        rules = {key: values[key] for key in RULES if values[key] is not None}
        return rules | (values["calibration"] or {})

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Decision":
        """Return the decision that `to_json` gave; other keys are ignored.

        Raises `ValueError` if it is not valid.
        """
        scaling = {key: content[key] for key in SCALING if key in content}
        return TypeAdapter(cls).validate_python(
            {key: content.get(key) for key in RULES} | {"calibration": scaling or None}
        )


def write_decision(decision: Decision, path: Path) -> None:
    """Write the decision of an exported model.

    The keys are `scaling`, with the parameters of the calibration, and `threshold`. With several
    labels per text it also has `thresholds`. Costs, scale and rejection are in `scaling`.
    """
    scaling = {key: value for key, value in decision.to_json().items() if key in IN_SCALING}
    content: dict[str, Any] = {"scaling": scaling, "threshold": decision.threshold}
    if decision.multilabel:
        content["thresholds"] = decision.thresholds
    write_versioned_json(path, content)


def read_decision(path: Path, classes: int) -> Decision:
    """Return the decision that `write_decision` wrote, for a model of so many classes.

    Raises `UserError` if the file is missing or damaged, was made by a newer textclf, or does not
    suit the number of classes.
    """
    content = read_versioned_json(path)
    with reading(path):
        require_known(path, content["scaling"], IN_SCALING)
        given = {key: content[key] for key in ("threshold", "thresholds") if key in content}
        decision = Decision.from_json(given | content["scaling"])
        suits = (decision.threshold is not None) == (classes == 2 and decision.costs is None)
        if decision.thresholds is not None:
            suits = len(decision.thresholds) == classes
        scaling = decision.calibration
        if isinstance(scaling, LabelScaling):
            lengths = {len(scaling.slopes), len(scaling.intercepts)}
            suits = suits and decision.multilabel and lengths == {classes}
        elif scaling is not None:
            suits = suits and not decision.multilabel
        if decision.scale is not None:
            suits = suits and len(decision.scale) == classes
        if decision.costs is not None:
            shapes = {(classes, classes), (classes, classes + 1)}
            suits = suits and np.shape(decision.costs) in shapes
        if not suits:
            raise ValueError(decision)
        return decision


def logarithms(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the natural logarithms, of probabilities below `EPSILON` that of `EPSILON`."""
    return np.asarray(np.log(np.clip(probabilities, EPSILON, 1)))


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds (rows,) of the positive class of two."""
    logs = logarithms(probabilities)
    return logs[:, 1] - logs[:, 0]


def write_index(default: str, models: Sequence[str], folder: Path) -> None:
    """Write the index of the folder of exported models: their names, and that of the default."""
    write_checked_json(folder / INDEX, {"default": default, "models": models})


def read_index(folder: Path) -> tuple[str, list[str]]:
    """Return the name of the default model and those of all.

    Raises `UserError` if the index is missing or damaged.
    """
    content = read_checked_json(folder / INDEX, ("default", "models"))
    with reading(folder / INDEX):
        default, models = content["default"], content["models"]
        if not all(isinstance(name, str) for name in models) or default not in models:
            raise ValueError(default)
    return default, list(models)
