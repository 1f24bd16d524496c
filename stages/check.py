"""Validate the whole of params.yaml before any other stage starts, and plan the run.

Reads: nothing but params.yaml and the code of the models.
Writes: OUTPUT, a file that is always the same, so that a run of this stage starts no other; PLAN, a folder that says
what each model is, which representations it reads, which pretrained weights are needed, and all settings in use.
Params: all of them.
"""

from pathlib import Path

from textclf import params
from textclf.artifacts import plan as plans
from textclf.core import stage
from textclf.core.errors import UserError
from textclf.core.outputs import outputs
from textclf.plan import missing_packages, plan_models, plan_pretrained, plan_representations, plan_settings

MESSAGE = "params.yaml was checked\n"


def run(*, output: Path, plan: Path) -> None:
    """Check params.yaml: all mistakes within sections at once, then all conflicts between sections."""
    settings = params.load()
    if lines := list(missing_packages(settings)):
        raise UserError(*lines)
    with outputs(output, plan) as (target, folder):
        target.write_text(MESSAGE, encoding="utf-8", newline="\n")
        folder.mkdir()
        plans.write(
            folder,
            plan_models(settings),
            plan_representations(settings),
            plan_pretrained(settings),
            plan_settings(settings),
        )


if __name__ == "__main__":
    stage.main(run)
