"""A check of a model, and that of its files: they are held against its statement."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textclf.artifacts.statement import PROVENANCE, read
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.quoting import list_few, quote_name
from textclf.pretrained.catalogue import SHARED

# Differences that a line names.
SHOWN = 5


@dataclass(frozen=True)
class Check:
    """The outcome of a check; `failed` says that the model is other than it claims."""

    name: str
    text: str
    failed: bool = False

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.name}: {'FAILED, ' if self.failed else ''}{self.text}"


def check(name: str, find: Callable[[], Iterable[str] | None], passed: str) -> Check:
    """Return the outcome of a check: the mistakes that `find` returns or raises, else `passed`."""
    try:
        wrong = list(find() or ())
    except UserError as error:
        wrong = list(error.lines)
    return Check(name, list_few(wrong, SHOWN) or passed, bool(wrong))


def problems(folder: Path) -> Iterator[str]:
    """Yield a line for each file of a model that is missing, changed, not listed or a link.

    Also for each changed file of weights beside the model. Raises `UserError` if the statement is
    damaged.
    """
    if not (folder / PROVENANCE).is_file():
        yield f"{PROVENANCE} is missing"
        return
    statement = read(folder)
    if statement.model != folder.resolve().name:
        yield (
            f"{PROVENANCE} is of the model {quote_name(statement.model)}, "
            "whose name the folder must have"
        )
    listed = {**statement.subjects, PROVENANCE: sha256_of_file(folder / PROVENANCE)}
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted({*listed, *paths}):
        if mistake := _mistake(paths.get(name), listed.get(name)):
            yield f"{quote_name(name)} {mistake}"
    for name, digest in statement.files.items():
        path = folder.parent / name
        if not name.startswith(f"{SHARED}/") or ".." in name or not path.exists():
            continue
        if mistake := _mistake(path, digest):
            yield f"../{name} {mistake}"


def _mistake(path: Path | None, digest: str | None) -> str:
    """Return what is wrong with a file that should have this SHA-256, "" if nothing is.

    Folders are not checked.
    """
    if path is None:
        return "is missing"
    if path.is_symlink():
        return "is a link"
    if path.is_dir():
        return ""
    if digest is None or not path.is_file():
        return "is not listed"
    return "" if sha256_of_file(path) == digest else "was changed"
