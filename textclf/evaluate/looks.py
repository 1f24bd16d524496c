"""How often the test rows were measured, by the results in Git, and the wider interval for it.

Pages are the same bytes in every clone, so only the terminal and the comment of a pull request say
it.
"""

import hashlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.evaluate.intervals import Interval, degrees_correction, wilson

KEY = "test_rows"  # in decisions.json, below protocol


def identify(ids: bytes, y: NDArray[Any]) -> int:
    """Return a checksum, of 48 bits, from the digest of the ids and the classes (rows,)."""
    return int.from_bytes(hashlib.sha256(ids + y.astype("<i8").tobytes()).digest()[:6])


def count_results(test_rows: int | None, folder: Path, commit: str = "") -> int:
    """Return the number of different results on these test rows that Git has here.

    They are those of all branches and experiments. `test_rows` is their checksum in decisions.json,
    `folder` that of the metrics. The result of the commit, or of the working tree, is one of them;
    without Git, or without a checksum of the rows, it is the only one.
    """
    evaluation, decided = (
        (folder / f"{name}.json").as_posix() for name in ("evaluation", "decisions")
    )
    try:
        log = git("log", "--all", "--full-history", "--format=%H", "--", evaluation, decided)
    except UserError:  # no Git
        return 1
    commits = log.stdout.decode().split()
    if test_rows is None or not commits:
        return 1
    pattern = ("grep", "-lwF", f'"{KEY}": {test_rows}')
    matches = git(*pattern, *commits, "--", decided).stdout.decode().splitlines()
    names = [f"{line.partition(':')[0]}:./{evaluation}" for line in matches]
    results = git("rev-parse", *names).stdout.split() if names else []
    if commit:
        present = git("rev-parse", f"{commit}:./{evaluation}")
    else:
        present = git("hash-object", "--", evaluation)
    return len({*results, *present.stdout.split()})


def widen(
    accuracy: float,
    rows: float,
    confidence: float,
    looks: int,
    degrees: float | None = None,
) -> Interval:
    """Return the Wilson interval of an accuracy on so many effective rows, the best of so many.

    By Bonferroni's inequality the intervals of all have the truth together if each has a level of
    1 - (1 - confidence) / looks. Dependent rows are worth less there than at `confidence`, by their
    `degrees` of freedom; independent ones have None.
    """
    alpha = (1 - confidence) / looks
    if degrees is not None:
        rows *= float(
            degrees_correction(degrees, alpha) / degrees_correction(degrees, 1 - confidence)
        )
    return wilson(accuracy * rows, rows, 1 - alpha)
