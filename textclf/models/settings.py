"""The list of models, and the section train, which is assembled from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model, model_validator

from textclf.artifacts.decisions import RESERVED
from textclf.core.settings import Name, Section, relation, require_names, rule, show, unique
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings, named_settings
from textclf.pretrained import catalogue

# To add a model, add its package textclf/models/<name>/ and its name here. The order is that of params.yaml.
MODELS = (
    "majority",
    "naive_bayes",
    "logistic_regression",
    "linear_svm",
    "nb_svm",
    "keras",
    "embedding",
    "cnn",
    "transformer",
)
CONSTANT = "majority"  # the kind of model that gives every text the same probabilities
DEFAULT = ("majority", "logistic_regression", "keras")

ModelNames = Annotated[tuple[Name, ...], Field(strict=False, min_length=1), AfterValidator(unique)]


def _entry(value: object) -> ModelSettings:
    """Return the settings of a further model, which has a name of its own and its kind in `model`."""
    if isinstance(value, ModelSettings):
        return value
    if not isinstance(value, dict):
        raise rule("a section of settings")
    return _kind_of_entry(value).model_validate(value)


def _kind_of_entry(value: Mapping[str, Any]) -> type[ModelSettings]:
    kind = value.get("model")
    if not isinstance(kind, str) or kind not in MODELS:
        raise rule(f"a section with `model`, one of {', '.join(MODELS)}, since no model has this name")
    return named_settings(kind, load_model(kind).Settings)


Entry = Annotated[Any, PlainValidator(_entry), WithJsonSchema({"type": "object", "required": ["model"]})]


class _Models(Section):
    """The models to train and their settings."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Entry]

    models: ModelNames = Field(
        DEFAULT,
        description=f"models to train and compare; others: {', '.join(name for name in MODELS if name not in DEFAULT)}",
    )

    @model_validator(mode="before")
    @classmethod
    def _names_of_entries(cls, value: Any) -> Any:
        if isinstance(value, dict):
            own = [key for key in value if key not in cls.model_fields]
            require_names(own, "a model")
            for key in own:
                # Files have these keys and this folder beside those of models; Python has such attributes of a section.
                if key in {*RESERVED, catalogue.SHARED} or hasattr(cls, key):
                    raise relation(f"the name of a model must be one that textclf does not use itself; got {key}")
        return value

    @model_validator(mode="after")
    def _models_have_settings(self) -> Self:
        for number, name in enumerate(self.models):
            if name not in self.names():
                known = ", ".join(self.names())
                raise relation(f"models[{number}] must be one of {known}, or have a section in train; got {show(name)}")
        return self

    def names(self) -> list[str]:
        """Return the names of all models that have settings: the kinds, and those of params.yaml's own."""
        return [*MODELS, *(self.__pydantic_extra__ or {})]

    def kind(self, name: str) -> str:
        """Return the kind of a model: its own name, or what its settings say."""
        return name if name in MODELS else str(getattr(self, name).model)


def _with_settings() -> Any:
    """Return the section with a field per kind of model, which holds that model's settings."""
    kinds = {name: load_model(name).Settings for name in MODELS}
    fields: dict[str, Any] = {name: (kind, Field(default_factory=kind)) for name, kind in kinds.items()}
    return create_model("Train", __base__=_Models, __doc__=_Models.__doc__, **fields)


if TYPE_CHECKING:

    class Train(_Models):
        """The section train: `models`, and the settings of each model by its name."""

        def __getattr__(self, name: str) -> Any: ...

else:
    Train = _with_settings()
