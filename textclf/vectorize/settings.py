"""Settings of the stages vectorize and combine: representations by their names."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from textclf.artifacts.features import TOKENS
from textclf.core.files import SPLITS
from textclf.core.settings import Entries, Name, Section, rule, suggest
from textclf.vectorize.columns.settings import Settings as OtherColumns
from textclf.vectorize.encoder.settings import Settings as Encoder
from textclf.vectorize.static.settings import Settings as Static
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.token_ids.settings import Settings as TokenIds
from textclf.vectorize.wordpieces.settings import Settings as WordPieces

# To add a method, add its package textclf/vectorize/<method>/, its settings here, and its class in
# `representation`.
METHODS: dict[str, type[Section]] = {
    "terms": Terms,
    "token_ids": TokenIds,
    "encoder": Encoder,
    "static": Static,
    "wordpieces": WordPieces,
    "columns": OtherColumns,
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


class Vectorize(Entries):
    """How a text becomes numbers: representations by name, each with its method."""

    __pydantic_extra__: dict[str, Representation]
    NAMED, TAKEN = "a representation", SPLITS
    FEWEST = f"one representation, such as {{{DEFAULT}: {{}}}}"


class Pair(Section):
    """Two representations side by side."""

    first: Name = Field(description="a name in vectorize or combine")
    second: Name = Field(description="another name there; its columns follow those of first")


class Combine(Entries):
    """Pairs of representations side by side, by names of their own: \
{both: {first: words, second: letters}}."""  # noqa: D205, D209 (docs/params.md has it on one line)

    __pydantic_extra__: dict[str, Pair]


def leaves(name: str, combine: Combine) -> list[str]:
    """Return the names in vectorize of which a representation is made, in the order of its columns.

    They are its own name, or those in its pair.
    """
    pair = combine.pairs().get(name)
    return [name] if pair is None else [*leaves(pair.first, combine), *leaves(pair.second, combine)]


def wrong_pairs(vectorize: Vectorize, combine: Combine) -> Iterator[str]:
    """Yield a sentence for each pair that can't be made of the representations that there are."""
    pairs = combine.pairs()
    known = [*vectorize.names(), *pairs]
    for name, pair in pairs.items():
        if name in vectorize.names():
            yield (
                f"combine.{name} must not have the name of a representation of vectorize; "
                "choose another"
            )
        for key, part in pair:
            if part not in known:
                yield (
                    f"combine.{name}.{key} must be a name in vectorize or combine; got {part}; "
                    f"{suggest(part, known)}"
                )
            elif part in vectorize.names() and vectorize[part].kind == TOKENS:
                yield (
                    f"combine.{name}.{key} must be sparse or dense; got {part}, "
                    "whose features are tokens"
                )
        if any(part == name or name in below(part, combine) for _, part in pair):
            yield f"combine.{name} must not contain itself; got {pair.first} and {pair.second}"
        elif all(part in known for _, part in pair):
            parts = leaves(name, combine)
            if len(set(parts)) < len(parts):
                yield (
                    f"combine.{name} must contain each representation once; got {', '.join(parts)}"
                )


def below(name: str, combine: Combine) -> set[str]:
    """Return the names that a representation contains, directly or through pairs, each once."""
    names: set[str] = set()
    remaining = [name]
    while remaining:
        pair = combine.pairs().get(remaining.pop())
        new = {pair.first, pair.second} - names if pair else set()
        names |= new
        remaining += new
    return names
