"""Settings of the stage fetch."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from textclf.core.settings import Section, rule
from textclf.fetch.catalogue import CORPORA


def _corpora(value: object) -> tuple[str, ...]:
    names: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if not names or any(name not in list(CORPORA) for name in names) or len(set(names)) < len(names):
        raise rule(f"one of {', '.join(CORPORA)}, or a list of such, each once")
    return tuple(names)


Corpora = Annotated[
    tuple[str, ...],
    PlainValidator(_corpora),
    WithJsonSchema(
        {"anyOf": [{"enum": list(CORPORA)}, {"type": "array", "items": {"enum": list(CORPORA)}, "minItems": 1}]}
    ),
]


class Fetch(Section):
    """The built-in corpora to download; only used while data.path is data/raw."""

    corpus: Corpora = Field(
        default=("yelp",),
        description="yelp, amazon or imdb, 1,000 labelled sentences each; or several as one: [yelp, imdb]",
    )
