"""Validate the whole of params.yaml before any other stage starts.

Reads: nothing but params.yaml.
Writes: OUTPUT, a file that is always the same, so that a run of this stage starts no other.
Params: all of them.
"""

from pathlib import Path

from textclf import params
from textclf.core import stage
from textclf.core.outputs import outputs

MESSAGE = "params.yaml was checked\n"


def run(*, output: Path) -> None:
    """Check params.yaml: all mistakes within sections at once, then all conflicts between sections."""
    params.load()
    with outputs(output) as (target,):
        target.write_text(MESSAGE, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    stage.main(run)
