"""Logistic regression, the lesson's "better results without a neural network".

Rows in memory are fitted by scikit-learn's LogisticRegression, more rows batch by batch in some 15
passes (`stream`).
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from textclf.artifacts.dataset import Dataset
from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.core.settings import LARGEST, Name, rule
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import (
    CLASS_WEIGHT,
    TEACHER,
    ClassWeight,
    ModelSettings,
    teacher_notes,
)

KIND = "logistic regression"
ACCEPTS = ("sparse", "dense")
# The solver auto is lbfgs up to this number of training rows, and stream beyond it.
IN_MEMORY = 250_000


def _strengths(value: object) -> float | tuple[float, ...]:
    several = isinstance(value, list | tuple)
    numbers: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if not numbers or not all(map(_is_strength, numbers)):
        raise rule("a number greater than 0, or a list of such numbers to choose from")
    return tuple(float(number) for number in numbers) if several else float(numbers[0])


def _is_strength(number: Any) -> bool:
    # Compared exactly: an integer may be beyond all floats.
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 0 < number <= LARGEST


Strengths = Annotated[
    float | tuple[float, ...],
    BeforeValidator(_strengths),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {
                    "type": "array",
                    "items": {"type": "number", "exclusiveMinimum": 0},
                    "minItems": 1,
                },
            ]
        }
    ),
]


class Settings(ModelSettings):
    """Logistic regression, named as in scikit-learn's LogisticRegression."""

    C: Strengths = Field(
        1.0,
        description="inverse strength of the regularisation; "
        "[0.1, 1, 10] chooses by cross-validation",
    )
    solver: Literal["auto", "lbfgs", "stream"] = Field(
        "auto",
        description="lbfgs holds all rows in memory, stream a shard at a time; "
        "auto: by the number of rows",
    )
    max_iter: Annotated[int, Field(ge=1)] = Field(
        100, description="most steps of the solver; raise it if it warns that it has not converged"
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)
    teacher: Name | None = Field(None, description=TEACHER)


def notes(settings: Settings) -> list[str]:
    """Return how C was chosen, if it was, and the teacher, if there was one."""
    if isinstance(settings.C, float):
        return teacher_notes(settings)
    values = join_names([f"{value:g}" for value in settings.C])
    chosen = (
        f"The C of logistic regression was chosen from {values} by cross-validation within the "
        "training rows."
    )
    return [chosen, *teacher_notes(settings)]


def fit(train: Dataset, _watched: Dataset | None, settings: Settings, _folders: Folders) -> Fitted:
    """Return the model fitted on the training rows.

    The solver stream fits batch by batch, lbfgs all rows together. Of several values of C the one
    with the lowest log loss in a cross-validation inside the training rows, after a temperature, is
    taken.
    """
    from textclf.models.logistic_regression import fitting

    if settings.solver == "lbfgs" or (settings.solver == "auto" and train.rows <= IN_MEMORY):
        return fitting.in_memory(train.all("logistic_regression with the solver lbfgs"), settings)
    if not isinstance(settings.C, float):
        raise UserError(
            "train.logistic_regression.C must be one number if the solver is stream, as auto is "
            f"beyond {IN_MEMORY:,} training rows; got {list(settings.C)}"
        )
    return fitting.on_stream(train, settings.C, settings)
