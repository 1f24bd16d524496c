"""Settings of the stage export."""

from typing import Annotated

from pydantic import Field

from textclf.core.settings import Name, Section
from textclf.evaluate.settings import Evaluate
from textclf.tables.settings import Data


class Export(Section):
    """How the models are exported."""

    model: Name | None = Field(
        None,
        description=(
            "default of textclf predict; null: best on validation rows, else in cross-validation"
        ),
    )
    refit: bool = Field(
        False,
        description=(
            "true exports the default model as fitted on training and validation rows together"
        ),
    )
    terms: Annotated[int, Field(ge=1)] = Field(
        12,
        description="number of top terms listed for each class of a model, of words and of letters",
    )


def needs_measured(data: Data, evaluate: Evaluate) -> str | None:
    """Return what holds only for the measured model, so that `refit` changes nothing, or None."""
    if evaluate.coverage is not None:
        return "the promise of the prediction sets (evaluate.coverage)"
    if data.no_class_label is not None:
        return "the threshold below which a text is of no class (data.unknown)"
    return None
