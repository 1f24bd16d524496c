"""Runs a command of textclf in this process and kills it at one of its changes of the file system.

usage: python killed.py N COMMAND...     0 counts: it prints how many changes there are
"""

import os
import sys

CHANGES = (
    "os.rename",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "shutil.rmtree",
    "shutil.copyfile",
)
last, seen = int(sys.argv[1]), 0


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Count what changes files, and end the process as SIGKILL would at the last."""
    global seen  # noqa: PLW0603
    flags = arguments[2] if event == "open" else 0
    if event in CHANGES or (
        isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR) and flags & os.O_CREAT
    ):
        seen += 1
        if seen == last:
            os._exit(137)


sys.addaudithook(watch)
from textclf import cli  # noqa: E402

try:
    cli.main(sys.argv[2:])
finally:
    if not last:
        print(f"changes: {seen}")
