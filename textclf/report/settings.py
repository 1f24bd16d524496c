"""Settings of the stage report."""

from typing import Annotated

from pydantic import Field

from textclf.core.settings import Section


class Report(Section):
    """How much the report shows."""

    mistakes: Annotated[int, Field(ge=1)] = Field(
        10, description="number of mistakes shown for each model, the most confident first"
    )
