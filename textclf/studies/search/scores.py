"""The scores of trainings that are done, in a file, so that a search that was killed resumes."""

import hashlib
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from textclf.core.code import read_code
from textclf.core.errors import UserError
from textclf.core.outputs import writing
from textclf.studies.measure import Setup

FILE = "scores.jsonl"  # in the scratch folder
PATTERN = ".search-*.scratch"  # of scratch folders; DVC and Git ignore them
LIBRARIES = ("keras", "numpy", "scikit-learn", "scipy", "tensorflow")


def scratch_folder(beside: Path, setup: Setup) -> Path:
    """Return the scratch folder of a search with these settings, code and libraries; keys of scores have the rest."""
    digest = hashlib.sha256(f"{setup.split!r} {setup.evaluate!r} {read_code()}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return beside / PATTERN.replace("*", digest.hexdigest()[:16])


class Scores:
    """Scores by key, each written to the disk when it is known."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier search left in the folder, without a last line that was cut off by a kill."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        content = self.path.read_bytes() if self.path.exists() else b""
        complete = content[: content.rfind(b"\n") + 1]
        try:
            self.known: dict[str, float] = dict(map(json.loads, complete.splitlines()))
        except (ValueError, TypeError):
            raise UserError(f"{self.path} is damaged; remove {folder} and search again, from the start") from None
        if complete != content:
            os.truncate(self.path, len(complete))

    def get(self, key: str, compute: Callable[[], float]) -> float:
        """Return the score of a key; it is computed if it is not known."""
        if key not in self.known:
            score = compute()
            self.path.parent.mkdir(exist_ok=True)
            with writing(self.path), self.path.open("ab") as file:
                file.write(json.dumps([key, score]).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.known[key] = score
        return self.known[key]
