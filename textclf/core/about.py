"""Settings on what the data is; they change how results are shown, never a result."""

from pydantic import Field

from textclf.core.settings import Name, Section


class About(Section):
    """What the data is, for figures, report and model cards. Built-in corpora bring this along."""

    title: Name | None = Field(
        None, description="name of the data, in the title of the report; null shows data.path"
    )
    licence: Name | None = Field(
        None, description="licence of the data, such as CC BY 4.0; model cards state it"
    )
    citation: Name | None = Field(None, description="how to cite the data; model cards state it")
    language: Name | None = Field(
        None, description="language of the texts, such as English; model cards state it"
    )
    class_names: dict[str, Name] = Field(
        {},
        description="what to show instead of a label, "
        'such as {"0": negative, "1": positive}; {} shows the labels',
    )


NOTHING = About()  # what the user says of built-in corpora
