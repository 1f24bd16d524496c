"""A check of a model, and that of its files: they are held against its statement."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textclf.artifacts.statement import PROVENANCE, read
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.quoting import list_few, quote_name
from textclf.pretrained.catalogue import SHARED

SHOWN = 5  # differences that a line names


@dataclass(frozen=True)
class Check:
    """The outcome of a check; `failed` says that the model is other than it claims."""

    name: str
    text: str
    failed: bool = False

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.name}: {'FAILED, ' * self.failed}{self.text}"


def check(name: str, find: Callable[[], Iterable[str] | None], passed: str) -> Check:
    """Return the outcome of a check: the lines of what is wrong that `find` returns or raises, or else `passed`."""
    try:
        wrong = list(find() or ())
    except UserError as error:
        wrong = list(error.lines)
    return Check(name, list_few(wrong, SHOWN) or passed, bool(wrong))


def problems(folder: Path) -> Iterator[str]:
    """Yield a line for each file that is missing, changed, not listed or a link; also for changed weights beside.

    Raises `UserError` if the statement is damaged.
    """
    if not (folder / PROVENANCE).is_file():
        yield f"{PROVENANCE} is missing"
        return
    statement = read(folder)
    if statement.model != folder.resolve().name:
        yield f"{PROVENANCE} is of the model {quote_name(statement.model)}, whose name the folder must have"
    listed = {**statement.subjects, PROVENANCE: sha256_of_file(folder / PROVENANCE)}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted({*listed, *found}):
        if wrong := _wrong(found.get(name), listed.get(name)):
            yield f"{quote_name(name)} {wrong}"
    for name, digest in statement.files.items():
        path = folder.parent / name
        if (
            name.startswith(f"{SHARED}/")
            and ".." not in name
            and path.exists()
            and (wrong := _wrong(path, digest))
        ):
            yield f"../{name} {wrong}"


def _wrong(path: Path | None, digest: str | None) -> str:
    """Return what is wrong with a file that should have this SHA-256, "" if nothing is; folders are not looked at."""
    if path is None:
        return "is missing"
    if path.is_symlink():
        return "is a link"
    if path.is_dir():
        return ""
    if digest is None or not path.is_file():
        return "is not listed"
    return "" if sha256_of_file(path) == digest else "was changed"
