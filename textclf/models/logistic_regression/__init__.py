"""Logistic regression, the lesson's "better results without a neural network".

Rows in memory are fitted by scikit-learn's LogisticRegression. A stream of shards is fitted near the optimum in some 15
passes, whatever the number of rows (`stream`).
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, PlainValidator, WithJsonSchema

from textclf.artifacts.features import concatenate
from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.core.settings import LARGEST, rule
from textclf.models.common.calibrated import FOLDS
from textclf.models.common.class_weights import count_classes
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

KIND = "logistic regression"
ACCEPTS = ("sparse", "dense")
IN_MEMORY = 250_000  # training rows up to which the solver auto is lbfgs, and beyond which it is stream


def _strengths(value: object) -> float | tuple[float, ...]:
    several = isinstance(value, list | tuple)
    numbers: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    # Compared exactly: an integer may be beyond all floats.
    if not numbers or any(
        isinstance(n, bool) or not isinstance(n, int | float) or not 0 < n <= LARGEST for n in numbers
    ):
        raise rule("a number greater than 0, or a list of such numbers to choose from")
    return tuple(float(number) for number in numbers) if several else float(numbers[0])


Strengths = Annotated[
    float | tuple[float, ...],
    PlainValidator(_strengths),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1},
            ]
        }
    ),
]


class Settings(ModelSettings):
    """Logistic regression, named as in scikit-learn's LogisticRegression."""

    C: Strengths = Field(
        1.0, description="inverse strength of the regularisation; [0.1, 1, 10] chooses by cross-validation"
    )
    solver: Literal["auto", "lbfgs", "stream", "sgd"] = Field(
        "auto",
        description="lbfgs holds all rows in memory, stream (once sgd) a shard at a time; auto: by the number of rows",
    )
    max_iter: Annotated[int, Field(ge=1)] = Field(
        100, description="most steps of the solver; raise it if it warns that it has not converged"
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)

    def rows_per_class(self) -> int:
        """Return `FOLDS` if C is chosen by cross-validation, otherwise 1."""
        return FOLDS if isinstance(self.C, tuple) else 1


def notes(settings: Settings) -> list[str]:
    """Return how C was chosen, if it was."""
    if isinstance(settings.C, float):
        return []
    values = join_names([f"{value:g}" for value in settings.C])
    return [f"The C of logistic regression was chosen from {values} by cross-validation within the training rows."]


def fit(
    train: "Features",
    watched: "Features",  # noqa: ARG001 (it watches none)
    settings: Settings,
) -> Fitted:
    """Return the model fitted on the training rows; with the solver stream, as by `fit_stream`.

    Of several values of C the one with the lowest log loss in a stratified cross-validation of `FOLDS` folds inside the
    training rows is taken; all folds share the vocabulary of all training rows. Raises `UserError` if a class has fewer
    rows than there are folds.
    """
    from textclf.models.logistic_regression import fitting

    counts = np.bincount(train.y, minlength=len(train.classes))
    if uses_stream(len(train.y), settings):
        features = train.X.shape[1]
        return fitting.on_stream([lambda: train], features, train.classes, counts, single_strength(settings), settings)
    return fitting.in_memory(train, counts, settings)


def fit_stream(
    train: "Shards[Features]",
    watched: "Shards[Features]",
    settings: Settings,
    scratch: Path,  # noqa: ARG001 (nothing to resume)
) -> Fitted:
    """Return the model fitted on one shard after the other; with the solver lbfgs, by `fit` on all rows together."""
    from textclf.models.logistic_regression import fitting

    classes, counts = count_classes(train)
    if uses_stream(int(counts.sum()), settings):
        readers = [partial(train.read, path) for path in train.paths]
        features = readers[0]().X.shape[1]
        return fitting.on_stream(readers, features, classes, counts, single_strength(settings), settings)
    return fit(concatenate(list(train)), next(iter(watched)), settings)


def uses_stream(rows: int, settings: Settings) -> bool:
    """Return whether the solver is stream, as set or, with auto, by the number of training rows."""
    return settings.solver in {"stream", "sgd"} or (settings.solver == "auto" and rows > IN_MEMORY)


def single_strength(settings: Settings) -> float:
    """Return C; `UserError` if it has several values, between which stream does not choose."""
    if not isinstance(settings.C, float):
        raise UserError(
            f"train.logistic_regression.C must be one number if the solver is stream, as auto is beyond {IN_MEMORY:,} "
            f"training rows; got {list(settings.C)}"
        )
    return settings.C
