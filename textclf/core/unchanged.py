"""Inputs of the user, and the code of the project, that must not change while a stage runs."""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.quoting import quote_name

Checksums = Mapping[str, str]  # SHA-256 of each file, by its name

_code: dict[Path, str] = {}  # the SHA-256 of each file of code when the process started


@contextlib.contextmanager
def unchanged(path: Path, checksums: Callable[[], Checksums]) -> Iterator[Checksums]:
    """Yield what `checksums` returns; `UserError` if that differs at the end of the block, which reads the files.

    DVC records an input as it finds it when the stage has ended, so a stage that has read another one must fail.
    `path` names the input in the error.
    """
    before = checksums()
    yield before
    if name := first_change(before, checksums()):
        raise UserError(
            f"{path} must not change while it is read; {quote_name(name)} did; run dvc repro again when it is complete"
        )


def first_change(before: Checksums, now: Checksums) -> str | None:
    """Return the name of the first file that differs or is in one of the two only; None if there is none."""
    return next((name for name in sorted({*before, *now}) if before.get(name) != now.get(name)), None)


def watch_code(root: Path) -> None:
    """Remember the files of the packages stages and textclf below `root`, as they are before they are imported."""
    files = (path for name in ("stages", "textclf") for path in (root / name).rglob("*"))
    _code.update({path: _sha256(path) for path in files if "__pycache__" not in path.parts and path.is_file()})


def changed_code() -> Path | None:
    """Return the first file of code that this process runs and that has changed since `watch_code`; None without one.

    That is the script, each imported module, and each other file, such as a template, of a package that is imported.
    """
    files = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
    loaded = {Path(file) for name, file in files.items() if file and name.partition(".")[0] in ("stages", "textclf")}
    loaded |= {Path(file) for file in (files["__main__"],) if file and Path(file) in _code}  # the script of a stage
    packages = {path.parent for path in loaded}
    used = loaded | {path for path in _code if path.suffix != ".py" and _package(path) in packages}
    changed = (path for path in sorted(used) if not path.is_file() or _code.get(path) != _sha256(path))
    return next(changed, None) if _code else None


def _package(path: Path) -> Path | None:
    """Return the folder of the package to which a file of the code belongs."""
    return next((folder for folder in path.parents if folder / "__init__.py" in _code), None)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
