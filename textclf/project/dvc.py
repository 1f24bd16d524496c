"""DVC's commands, in this process."""

import os
import sys
from pathlib import Path

from textclf.core.failures import USAGE_ERROR

INTERRUPTED = 252  # DVC's exit code after Ctrl-C


def dvc(*arguments: str) -> int:
    """Run a command of DVC; return 0, or 2 if it failed. DVC and the stages print what went wrong."""
    from dvc.cli import main

    # So that `python` in the commands of stages is this one, if its environment is not activated
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    code = main(list(arguments))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return USAGE_ERROR if code else 0
