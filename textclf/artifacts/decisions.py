"""How probabilities become decisions: calibration and threshold of a model, and the default model of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.files import read_versioned_json, reading, require_known, write_versioned_json

DECISION = "decision.json"  # in the folder of an exported model
INDEX = "index.json"  # in the folder of all exported models; names the default model
SCALING = ("temperature", "slope", "intercept")  # parameters of the calibrations
EPSILON = float(np.finfo(np.float64).eps)  # probabilities are clipped to it before a logarithm, as in scikit-learn

Measured = Mapping[str, Mapping[str, Mapping[str, float]]]  # model -> split -> metric -> value


@dataclass(frozen=True)
class Temperature:
    """Temperature scaling: the logits are divided by `temperature`. The order of the classes does not change."""

    temperature: float

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, classes)."""
        from scipy.special import softmax

        calibrated: NDArray[np.float64] = softmax(logarithms(probabilities) / self.temperature, axis=1)
        return calibrated


@dataclass(frozen=True)
class Platt:
    """Platt scaling: the log odds of the positive class become `slope` * log odds + `intercept`."""

    slope: float
    intercept: float

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, 2)."""
        from scipy.special import expit

        odds = self.slope * log_odds(probabilities) + self.intercept
        return np.column_stack([expit(-odds), expit(odds)])


Calibration = Temperature | Platt


@dataclass(frozen=True)
class Decision:
    """Calibration, then a threshold for the positive class (the last) of two; None: the most probable class."""

    threshold: float | None = None
    calibration: Calibration | None = None

    def calibrate(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, (rows, classes)."""
        if self.calibration is None or not len(probabilities):
            return probabilities
        return self.calibration.apply(probabilities)

    def decide(self, calibrated: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position of the class decided for each row, (rows,), from calibrated probabilities.

        With a threshold: the positive class if its probability exceeds it. Without: the most probable class, the first
        of equally probable ones.
        """
        if self.threshold is None:
            return np.asarray(calibrated.argmax(axis=1), dtype=np.int64)
        return np.asarray(calibrated[:, 1] > self.threshold, dtype=np.int64)

    def to_json(self) -> dict[str, float]:
        """Return `threshold`, and `temperature` or `slope` and `intercept`; a key that does not apply is absent."""
        content = {} if self.threshold is None else {"threshold": self.threshold}
        return content | ({} if self.calibration is None else asdict(self.calibration))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Decision":
        """Return the decision that `to_json` gave; other keys are ignored. Raises `ValueError` if it is not valid."""
        threshold = content.get("threshold")
        scaling = {key: content[key] for key in SCALING if key in content}
        return cls(None if threshold is None else float(threshold), _calibration(scaling))


def _calibration(content: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration with these parameters, None if there are none."""
    numbers = {key: float(value) for key, value in content.items()}
    match sorted(numbers):
        case []:
            return None
        case ["temperature"]:
            return Temperature(**numbers)
        case ["intercept", "slope"]:
            return Platt(**numbers)
        case keys:
            raise ValueError(f"a calibration must have a temperature, or slope and intercept; got {', '.join(keys)}")


def write_decision(decision: Decision, path: Path) -> None:
    """Write the decision of an exported model: `scaling`, with the parameters of the calibration, and `threshold`."""
    scaling = {} if decision.calibration is None else asdict(decision.calibration)
    write_versioned_json(path, {"scaling": scaling, "threshold": decision.threshold})


def read_decision(path: Path, classes: int) -> Decision:
    """Return the decision that `write_decision` wrote, for a model of so many classes.

    Raises `UserError` if the file is missing or damaged, was made by a newer textclf, or does not suit the number of
    classes.
    """
    content = read_versioned_json(path)
    with reading(path):
        require_known(path, content["scaling"], SCALING)
        threshold = content["threshold"]
        if (threshold is not None) != (classes == 2):
            raise ValueError(threshold)
        return Decision(None if threshold is None else float(threshold), _calibration(dict(content["scaling"])))


def logarithms(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the natural logarithms, of probabilities below `EPSILON` that of `EPSILON`."""
    logs: NDArray[np.float64] = np.log(np.clip(probabilities, EPSILON, 1))
    return logs


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds (rows,) of the positive class of two."""
    logs = logarithms(probabilities)
    return logs[:, 1] - logs[:, 0]


def best_model(measured: Measured) -> str | None:
    """Return the model with the highest accuracy on the validation rows; a tie is broken by the lower log loss.

    None without validation rows: the test rows decide nothing.
    """
    validated = {name: splits["validation"] for name, splits in measured.items() if "validation" in splits}
    return max(validated, key=lambda name: (validated[name]["accuracy"], -validated[name]["log_loss"]), default=None)


def default_model(named: str | None, measured: Measured, models: Sequence[str]) -> str:
    """Return the model that represents a run: the one named, else the best on the validation rows, else the last."""
    return named or best_model(measured) or models[-1]


def write_index(default: str, models: Sequence[str], folder: Path) -> None:
    """Write the index of the folder of exported models: their names, and which one is used if none is named."""
    write_versioned_json(folder / INDEX, {"default": default, "models": models})


def read_index(folder: Path) -> tuple[str, list[str]]:
    """Return the name of the default model and those of all; `UserError` if the index is missing or damaged."""
    content = read_versioned_json(folder / INDEX)
    with reading(folder / INDEX):
        default, models = content["default"], content["models"]
        if not all(isinstance(name, str) for name in models) or default not in models:
            raise ValueError(default)
    return default, list(models)
