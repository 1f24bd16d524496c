"""Inputs of the user that must not change while a stage runs."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.quoting import quote_name

Checksums = Mapping[str, str]  # SHA-256 of each file, by its name


@contextlib.contextmanager
def unchanged(path: Path, checksums: Callable[[], Checksums]) -> Iterator[Checksums]:
    """Yield what `checksums` returns; `UserError` if it differs at the end of the block.

    The block reads the files. DVC records an input as it finds it when the stage has ended, so a
    stage that has read another one must fail. `path` names the input in the error.
    """
    before = checksums()
    yield before
    name = first_change(before, checksums())
    if name:
        raise UserError(
            f"{path} must not change while it is read; {quote_name(name)} did; "
            "run dvc repro again when it is complete"
        )


def unchanged_file(path: Path) -> contextlib.AbstractContextManager[Checksums]:
    """Return `unchanged` of one file, which may be missing."""
    return unchanged(path, lambda: {path.name: sha256_of_file(path)} if path.is_file() else {})


def first_change(before: Checksums, now: Checksums) -> str | None:
    """Return the name of the first file that differs or is in only one of the two, if any."""
    names = sorted({*before, *now})
    return next((name for name in names if before.get(name) != now.get(name)), None)
