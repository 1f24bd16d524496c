"""Settings of the representation columns."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names
from textclf.core.settings import Columns, Section, relation, show


class Settings(Section):
    """Numbers, categories and dates in other columns than the text, \
which data.columns carries along."""  # noqa: D205, D209 (docs/params.md has it on one line)

    kind: ClassVar = "dense"

    method: Literal["columns"] = Field(
        "columns", description="columns: other columns than the text"
    )
    numbers: Columns = Field(
        (), description="columns of numbers, which are standardised, such as [price]"
    )
    categories: Columns = Field(
        (), description="columns whose frequent values each become a feature"
    )
    dates: Columns = Field(
        (),
        description="columns of dates in ISO 8601: year, "
        "and a feature for each month, weekday and hour",
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns."""
        return (*self.numbers, *self.categories, *self.dates)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.names:
            raise relation("numbers, categories or dates must name a column; got none")
        if duplicates := [name for name in self.names if self.names.count(name) > 1]:
            raise relation(
                "a column must be in one of numbers, categories and dates; "
                f"got {show(duplicates[0])} in two"
            )
        return self

    def describe(self, columns: int) -> str:
        """Return how the columns of a row become a vector with so many columns, in a few words."""
        return f"the columns {list_names(self.names)}, {count_noun(columns, 'feature')}"

    def limits(self) -> str:
        """Return what a model does not see of a row, as the end of a sentence."""
        return (
            "takes a category that few training rows have for none, "
            "and a missing number for the mean"
        )
