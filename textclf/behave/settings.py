"""Settings of the stage behave."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from textclf.core.settings import Name, Section, Seed, require_names


def named(what: str) -> AfterValidator:
    """Return the validator of a mapping whose keys are names; `what` says of what."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        require_names(value, what)
        return value

    return AfterValidator(check)


class Behave(Section):
    """Behavioural tests of the exported models; none in the default run."""

    tests: Annotated[dict[str, Name], named("a file of tests")] = Field(
        {}, description="files of tests to run: {name: file}, such as {sentiment: behaviour/sentiment.yaml}"
    )
    seed: Seed = Field(0, description="seed of the perturbations, and of the cases chosen from a template")
