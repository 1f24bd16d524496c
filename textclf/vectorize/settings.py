"""Settings of the stage vectorize: representations by their names."""

from typing import Annotated, Any

from pydantic import ConfigDict, PlainValidator, WithJsonSchema, model_validator

from textclf.core.files import SPLITS
from textclf.core.settings import Section, relation, require_names, rule, show
from textclf.vectorize.encoder.settings import Settings as Encoder
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.token_ids.settings import Settings as TokenIds
from textclf.vectorize.wordpieces.settings import Settings as WordPieces

# To add a method, add its package textclf/vectorize/<method>/, its settings here, and its class in `representation`.
METHODS: dict[str, type[Section]] = {
    "terms": Terms,
    "token_ids": TokenIds,
    "encoder": Encoder,
    "wordpieces": WordPieces,
}
DEFAULT = "words"  # the representation of a params.yaml that names none


def _representation(value: object) -> Any:
    """Return the settings of one representation, of the class that its method has."""
    if isinstance(value, Section):
        return value
    if not isinstance(value, dict):
        raise rule("a section of settings")
    method = value.get("method", "terms")
    if not isinstance(method, str) or method not in METHODS:
        raise rule(f"a section with a method that is one of {', '.join(METHODS)}")
    return METHODS[method].model_validate(value)


Representation = Annotated[
    Any,
    PlainValidator(_representation),
    WithJsonSchema({"anyOf": [kind.model_json_schema() for kind in METHODS.values()]}),
]


class Vectorize(Section):
    """How a text becomes numbers: representations by name, each with its method."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Representation]

    @model_validator(mode="before")
    @classmethod
    def _has_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        settings = [key for key in value if key in Terms.model_fields and not isinstance(value[key], dict)]
        if settings:
            raise relation(
                f"{settings[0]} must stand below the name of a representation; got {show(value[settings[0]])}; "
                f"write `vectorize: {{{DEFAULT}: {{...}}}}` with the settings that stand in vectorize now"
            )
        require_names(value, "a representation")
        for name in SPLITS:
            if name in value:
                raise relation(f"the name of a representation must not be that of a split; got {name}")
        return value or {DEFAULT: {}}

    def __getitem__(self, name: str) -> Any:
        """Return the settings of a representation; `KeyError` if there is none of that name."""
        return (self.__pydantic_extra__ or {})[name]

    def names(self) -> list[str]:
        """Return the names of all representations, in order."""
        return list(self.__pydantic_extra__ or {})
