"""Say how to mend the files of DVC that a kill or a full disk can damage; `make repro` runs this before DVC.

DVC itself says that such a file is not valid, not what to do. Exit code 0, or 2 with a line for each damaged file.
Only Python's standard library is used, so that this takes no time.
"""

import json
import sys
from pathlib import Path

LOCK, RUNNING = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


def mend(folder: Path = Path()) -> list[str]:
    """Return a line for each damaged file of the project in a folder."""
    lines = []
    lock, running = folder / LOCK, folder / RUNNING
    # DVC empties the file before it writes it again. Whatever part of it was written, its last line is not complete.
    if lock.exists() and not lock.read_bytes().endswith(b"\n"):
        lines.append(f"{LOCK} must be complete; got a part, as a killed DVC leaves it; git checkout {LOCK}")
    try:
        json.loads(running.read_bytes() if running.exists() else b"{}")
    except ValueError:
        what = "got another text, as a full disk leaves it"
        lines.append(f"{RUNNING} must be JSON; {what}; if no other DVC runs here: rm {RUNNING}")
    return lines


if __name__ == "__main__":
    for line in mend():
        print(f"error: make repro: {line}", file=sys.stderr)
    sys.exit(2 if mend() else 0)
