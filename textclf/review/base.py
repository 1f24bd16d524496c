"""A project at a commit in a temporary clone: fetch its data and run its pipeline."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.installed import path_of_programs

# With -P no file of the project takes the place of a module.
DVC = (sys.executable, "-P", "-m", "dvc")
# A fetch hashes what it gets, where a clone of a folder trusts the names of the files in
# .git/objects. Both ends are on this machine: to compress would take longer than it saves.
UPLOAD = "--upload-pack=git -c pack.compression=0 -c pack.window=0 upload-pack"


def run_base(commit: str) -> None:
    """Run the pipeline at a commit, into this project's DVC cache; DVC's output goes to stderr.

    Stages that are the same at both commits come from DVC's run cache. Raises `UserError` with the
    reason, one line, if a command fails.
    """
    with cloned(commit) as project:
        run(*DVC, "repro", folder=project, echo=True)


@contextlib.contextmanager
def cloned(commit: str, inspect: Callable[[Path], object] = Path.resolve) -> Iterator[Path]:
    """Yield the project of the current folder at a commit, in a temporary clone.

    The clone has this project's DVC cache. `inspect` is called with the project before DVC reads
    it. Data kept with `dvc add` is there, from the cache or else from the remote. Raises
    `UserError` with the reason, one line, if a command fails.
    """
    cache = run(*DVC, "cache", "dir").splitlines()[-1]
    folders = os.fsdecode(git("rev-parse", "--show-toplevel", "--show-prefix").stdout)
    top, prefix = folders.split("\n")[:2]
    with tempfile.TemporaryDirectory(prefix="textclf-") as folder:
        project = Path(folder, prefix)
        run("git", "init", "--quiet", folder)
        run("git", "-C", folder, "remote", "add", "origin", top)
        try:
            run("git", "-C", folder, "fetch", "--quiet", "--depth=1", UPLOAD, "origin", commit)
        except UserError as error:
            raise UserError(
                f"Git must have the objects of {commit[:8]} as their hashes say; {error.lines[0]}"
            ) from None
        run("git", "-C", folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        if not (project / ".dvc").is_dir():
            raise UserError(f"it has no folder {prefix}.dvc")
        inspect(project)
        # DVC reads a path that is not ASCII, but cannot write it.
        config = project / ".dvc" / "config.local"
        config.write_text(f'[cache]\n    dir = "{cache}"\n', encoding="utf-8")
        tracked = os.fsdecode(git("-C", str(project), "ls-files", "-z", "*.dvc").stdout)
        fetch(project, tracked.split("\0")[:-1])
        yield project


def fetch(project: Path, targets: Sequence[str]) -> None:
    """Put these outputs there from DVC's cache, else from the remote.

    `dvc repro` names data that neither has.
    """
    for command in ("checkout", "pull") if targets else ():
        with contextlib.suppress(UserError):
            run(*DVC, command, "--quiet", *targets, folder=project)
            return


def run(
    *command: str,
    folder: Path | None = None,
    echo: bool = False,
    path: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a command and return what it printed; raise `UserError` with its first error.

    `python` is this Python, unless the folder `path` has another; `variables` are added to the
    environment. Git finds the repository by the folder: its variables in a hook would lead to
    another one.
    """
    lines = []
    of_git = git("rev-parse", "--local-env-vars").stdout.decode().split()
    inherited = {name: value for name, value in os.environ.items() if name not in of_git}
    programs = os.pathsep.join(filter(None, (path, path_of_programs())))
    with subprocess.Popen(  # noqa: S603 (Git and DVC, no shell)
        command,
        cwd=folder,
        env={**inherited, **variables, "PATH": programs},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if echo:
                print(line, end="", file=sys.stderr, flush=True)
    if process.returncode:
        errors = re.findall(r"^(?:error|fatal): (.*)", "".join(lines), re.IGNORECASE | re.MULTILINE)
        raise UserError((errors or lines[-1:] or [f"exit code {process.returncode}"])[0].strip())
    return "".join(lines)
