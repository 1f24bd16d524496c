"""A run of the pipeline at the base of a change, so that its predictions can be paired with those of the head."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.installed import path_of_programs

DVC = (sys.executable, "-P", "-m", "dvc")  # -P: no file of the project takes the place of a module


def run_base(commit: str) -> None:
    """Run the pipeline at a commit in a temporary clone, into this project's DVC cache; DVC's output goes to stderr.

    Stages that are the same at both commits come from DVC's run cache, data kept with `dvc add` from the cache or else
    from the remote. Raises `UserError` with the reason, one line, if a command fails.
    """
    cache = _run(*DVC, "cache", "dir").splitlines()[-1]
    top, prefix = git("rev-parse", "--show-toplevel", "--show-prefix").stdout.decode().split("\n")[:2]
    with tempfile.TemporaryDirectory(prefix="textclf-base-") as folder:
        project = Path(folder, prefix)
        _run("git", "clone", "--quiet", "--shared", "--no-checkout", top, folder)
        _run("git", "-C", folder, "checkout", "--quiet", "--detach", commit)
        if not project.is_dir():
            raise UserError(f"it has no folder {prefix}")
        _run(*DVC, "cache", "dir", "--local", cache, folder=project)
        tracked = git("-C", str(project), "ls-files", "-z", "*.dvc").stdout.decode().split("\0")[:-1]
        for command in ("checkout", "pull") if tracked else ():
            try:
                _run(*DVC, command, "--quiet", *tracked, folder=project)
                break
            except UserError:  # `dvc repro` names data that neither the cache nor the remote has
                continue
        _run(*DVC, "repro", folder=project, echo=True)


def _run(*command: str, folder: Path | None = None, echo: bool = False) -> str:
    """Run a command, this Python being `python`, and return what it printed; raise `UserError` with its first error."""
    lines = []
    with subprocess.Popen(  # noqa: S603 (Git and DVC, no shell)
        command,
        cwd=folder,
        env={**os.environ, "PATH": path_of_programs()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if echo:
                print(line, end="", file=sys.stderr, flush=True)
    if process.returncode:
        errors = re.findall(r"^(?:error|fatal): (.*)", "".join(lines), re.IGNORECASE | re.MULTILINE)
        raise UserError((errors or lines[-1:] or [f"exit code {process.returncode}"])[0].strip())
    return "".join(lines)
