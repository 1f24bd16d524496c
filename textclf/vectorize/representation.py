"""Representations: they turn texts into features of one kind.

They are learned from the training rows and stored as JSON.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Protocol

from scipy.sparse import csr_array

from textclf.artifacts.features import SPARSE, Matrix, stack_columns
from textclf.core.files import read_versioned_json, reading, require_known, write_versioned_json
from textclf.vectorize.columns import representation as columns
from textclf.vectorize.encoder import representation as encoder
from textclf.vectorize.static import representation as static
from textclf.vectorize.terms.vectorizer import Vectorizer
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.wordpieces import representation as wordpieces

# The file of a representation, beside the features that it made and in the folder of each exported
# model.
VECTORIZER = "vectorizer.json"
# Stands in JSON instead of a method.
UNION = "union"


class Representation(Protocol):
    """A fitted representation."""

    kind: ClassVar[str]  # of its features: see `textclf.artifacts.features`

    @property
    def columns(self) -> int:
        """Return the number of columns, or of token ids."""

    def transform(self, texts: Iterable[str]) -> Matrix:
        """Return the features of the texts."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of vectorizer.json."""


CLASSES: dict[str, Any] = {
    "terms": Vectorizer,
    "token_ids": TokenIds,
    "encoder": encoder.Representation,
    "static": static.Representation,
    "wordpieces": wordpieces.Representation,
    "columns": columns.Representation,
}


def fit(texts: Iterable[str], settings: Any, pretrained: Path) -> Representation:
    """Return a representation learned from the training texts.

    `pretrained` is the folder of pretrained weights.
    """
    representation: Representation = CLASSES[settings.method].fit(texts, settings, pretrained)
    return representation


@dataclass(frozen=True)
class Block:
    """A representation within a union."""

    name: str
    scale: float  # the factor by which its features are multiplied
    representation: Representation


class Union:
    """Several representations side by side.

    They are scaled so that no block outweighs another by its units alone.
    """

    kind: ClassVar[str] = SPARSE

    def __init__(self, blocks: Sequence[Block]) -> None:
        """Keep the blocks, in the order of their columns."""
        self.blocks = tuple(blocks)

    @property
    def columns(self) -> int:
        """Return the number of columns of all blocks."""
        return sum(block.representation.columns for block in self.blocks)

    def transform(self, texts: Iterable[str]) -> csr_array:
        """Return the vectors of the texts: (texts, columns), CSR of float64."""
        texts = list(texts)
        features: list[Any] = [block.representation.transform(texts) for block in self.blocks]
        return stack_columns(features, [block.scale for block in self.blocks])

    def terms(self) -> list[str | None]:
        """Return the term of each column with the name of its block, such as `words__good`.

        It is None for a column without a term.
        """
        names: list[str | None] = []
        for block in self.blocks:
            inner: Any = block.representation
            if isinstance(inner, Union):
                names += inner.terms()
            elif hasattr(inner, "terms"):
                names += [f"{block.name}__{term}" for term in inner.terms()]
            else:
                names += [None] * inner.columns
        return names

    def analyzers(self) -> list[str | None]:
        """Return the analyzer of the term of each column; None for a column without a term."""
        analyzers: list[str | None] = []
        for block in self.blocks:
            inner: Any = block.representation
            if hasattr(inner, "analyzers"):
                analyzers += inner.analyzers()
            else:
                analyzers += [None] * inner.columns
        return analyzers

    def to_json(self) -> dict[str, Any]:
        """Return the blocks as JSON content."""
        blocks = [
            {"name": block.name, "scale": block.scale, "vectorizer": block.representation.to_json()}
            for block in self.blocks
        ]
        return {"method": UNION, "blocks": blocks}


class Apart:
    """The representations of the members of an average, whose features stay apart."""

    def __init__(self, first: Representation, second: Representation) -> None:
        """Keep the representations, in `blocks` the second only if it is another object."""
        different = (first,) if second is first else (first, second)
        self.blocks = [Block("", 1.0, representation) for representation in different]

    def transform(self, texts: Iterable[str]) -> tuple[Matrix, Matrix]:
        """Return the features for each member."""
        texts = list(texts)
        features = [block.representation.transform(texts) for block in self.blocks]
        return features[0], features[-1]


def columns_read(representation: Any) -> tuple[str, ...]:
    """Return the names of the columns that texts must come with, mostly none."""
    inner = (columns_read(block.representation) for block in getattr(representation, "blocks", ()))
    return tuple(dict.fromkeys(chain(getattr(representation, "reads", ()), *inner)))


def share(representation: Any, shared: Path) -> None:
    """Write the pretrained files that a representation needs to `shared`, once for all models."""
    if hasattr(representation, "share"):
        representation.share(shared)
    for block in getattr(representation, "blocks", ()):
        share(block.representation, shared)


def write(representation: Representation, path: Path) -> None:
    """Write a representation as JSON; `read` returns its floats bit for bit."""
    write_versioned_json(path, representation.to_json())


def read(path: Path, shared: Path) -> Any:
    """Return a representation from JSON and the folder of weights `shared` by models.

    Raises `UserError` if it is damaged.
    """
    content = read_versioned_json(path)
    with reading(path):
        return _from_json(path, content, shared)


def _from_json(path: Path, content: Any, shared: Path) -> Any:
    if not isinstance(content, dict):
        raise TypeError(content)
    if content.get("method") == UNION:
        return Union(
            [
                Block(
                    block["name"],
                    _finite(block["scale"]),
                    _from_json(path, block["vectorizer"], shared),
                )
                for block in content["blocks"]
            ]
        )
    settings = content["settings"]
    if not isinstance(settings, dict):
        raise TypeError(settings)
    method = settings.get("method", "terms")  # which JSON of terms does not have
    require_known(path, [method], CLASSES)
    kind = CLASSES[method]
    if hasattr(kind, "unknown_names"):
        require_known(path, kind.unknown_names(content), ())
    return kind.from_json(content, shared)


def _finite(scale: object) -> float:
    if type(scale) is not float or not 0 < scale < float("inf"):
        raise ValueError("a scale must be a positive number")
    return scale
