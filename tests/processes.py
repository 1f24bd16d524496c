"""Programs as processes, commands of textclf in this process, and how each ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from textclf.core.extras import EXTRAS

ROOT = Path(__file__).parents[1]
# The command line where all optional packages look as if they were not installed.
WITHOUT_EXTRAS = (
    "import sys; "
    f"sys.modules.update(dict.fromkeys({[name for names in EXTRAS.values() for name in names]}))\n"
    "from textclf import cli; cli.main()"
)
WINDOWS = (
    f"{ROOT / 'tests' / 'windows'}{os.pathsep}{ROOT}"  # PYTHONPATH with what makes POSIX missing
)
LONGEST = 1200  # seconds after which a program is taken to hang
SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
AUTHOR = (
    "-c",
    "user.name=textclf",
    "-c",
    "user.email=textclf@example.org",
    "-c",
    "commit.gpgsign=false",
)


class Ended(NamedTuple):
    """How a command ended: its exit code (of a signal negative), and what it printed."""

    status: Any
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on stdout."""
        return self.out.splitlines()


Command = Callable[..., Ended]  # of textclf, called with its words


def run(
    *command: str | Path,
    folder: Path | None = None,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    **variables: str,
) -> Ended:
    """Run a program to its end, with variables beside this process's, or an `environment`."""
    done = subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        env={**(os.environ if environment is None else environment), **variables},
        capture_output=True,
        timeout=LONGEST,
        encoding="utf-8",
        errors="replace",
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def python(
    *words: str | Path, folder: Path | None = None, stdin: str = "", **variables: str
) -> Ended:
    """Run Python, which finds the code of this repository in any folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return run(sys.executable, *words, folder=folder, stdin=stdin, environment=environment)


def git(*words: str | Path, folder: Path | None = None) -> str:
    """Run a Git command that must succeed, as a fixed author, and return what it printed."""
    done = run("git", *AUTHOR, *words, folder=folder)
    assert done.status == 0, done.err
    return done.out


def heed_signals() -> None:
    """Handle signals as at a terminal: a background shell makes its children ignore some."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
