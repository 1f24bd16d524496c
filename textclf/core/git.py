"""Git, run in the current folder."""

import subprocess

from textclf.core.errors import UserError


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run Git and return its result, whether it succeeded or not."""
    try:
        return subprocess.run(("git", *arguments), capture_output=True)  # noqa: PLW1510, S603, S607 (git, no shell)
    except FileNotFoundError:
        raise UserError("git not found; install it") from None
