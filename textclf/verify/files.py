"""The files of an exported model, held against its statement."""

from collections.abc import Iterator
from pathlib import Path

from textclf.artifacts.statement import PROVENANCE, read
from textclf.core.files import sha256_of_file
from textclf.core.quoting import quote_name
from textclf.pretrained.catalogue import SHARED


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
        if name.startswith(f"{SHARED}/") and ".." not in name and path.exists() and (wrong := _wrong(path, digest)):
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
