"""Models by their kind, and the entries of the section train."""

import functools
import importlib
import pkgutil
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, create_model

from textclf.core.errors import UserError
from textclf.core.settings import Section, rule
from textclf.models.common.settings import ModelSettings

PACKAGE, FOLDER = "textclf.models", Path(__file__).parents[1]
# Packages that are no kind of model in train.
SHARED, AVERAGE = "common", "average"
KIND = "kind of model: docs/representations.md"
FEATURES = "the representation that it reads, a name in vectorize or combine"


def _one_name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise rule("the name of one representation; combine makes one of two")
    return value


Features = Annotated[str, BeforeValidator(_one_name)]


def kinds() -> list[str]:
    """Return the names of all kinds of models, sorted: those of their packages."""
    modules = pkgutil.iter_modules([str(FOLDER)])
    packages = {module.name for module in modules if module.ispkg}
    return sorted(packages - {SHARED, AVERAGE})


def load_model(kind: str) -> Any:
    """Return the package of a kind of model (`ModelPackage`), or of averages.

    Raises `UserError` if there is no such kind.
    """
    if kind not in (*kinds(), AVERAGE):
        raise UserError(f"kind must be one of {', '.join(kinds())}; got {kind!r}")
    return importlib.import_module(f"{PACKAGE}.{kind}")


@functools.cache
def entry_class(kind: str) -> type[ModelSettings]:
    """Return the class of an entry of train: the settings of its kind, `kind` and `features`."""
    settings = load_model(kind).Settings
    own: dict[str, Any] = {
        "kind": (Literal[kind], Field(description=KIND)),
        "features": (Features, Field(description=FEATURES)),
    }
    # A base, so that these stand before the settings.
    first = create_model("First", __base__=Section, **own)
    return create_model("Entry", __base__=(settings, first), __doc__=settings.__doc__)


def _entry(value: object) -> ModelSettings:
    """Return the settings of one model, of the class that its kind has."""
    if isinstance(value, ModelSettings):
        return value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in kinds():
        raise rule(f"a section of settings with a kind that is one of {', '.join(kinds())}")
    return entry_class(kind).model_validate(value)


Entry = Annotated[
    Any,
    PlainValidator(_entry),
    WithJsonSchema({"type": "object", "required": ["kind", "features"]}),
]
