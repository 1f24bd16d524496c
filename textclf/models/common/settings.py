"""What the settings of all models share."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, create_model

from textclf.core.settings import LARGEST, Section, rule


def _features(value: object) -> tuple[str, ...]:
    names: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise rule("the name of a representation, or a list of such, each once")
    return tuple(names)


FeatureNames = Annotated[
    tuple[str, ...],
    PlainValidator(_features),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


FEATURES = "the representation that it reads, a name in vectorize; or several: [words, letters]"


class ModelSettings(Section):
    """Base of the settings of every model."""

    features: FeatureNames = Field(("words",), description=FEATURES)

    def validation_choices(self) -> list[str]:
        """Return the names of the settings that make choices on validation rows, as they are set."""
        return []

    def features_rule(self, representation: Section) -> str | None:  # noqa: ARG002 (most models take any of a kind)
        """Return what the features must be, with what they are, if the model can't take those that these settings make.

        None if it can. Completes "train.<model>.features must name ...". The kinds that a model accepts are its
        package's `ACCEPTS`.
        """
        return None

    def rows_per_class(self) -> int:
        """Return how many training rows of each class a fit needs, as the settings are."""
        return 1


def named_settings(kind: str, settings: type[ModelSettings]) -> type[ModelSettings]:
    """Return the settings of a further model of a kind, under a name of its own: `model` says the kind."""
    field: Any = (Literal[kind], Field(kind, description="the kind of model, for a name that is none"))
    return create_model(settings.__name__, __base__=settings, __doc__=settings.__doc__, model=field)


def _class_weight(value: object) -> object:
    """Return None, "balanced", or (class, weight) pairs, which can be frozen."""
    if value is None or value == "balanced":
        return value
    pairs = list(value.items()) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else []
    if not pairs or any(
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= LARGEST
        for _, weight in pairs
    ):
        raise rule("null, balanced, or a mapping of each class to a number greater than 0")
    return tuple((name, float(weight)) for name, weight in pairs)


ClassWeight = Annotated[
    Literal["balanced"] | tuple[tuple[str, float], ...] | None,
    PlainValidator(_class_weight),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [None, "balanced"]},
                {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}},
            ]
        }
    ),
]
CLASS_WEIGHT = "weight of each class: null, balanced (rare classes weigh more) or {class: weight, ...}"
