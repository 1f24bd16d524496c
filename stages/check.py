"""Validate the whole of params.yaml before any other stage starts, and plan the run.

Reads: params.yaml, the code of the models, weights of the user's own, and the files that behave.tests names, so that a
mistake in one stops the run before anything is trained.
Writes: OUTPUT, a file that changes only with the code that every stage runs first, so that a run of this stage starts
no other; PLAN, a folder that says
what each model is, which representations it reads, which pretrained weights are needed, and all settings in use.
Params: all of them.
"""

from collections.abc import Iterator
from pathlib import Path

import stages
import textclf
from textclf import params
from textclf.artifacts import plan as plans
from textclf.behave.settings import Behave
from textclf.core import stage
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.foreign import require_file
from textclf.core.outputs import outputs
from textclf.core.settings import PARAMS_FILE, suggest
from textclf.plan import (
    missing_packages,
    plan_models,
    plan_pretrained,
    plan_representations,
    plan_settings,
    wrong_weights,
)
from textclf.review.settings import Gate

MESSAGE = "params.yaml was checked\n"
FIRST = (Path(stages.__file__), Path(textclf.__file__))  # every stage runs them, and depends on them through OUTPUT


def run(*, output: Path, plan: Path) -> None:
    """Check params.yaml: all mistakes within sections at once, then all conflicts between sections."""
    settings = params.load()
    for path in (settings.data.path, *settings.evaluate.external.values()):
        require_file(Path(path))  # DVC would wait for the end of a named pipe or a device before the next stage
    lines = [*missing_packages(settings), *wrong_weights(settings), *_wrong_tests(settings.behave, settings.gate)]
    if lines:
        raise UserError(*lines)
    with outputs(output, plan) as (target, folder):
        sums = (f"{sha256_of_file(path)}  {path.parent.name}/{path.name}\n" for path in FIRST)
        target.write_text("".join([MESSAGE, *sums]), encoding="utf-8", newline="\n")
        folder.mkdir()
        plans.write(
            folder,
            plan_models(settings),
            plan_representations(settings),
            plan_pretrained(settings),
            plan_settings(settings),
        )


def _wrong_tests(behave: Behave, gate: Gate) -> Iterator[str]:
    """Yield a line for each mistake in the files of tests, a missing file among them, and each limit of no test."""
    for name, path in behave.tests.items():
        from textclf.behave import suite  # not in the default run

        try:
            tests = suite.read(Path(path), behave.seed).tests
        except UserError as error:
            yield from error.lines
            continue
        for model, limits in gate.behaviour.items():
            for test in limits.get(name, {}):
                if test not in tests:
                    key = f"gate.behaviour.{model}.{name}.{test}"
                    yield f"{PARAMS_FILE}: {key} is no test of {path}; {suggest(test, tests)}"


if __name__ == "__main__":
    stage.main(run)
