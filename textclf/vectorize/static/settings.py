"""Settings of the representation static."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from textclf.core.settings import Section, one_of
from textclf.pretrained.catalogue import PIECES, having
from textclf.pretrained.weights import Chosen

NAMES = having(PIECES)


class Settings(Section):
    """Dense vectors that are the mean of one vector per word piece, with which nothing is learned.

    They are for English, and tell nothing of the order of the words.
    """

    kind: ClassVar = "dense"
    packages: ClassVar = ("tokenizers",)

    method: Literal["static"] = Field(
        "static", description="static: means of vectors of word pieces"
    )
    pretrained: Annotated[str, one_of(NAMES, "one of"), WithJsonSchema({"enum": list(NAMES)})] = (
        Field(NAMES[0], description=f"pretrained vectors: {', '.join(NAMES)}")
    )

    @property
    def chosen(self) -> Chosen:
        """Return the files that the settings name."""
        return Chosen(self.pretrained, None, None)

    def pretrained_names(self) -> list[str]:
        """Return the names of the pretrained weights to fetch."""
        return [self.pretrained]

    def describe(self, columns: int) -> str:
        """Return how a text becomes a vector with so many columns, in a few words."""
        return f"means of the word pieces' vectors of {self.pretrained}, {columns:,} columns"

    def limits(self) -> str:
        """Return what a model does not see of a text, as the end of a sentence."""
        return "does not see the order of the words"
