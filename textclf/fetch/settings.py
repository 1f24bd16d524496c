"""Settings of the stage fetch."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from textclf.core.settings import Name, Section, relation, rule, show
from textclf.fetch.catalogue import CORPORA

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _corpora(value: object) -> tuple[str, ...]:
    names: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    known = list(CORPORA)
    if not names or any(name not in known for name in names) or len(set(names)) < len(names):
        raise rule(f"one of {', '.join(CORPORA)}, or a list of such, each once")
    return tuple(names)


Corpora = Annotated[
    tuple[str, ...],
    BeforeValidator(_corpora),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(CORPORA)},
                {"type": "array", "items": {"enum": list(CORPORA)}, "minItems": 1},
            ]
        }
    ),
]


def _variable(value: str) -> str:
    if not VARIABLE.fullmatch(value):
        raise rule(
            "the name of an environment variable, such as DATABASE_URL, "
            "and not the URL with its password"
        )
    return value


class Fetch(Section):
    """The built-in corpora to download, or a query to run; used while data.path is data/raw."""

    corpus: Corpora = Field(
        ("yelp",),
        description="yelp, amazon or imdb, 1,000 labelled sentences each; "
        "or several as one: [yelp, imdb]",
    )
    database: Annotated[str, AfterValidator(_variable)] | None = Field(
        None, description="environment variable with the URL of a database, to read from it instead"
    )
    query: Name | None = Field(
        None, description="SELECT statement that gives the rows of the database; use ORDER BY"
    )

    @model_validator(mode="after")
    def _database_has_a_query(self) -> Self:
        if (self.database is None) != (self.query is None):
            raise relation(
                "database and query must be set together, or both be null; "
                f"got {show(self.database)} and {show(self.query)}"
            )
        return self
