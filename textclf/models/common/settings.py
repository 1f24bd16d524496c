"""What the settings of all models share."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from textclf.core.settings import LARGEST, Name, Section, rule


class ModelSettings(Section):
    """Base of the settings of every model; in params.yaml `kind` and `features` stand beside them."""

    takes_class_texts: ClassVar[bool] = (
        True  # whether a fit has the rows of `textclf.vectorize.class_texts` as well
    )

    def validation_choices(self) -> list[str]:
        """Return the names of the settings that make choices on validation rows, as they are set."""
        return []

    def features_rule(self, representation: Section) -> str | None:  # noqa: ARG002 (most models take any of a kind)
        """Return what the features must be, with what they are, if the model can't take those that these settings make.

        Completes "train.<model>.features must name ...". The kinds that a model accepts are its
        package's `ACCEPTS`.
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
    pairs = (
        list(value.items())
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, tuple)
        else []
    )
    if not pairs or any(
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= LARGEST
        for _, weight in pairs
    ):
        raise rule("null, balanced, or a mapping of classes to numbers greater than 0")
    return tuple((name, float(weight)) for name, weight in pairs)


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
TEACHER = "a name in evaluate.external, whose probabilities for training rows take the place of their labels"


def teacher_notes(settings: ModelSettings) -> list[str]:
    """Return which teacher the training rows had, if any."""
    if (teacher := getattr(settings, "teacher", None)) is None:
        return []
    return [
        f"Of training rows that {teacher} has predictions for, it learned those probabilities, not the labels."
    ]


CLASS_WEIGHT = (
    "weight of a class: null, balanced (rare classes weigh more) or {class: weight}, of others 1"
)
