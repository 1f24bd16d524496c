"""The list of models, and the section train, which is assembled from it."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, create_model

from textclf.core.settings import Section, rule, unique
from textclf.models.common.loading import load_model

# To add a model, add its package textclf/models/<name>/ and its name here. The order is that of params.yaml.
MODELS = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
DEFAULT = ("majority", "logistic_regression", "keras")


def _known(value: str) -> str:
    if value not in MODELS:
        raise rule(f"one of {', '.join(MODELS)}")
    return value


ModelName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(MODELS)})]
ModelNames = Annotated[tuple[ModelName, ...], Field(strict=False, min_length=1), AfterValidator(unique)]


class _Models(Section):
    """The models to train and their settings."""

    models: ModelNames = Field(
        DEFAULT,
        description=f"models to train and compare; others: {', '.join(name for name in MODELS if name not in DEFAULT)}",
    )


def _with_settings() -> Any:
    """Return the section with a field per model, which holds that model's settings."""
    kinds = {name: load_model(name).Settings for name in MODELS}
    fields: dict[str, Any] = {name: (kind, Field(default_factory=kind)) for name, kind in kinds.items()}
    return create_model("Train", __base__=_Models, __doc__=_Models.__doc__, **fields)


if TYPE_CHECKING:

    class Train(_Models):
        """The section train: `models`, and the settings of each model by its name."""

        def __getattr__(self, name: str) -> Any: ...

else:
    Train = _with_settings()
