"""Lines for the user about errors that are no defects of textclf.

These are mistakes, missing packages, and a failing machine.
"""

import argparse
import atexit
import contextlib
import os
import signal
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from types import TracebackType
from typing import NoReturn, TextIO

from textclf.core.errors import UserError
from textclf.core.extras import extra_of, how_to_install
from textclf.core.quoting import first_line

USAGE_ERROR = 2
# EX_SOFTWARE of sysexits.h. Python's own 1 means that a command has found drift, damage or a worse
# model.
DEFECT = 70
OWN = ("", "textclf", "stages")  # packages whose absence is a defect; "" is an unknown one
LIBRARIES = tuple(EXTENSION_SUFFIXES)  # endings of compiled modules: .so, .pyd
# In messages of exceptions that say by their text alone that memory ran out
OUT_OF_MEMORY = (
    "can't start new thread",
    "Cannot allocate memory",
    "failed to map segment",
    "std::bad_alloc",
)


def lines_of(error: BaseException) -> tuple[str, ...] | None:
    """Return what to tell the user of an error; None for a defect, whose traceback is needed."""
    if is_out_of_memory(error):
        return (_memory_line(error),)
    match error:
        case UserError():
            return error.lines
        case ModuleNotFoundError():
            package = (error.name or "").partition(".")[0]
            extra = extra_of(package)
            if extra is not None:
                remedy = how_to_install(extra)
                return (f"the package {package} must be installed for this; {remedy}",)
            if package in OWN:
                return None
            remedy = "activate the environment: . .venv/bin/activate"
            return (f"the package {package} must be installed; {remedy}",)
        # The system could not load a library.
        case ImportError() if str(error.path).endswith(LIBRARIES):
            reason = str(error).removeprefix(f"{error.path}: ")
            return (f"{error.path}: {reason}; install the requirements again",)
        # pandas says only that numpy could not be imported.
        case ImportError(__cause__=BaseException() as cause):
            return lines_of(cause)
        case OSError(filename=None):
            return (first_line(error.strerror or error),)  # a library's own sentence may say where
        case OSError():
            sentence = os.strerror(error.errno) if error.errno else error.strerror
            return (f"{error.filename}: {sentence}",)
        case _:
            return None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception, also TensorFlow's, says that memory ran out.

    Then a thread may not start, and a library may not load.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, RuntimeError | ImportError | SystemError):
        return any(sign in str(error) for sign in OUT_OF_MEMORY)
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    return ("tensorflow", "ResourceExhaustedError") in kinds


def _memory_line(error: BaseException) -> str:
    """Return the line for an exception that `is_out_of_memory` recognises."""
    lines = str(error).strip().splitlines()
    signs = (line for line in lines if any(sign in line for sign in OUT_OF_MEMORY))
    reason = next(signs, "".join(lines[:1]))
    cause = f"; {reason}" if reason else ""
    remedy = "end other programs, raise a limit (ulimit -v), or use a machine with more memory"
    return f"memory ran out{cause}; {remedy}"


def complain(line: str) -> None:
    """Write a line to stderr with unprintable characters escaped.

    Do nothing if stderr is closed or on a full disk.
    """
    if sys.stderr is not None:
        shown = (
            letter if letter.isprintable() else letter.encode("unicode_escape").decode()
            for letter in line
        )
        with contextlib.suppress(OSError):
            print("".join(shown), file=sys.stderr)


def discard(stream: TextIO | None) -> None:
    """Discard what is left for stdout or stderr.

    Python would report at its exit what it can't write.
    """
    # The stream may be closed, or not be a file.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        stream.flush()  # type: ignore[union-attr]
    with contextlib.suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def report_uncaught(name: str) -> None:
    """Report what no `except` catches, such as while modules are imported, as `exit_code` does."""

    def report(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            os._exit(128 + signal.SIGINT)
        lines = lines_of(error)
        if lines is None:
            sys.__excepthook__(kind, error, traceback)
            atexit._run_exitfuncs()  # remove temporary files
            os._exit(DEFECT)  # the interpreter would exit with 1
        for line in lines:
            complain(f"error: {name}: {line}")
        os._exit(USAGE_ERROR)

    sys.excepthook = report


class Parser(argparse.ArgumentParser):
    """A parser that answers a wrong command line with one line and exit code 2.

    argparse would print the usage as well.
    """

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, under the name of the stage or command, and exit."""
        name = self.prog.replace(".", " ").split()[-1]
        complain(f"error: {name}: {message}; {self.prog} --help lists the arguments")
        raise SystemExit(USAGE_ERROR)
