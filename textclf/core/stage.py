"""How a stage script is run: arguments to paths, params checked whole, errors told in one line."""

import argparse
import atexit
import contextlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from textclf.core.errors import UserError
from textclf.params import PARAMS_FILE, load

USAGE_ERROR = 2


def main(run: Callable[..., None]) -> None:
    """Run a stage and exit: 0 when its outputs stand, 2 after a mistake that the user can mend.

    The stage's name is its file's. Its first parameter takes the checked params; each further one becomes a
    command-line argument of the same name, a `Path` or a `str` as annotated.
    """
    name = Path(inspect.getfile(run)).stem
    _, *arguments = inspect.signature(run).parameters.values()
    parser = argparse.ArgumentParser(prog=f"python -m stages.{name}", description=inspect.getdoc(run))
    for argument in arguments:
        parser.add_argument(argument.name, type=argument.annotation)
    given = parser.parse_args()
    if status := exit_code(name, lambda: run(load(PARAMS_FILE), **vars(given))):
        sys.exit(status)
    # The outputs stand. The ordinary exit would take another second to take TensorFlow apart; of it, only what
    # removes temporary files and the like is wanted.
    atexit._run_exitfuncs()
    os._exit(0)


def exit_code(name: str, work: Callable[[], int | None]) -> int:
    """What a process that does the work should exit with: what the work gives, 0 for None; errors are told in lines.

    2 after a `UserError` or an error of the system, each line of it on stderr behind `error: ` and the name.
    """
    # What the user typed is quoted in errors; a lone surrogate (a name that is not UTF-8) must not break them.
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]  # None: closed, as by >&-
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = work() or 0
        for stream in streams:
            stream.flush()
    except UserError as error:
        for line in error.lines:
            complain(f"error: {name}: {line}")
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader of stdout has gone; Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = os.strerror(error.errno) if error.errno else str(error)  # pyarrow writes a sentence of its own
        complain(f"error: {name}: {where}{reason}")
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


def complain(line: str) -> None:
    """Write a line to stderr, if that is open, with what would break it escaped."""
    if sys.stderr is not None:
        shown = (letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)
        print("".join(shown), file=sys.stderr)
