"""Copies of the working tree, each in a Git repository of its own, in which benchmarks run DVC."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
AUTHOR = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgsign=false")


def make_copy(project: Path) -> dict[str, str]:
    """Copy what Git tracks or would track to the folder `project` and return the environment for commands in it.

    The commands import the code of the copy and use the DVC and Python of this process; DVC's site cache is beside the
    folder.
    """
    listed = run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, os.environ)
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():  # neither deleted nor a nested repository
            (target := project / name).parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    own = variables(project)
    run(["git", "init", "--quiet", "--template="], project, own)
    return own


def variables(project: Path) -> dict[str, str]:
    """Return the environment for commands in a copy."""
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(project),
        "DVC_SITE_CACHE_DIR": str(project.parent / "dvc"),
    }


def commit(project: Path, variables: Mapping[str, str]) -> None:
    """Commit everything in a copy."""
    run(["git", "add", "--all"], project, variables)
    run(["git", *AUTHOR, "commit", "--quiet", "--message", "copy"], project, variables)


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command and return what it writes to stdout; if it fails, show what it wrote to stderr and exit."""
    done = subprocess.run(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        print(f"error: benchmark: {shlex.join(command)} must exit with 0; got {done.returncode}", file=sys.stderr)
        sys.exit(2)
    return done.stdout
