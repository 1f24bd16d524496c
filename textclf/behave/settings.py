"""Settings of the stage behave."""

from typing import Annotated

from pydantic import AfterValidator, Field

from textclf.core.settings import Name, Section, Seed, require_names


def _tests(value: dict[str, str]) -> dict[str, str]:
    require_names(value, "a file of tests")
    return value


class Behave(Section):
    """Behavioural tests of the exported models; none in the default run."""

    tests: Annotated[dict[str, Name], AfterValidator(_tests)] = Field(
        {}, description="files of tests to run: {name: file}, such as {sentiment: behaviour/sentiment.yaml}"
    )
    seed: Seed = Field(0, description="seed of the perturbations, and of the cases chosen from a template")
