"""The installed code as checksums, on which the stages of a project depend in the place of folders of code.

A project made by `textclf init` has a file `.textclf/code/<package>` with the checksum of each package that its
dvc.yaml names, such as `models.keras`, as Python names it without `textclf.`; `textclf` itself is all of the code.
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.version import __version__

PROJECT = Path(".textclf/project.json")  # what a project was made with
CODE = Path(".textclf/code")
ALL = "textclf"
FORM = {"version": str, "requirement": str, "extras": list, "files": dict}  # of what .textclf/project.json must hold
PACKAGE = Path(__file__).parents[1]


@functools.cache
def read_code() -> dict[str, str]:
    """Return the SHA-256 of each file of the code by its path below textclf, such as `stages/split.py`.

    In a clone, stages stands beside textclf, in a wheel in it. Files that projects are made of are left out.
    """
    folders = {"": PACKAGE} | ({} if (PACKAGE / "stages").is_dir() else {"stages/": PACKAGE.parent / "stages"})
    return {
        f"{prefix}{path.relative_to(folder).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for prefix, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", "shipped"} & {*path.relative_to(folder).parts}
    }


def checksum(code: Mapping[str, str], package: str) -> str:
    """Return the SHA-256 of the names and checksums of a package's files, or of a module's one."""
    lines = (f"{code[name]}  {name}\n" for name in sorted(code) if covers(package, name))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def covers(package: str, name: str) -> bool:
    """Return whether a file of the code, such as `split/settings.py`, belongs to a package or is a module."""
    path = package.replace(".", "/")
    return package == ALL or name == f"{path}.py" or name.startswith(f"{path}/")


def read_project() -> dict[str, Any]:
    """Return what .textclf/project.json holds; `UserError` if it is missing or damaged, as by a conflict of a merge."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        content: dict[str, Any] = json.loads(PROJECT.read_bytes())
        if "ci" in content and all(isinstance(content.get(key), kind) for key, kind in FORM.items()):
            return content
    raise UserError(f"{PROJECT} is missing or damaged; git checkout HEAD {PROJECT}, then textclf upgrade")


def require_own_version() -> None:
    """Raise `UserError` in a project that was made with other code than that which is installed."""
    if not PROJECT.parent.is_dir():
        return
    made, code = read_project(), read_code()
    recorded = [path for path in map(Path, made["files"]) if path.parent == CODE]
    if CODE / ALL not in recorded or not all(map(Path.is_file, recorded)):
        raise UserError(
            f"{CODE} must have each checksum of code that {PROJECT} lists, that of all code among them; got some "
            f"missing; git checkout HEAD {PROJECT.parent}, or textclf upgrade"
        )
    if all(path.read_text(encoding="utf-8").strip() == checksum(code, path.name) for path in recorded):
        return
    other = "other code of this version" if made["version"] == __version__ else f"textclf {made['version']}"
    raise UserError(
        f"this project was made with {other}, and textclf {__version__} is installed; run textclf upgrade, or install "
        f'that one: pip install "{made["requirement"]}"'
    )
