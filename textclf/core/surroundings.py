"""What textclf takes from its surroundings, and what not: variables, current folder, CPU.

For commands and stages only. `textclf.load` runs in a process of the user's, whose settings are not
ours to change.
"""

import os
import sys
import warnings
from pathlib import Path

from textclf.core.arithmetic import has_avx2, is_x86
from textclf.core.errors import UserError

# Variables by the start of their names. Some change how libraries compute, others stop their
# import.
IGNORED = ("NPY_", "NUMPY_", "PANDAS_", "PYTHONWARNINGS", "SCIPY_", "SKLEARN_", "SOURCE_DATE_EPOCH")
PINNED = ("NPY_DISABLE_CPU_FEATURES",)  # by textclf.core.arithmetic
# Python's own default ignores these as well.
UNSHOWN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def ignore_settings() -> None:
    """Remove the user's variables that change how libraries work.

    Warnings are shown as Python does by default. Call it before these libraries are imported.
    """
    for name in [name for name in os.environ if name.startswith(IGNORED) and name not in PINNED]:
        del os.environ[name]
    if sys.warnoptions:
        warnings.resetwarnings()
        for category in UNSHOWN:
            warnings.simplefilter("ignore", category)


def open_streams() -> None:
    """Open what is closed of stdin, stdout and stderr on /dev/null.

    Python itself goes on without them. Otherwise the next file that a library opens gets the number
    of a standard stream, and libraries fail at it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


def require_own_code(folder: Path) -> None:
    """Raise `UserError` if the current folder has a folder of that name with other code.

    An experiment of DVC runs in a copy of the project. Python finds its code there, unless
    PYTHONSAFEPATH is set.
    """
    here = Path(folder.name)
    if here.is_dir() and not here.samefile(folder):
        raise UserError(
            f"the code must be that of the current folder; got {folder}; unset PYTHONSAFEPATH"
        )


def require_cpu() -> None:
    """Raise `UserError` on an x86-64 CPU without AVX2 and FMA.

    The results would differ there, or TensorFlow could not be loaded.
    """
    if is_x86() and not has_avx2():
        raise UserError(
            "the CPU must have AVX2 and FMA, so that every machine gives the same results; "
            "got one without, or one that may not use them; "
            "use another machine (textclf predict and textclf serve work on this one)"
        )
