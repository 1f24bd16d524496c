"""Checksums of the code that runs, on which the stages of a project depend; its changes meanwhile.

A project made by `textclf init` has a file `.textclf/code/<stage>` with the checksum of all code
that a stage uses, such as `split`, and of train one per kind of model, such as `train.keras`;
`textclf` is all of the code.
"""

import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.version import __version__

PROJECT = Path(".textclf/project.json")  # what a project was made with
CODE = Path(".textclf/code")
ALL = "textclf"
# The types of what .textclf/project.json must hold.
FORM = {"version": str, "requirement": str, "extras": list, "files": dict}
PACKAGE = Path(__file__).parents[1]


@functools.cache
def _read_files() -> dict[Path, str]:
    """Return the SHA-256 of each file of the code, as it is at the first call in this process.

    In a clone, stages stands beside textclf, in a wheel in it. Files that projects are made of are
    left out.
    """
    folders = [PACKAGE]
    if not (PACKAGE / "stages").is_dir():
        folders.append(PACKAGE.parent / "stages")
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", "shipped"} & {*path.relative_to(folder).parts}
    }


def read_code() -> dict[str, str]:
    """Return `_read_files` by the path of each file below textclf, such as `stages/split.py`."""
    above = PACKAGE.parent
    return {
        path.relative_to(above).as_posix().removeprefix("textclf/"): digest
        for path, digest in _read_files().items()
    }


def changed_code() -> Path | None:
    """Return the first file of code in use that has changed since `read_code`; None without one.

    In use are the script, each imported module, and each other file, such as a template, of a
    package that is imported.
    """
    code = _read_files()
    modules = [*sys.modules.items()]
    files = {name: Path(getattr(module, "__file__", None) or "") for name, module in modules}
    own = (path for name, path in files.items() if name.partition(".")[0] in ("stages", "textclf"))
    loaded = {path for path in own if path.name}
    loaded |= {files["__main__"]} & code.keys()  # the script of a stage
    packages = {path.parent for path in loaded}
    used = loaded | {path for path in code if path.suffix != ".py" and _package(path) in packages}
    for path in sorted(used):
        if not path.is_file() or code.get(path) != hashlib.sha256(path.read_bytes()).hexdigest():
            return path
    return None


def _package(path: Path) -> Path | None:
    """Return the folder of the package to which a file of the code belongs."""
    return next(
        (folder for folder in path.parents if folder / "__init__.py" in _read_files()), None
    )


def checksum(code: Mapping[str, str], *paths: str) -> str:
    """Return the SHA-256 of the names and checksums of files of the code.

    `paths` are those of files and folders below textclf, such as `split/settings.py`, or `ALL`.
    """
    covered = [name for name in sorted(code) if any(covers(path, name) for path in paths)]
    lines = (f"{code[name]}  {name}\n" for name in covered)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def covers(path: str, name: str) -> bool:
    """Return whether a file of the code is a path, or lies in that folder."""
    return path in (ALL, name) or name.startswith(f"{path}/")


def read_project() -> dict[str, Any]:
    """Return what .textclf/project.json holds.

    Raises `UserError` if it is missing or damaged, as by a conflict of a merge.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        content: dict[str, Any] = json.loads(PROJECT.read_bytes())
        complete = all(isinstance(content.get(key), kind) for key, kind in FORM.items())
        if "ci" in content and complete:
            return content
    raise UserError(
        f"{PROJECT} is missing or damaged; git checkout HEAD {PROJECT}, then textclf upgrade"
    )


def require_own_version() -> None:
    """Raise `UserError` in a project that was made with other code than that which is installed."""
    if not PROJECT.parent.is_dir():
        return
    made, code = read_project(), read_code()
    recorded = {Path(name): digest for name, digest in made["files"].items()}
    checksums = {path: digest for path, digest in recorded.items() if path.parent == CODE}
    if CODE / ALL not in checksums or not all(map(Path.is_file, checksums)):
        raise UserError(
            f"{CODE} must have each checksum of code that {PROJECT} lists, "
            "that of all code among them; got some missing; "
            f"git checkout HEAD {PROJECT.parent}, or textclf upgrade"
        )
    present = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in checksums}
    installed = (CODE / ALL).read_text(encoding="utf-8").strip() == checksum(code, ALL)
    if installed and present == checksums:
        return
    own = made["version"] == __version__
    other = "other code of this version" if own else f"textclf {made['version']}"
    raise UserError(
        f"this project was made with {other}, and textclf {__version__} is installed; "
        f'run textclf upgrade, or install that one: pip install "{made["requirement"]}"'
    )
