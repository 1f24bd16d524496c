"""DVC's commands, in this process."""

import os

from textclf.core.failures import USAGE_ERROR
from textclf.core.installed import path_of_programs

INTERRUPTED = 252  # DVC's exit code after Ctrl-C


def dvc(*arguments: str) -> int:
    """Run a command of DVC; return 0, or 2 if it failed. DVC and the stages print what went wrong."""
    from dvc.cli import main

    os.environ["PATH"] = path_of_programs()
    code = main(list(arguments))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return USAGE_ERROR if code else 0
