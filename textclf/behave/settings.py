"""Settings of the stage behave."""

from typing import Annotated

from pydantic import Field

from textclf.core.settings import FilePath, Section, Seed, named


class Behave(Section):
    """Behavioural tests of the exported models; none in the default run."""

    tests: Annotated[dict[str, FilePath], named("a file of tests")] = Field(
        {},
        description=(
            "files of tests to run: {name: file}, such as {sentiment: behaviour/sentiment.yaml}"
        ),
    )
    seed: Seed = Field(
        0, description="seed of the perturbations, and of the cases chosen from a template"
    )
