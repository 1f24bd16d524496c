"""The scores of trainings that are done, in a file, so that a search that was killed resumes."""

import hashlib
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.core.outputs import writing
from textclf.core.workers import code
from textclf.studies.measure import Setup

FILE = "scores.jsonl"  # in the scratch folder
PATTERN = ".search-*.scratch"  # of scratch folders; DVC and Git ignore them
LIBRARIES = ("keras", "numpy", "scikit-learn", "scipy", "tensorflow")


def scratch_folder(beside: Path, setup: Setup) -> Path:
    """Return the scratch folder of a search with these settings, this code and these libraries; it need not exist.

    What a score depends on besides, the rows and the settings of the model, is in its key.
    """
    digest = hashlib.sha256(f"{setup.split!r} {setup.evaluate!r} {code()}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return beside / PATTERN.replace("*", digest.hexdigest()[:16])


class Scores:
    """Scores by key, each written to the disk with a checksum when it is known."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier search left in the folder; a last line that was cut off by a kill is dropped.

        Raises `UserError` if another line is not what the search wrote.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self.known: dict[str, float] = {}
        complete = 0
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        for number, line in enumerate(lines, 1):
            if number == len(lines) and not line.endswith(b"\n"):
                break
            try:
                key, score, _ = json.loads(line)
            except (ValueError, TypeError):
                key = score = None
            if line != _line(key, score):
                raise UserError(
                    f"{self.path}:{number} is damaged or was edited; remove {folder} and search again, from the start"
                )
            self.known[key] = score
            complete += len(line)
        if self.path.exists():
            os.truncate(self.path, complete)

    def get(self, key: str, compute: Callable[[], float]) -> float:
        """Return the score of a key; it is computed if it is not known."""
        if key not in self.known:
            score = compute()
            self.path.parent.mkdir(exist_ok=True)
            with writing(self.path), self.path.open("ab") as file:
                file.write(_line(key, score))
                file.flush()
                os.fsync(file.fileno())
            self.known[key] = score
        return self.known[key]


def _line(key: Any, score: Any) -> bytes:
    """Return the line of a score, with the SHA-256 of both."""
    record = [key, score]
    return json.dumps([*record, sha256(json.dumps(record).encode())]).encode() + b"\n"
