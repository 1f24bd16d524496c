"""What the settings of all models share."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from textclf.core.settings import LARGEST, Name, Section, rule


class ModelSettings(Section):
    """Base of the settings of every model; params.yaml has `kind` and `features` beside them."""

    # Whether a fit has the rows of `textclf.vectorize.class_texts` as well.
    takes_class_texts: ClassVar[bool] = True

    def validation_choices(self) -> list[str]:
        """Return the names of the settings that, as set, make choices on validation rows."""
        return []

    # Most models take any of a kind.
    def features_rule(self, representation: Section) -> str | None:  # noqa: ARG002
        """Return what the features must be, with what they are, if the model can't take them.

        `representation` has the settings that make them. Completes "train.<model>.features must
        name ...". The kinds that a model accepts are its package's `ACCEPTS`.
        """
        return None

    def rows_per_class(self) -> int:
        """Return how many training rows of each class a fit needs, as the settings are."""
        return 1


class Averaged(ModelSettings):
    """Two models whose probabilities are averaged."""

    kind: ClassVar = "average"

    first: Name = Field(description="a name in train")
    second: Name = Field(description="another name in train")

    def validation_choices(self) -> list[str]:
        """Return the weight, which validation rows choose if there are any."""
        return ["weight"]


def _class_weight(value: object) -> object:
    """Return None, "balanced", or (class, weight) pairs, which can be frozen."""
    if value is None or value == "balanced":
        return value
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, tuple):
        pairs = list(value)
    if not pairs or not all(_is_weight(weight) for _, weight in pairs):
        raise rule("null, balanced, or a mapping of classes to numbers greater than 0")
    return tuple((name, float(weight)) for name, weight in pairs)


def _is_weight(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= LARGEST


ClassWeight = Annotated[
    Literal["balanced"] | tuple[tuple[str, float], ...] | None,
    PlainValidator(_class_weight),
    PlainSerializer(lambda value: dict(value) if isinstance(value, tuple) else value),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [None, "balanced"]},
                {
                    "type": "object",
                    "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                },
            ]
        }
    ),
]
TEACHER = (
    "a name in evaluate.external, whose probabilities for training rows take the place of "
    "their labels"
)


def teacher_notes(settings: ModelSettings) -> list[str]:
    """Return which teacher the training rows had, if any."""
    teacher = getattr(settings, "teacher", None)
    if teacher is None:
        return []
    sentence = (
        f"Of training rows that {teacher} has predictions for, it learned those probabilities, "
        "not the labels."
    )
    return [sentence]


CLASS_WEIGHT = (
    "weight of a class: null, balanced (rare classes weigh more) or {class: weight}, of others 1"
)
