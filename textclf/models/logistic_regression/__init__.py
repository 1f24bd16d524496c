"""Logistic regression, scikit-learn's LogisticRegression: the lesson's "better results without a neural network".

Rows in memory are fitted to the optimum by L-BFGS. A stream of shards is fitted near it by stochastic gradient descent,
in a few passes whatever the number of rows (`sgd`).
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, PlainValidator, WithJsonSchema

from textclf.artifacts import layers
from textclf.artifacts.features import concatenate, in_double
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.core.settings import LARGEST, rule
from textclf.models.common.calibrated import FOLDS
from textclf.models.common.class_weights import count_classes, row_weights
from textclf.models.common.fitted import Fitted
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings
from textclf.models.logistic_regression.sgd import fit_sgd

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

KIND = "logistic regression"
ACCEPTS = ("sparse", "dense")
VECTORS = 24  # of all parameters in the memory of lbfgs, measured
IN_MEMORY = 250_000  # training rows up to which the solver auto is lbfgs, and beyond which it is sgd


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
    solver: Literal["auto", "lbfgs", "sgd"] = Field(
        "auto",
        description="lbfgs finds the optimum in memory, sgd approximates it on a stream; auto: by the number of rows",
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
    """Return scikit-learn's estimator fitted on the training rows; with the solver sgd, what `fit_sgd` returns.

    Of several values of C the one with the lowest log loss in a stratified cross-validation of `FOLDS` folds inside the
    training rows is taken; all folds share the vocabulary of all training rows. Raises `UserError` if a class has fewer
    rows than there are folds.
    """
    counts = np.bincount(train.y, minlength=len(train.classes))
    if uses_sgd(len(train.y), settings):
        return fit_sgd([lambda: train], train.classes, counts, single_strength(settings), settings)

    parameters = train.X.shape[1] * (1 if len(train.classes) == 2 else len(train.classes))
    purpose = f"lbfgs with {train.X.shape[1]:,} features x {len(train.classes):,} classes (sgd takes less)"
    resources.require_memory(VECTORS * 8 * parameters, purpose)
    from sklearn.linear_model import LogisticRegression

    estimator, X = LogisticRegression(max_iter=settings.max_iter), in_double(train.X)
    weights = row_weights(train, settings.class_weight)
    if isinstance(settings.C, float):
        estimator.set_params(C=settings.C).fit(X, train.y, weights)
    else:
        from sklearn.model_selection import GridSearchCV, StratifiedKFold

        if (fewest := counts.min()) < FOLDS:
            raise UserError(f"a class must have at least {FOLDS} training rows to choose C by; one has {fewest}")
        search = GridSearchCV(estimator, {"C": list(settings.C)}, scoring="neg_log_loss", cv=StratifiedKFold(FOLDS))
        estimator = search.fit(X, train.y, sample_weight=weights).best_estimator_
    activation = "sigmoid" if len(train.classes) == 2 else "softmax"
    record = {
        "parameters": estimator.coef_.size + estimator.intercept_.size,
        "iterations": int(estimator.n_iter_.max()),
        "C": float(estimator.C),
    }
    return Fitted(layers.linear(train.classes, estimator.coef_, estimator.intercept_, activation), record)


def fit_stream(
    train: "Shards[Features]",
    watched: "Shards[Features]",
    settings: Settings,
    scratch: Path,  # noqa: ARG001 (nothing to resume)
) -> Fitted:
    """Return the model fitted by `fit_sgd`; with the solver lbfgs, by `fit` on all rows together."""
    classes, counts = count_classes(train)
    if uses_sgd(int(counts.sum()), settings):
        readers = [partial(train.read, path) for path in train.paths]
        return fit_sgd(readers, classes, counts, single_strength(settings), settings)
    return fit(concatenate(list(train)), next(iter(watched)), settings)


def uses_sgd(rows: int, settings: Settings) -> bool:
    """Return whether the solver is sgd, as set or, with auto, by the number of training rows."""
    return settings.solver == "sgd" or (settings.solver == "auto" and rows > IN_MEMORY)


def single_strength(settings: Settings) -> float:
    """Return C; `UserError` if it has several values, between which sgd does not choose."""
    if not isinstance(settings.C, float):
        raise UserError(
            f"train.logistic_regression.C must be one number if the solver is sgd, as auto is beyond {IN_MEMORY:,} "
            f"training rows; got {list(settings.C)}"
        )
    return settings.C
