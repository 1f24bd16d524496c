"""Settings of the stage export."""

from typing import Annotated

from pydantic import Field

from textclf.core.settings import Name, Section


class Export(Section):
    """How the models are exported."""

    model: Name | None = Field(
        None, description="default of textclf predict; null: best on validation rows, else in cross-validation"
    )
    refit: bool = Field(
        False, description="true exports the default model as fitted on training and validation rows together"
    )
    terms: Annotated[int, Field(ge=1)] = Field(
        12, description="number of top terms listed for each class of a model, of words and of letters"
    )
