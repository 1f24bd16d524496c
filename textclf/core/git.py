"""Git, run in the current folder."""

import subprocess
from pathlib import Path

from textclf.core.errors import UserError


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run Git and return its result, whether it succeeded or not; `UserError` if it can't run."""
    # A repository that was copied may name a program as its monitor of files.
    command = ("git", "-c", "core.fsmonitor=false", *arguments)
    try:
        return subprocess.run(command, capture_output=True)  # noqa: PLW1510, S603 (git, no shell)
    except OSError as error:
        reason = "not found" if isinstance(error, FileNotFoundError) else f"can't be run: {error}"
        raise UserError(f"git {reason}; install it") from None


def is_tracked(*paths: Path) -> bool:
    """Return whether Git knows all of these files."""
    return git("ls-files", "--error-unmatch", "--", *map(str, paths)).returncode == 0


def is_committed(*paths: Path) -> bool:
    """Return whether `git checkout` brings these files back as they are now."""
    differ = git("diff", "--quiet", "HEAD", "--", *map(str, paths)).returncode
    return is_tracked(*paths) and differ == 0
