"""Which files the runs of a workspace have made: a run replaces and removes no others.

DVC removes an output before its stage runs, whoever made it, unless the output persists. So the
stage check looks at all outputs before any other stage runs, and the stage runner at each one
before it is replaced.
"""

import configparser
import filecmp
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.quoting import list_few

# The names of the files of each output, in DVC's folder of this workspace.
RECORDS = Path(".dvc/tmp/textclf")
LOCKS = Path("dvc.lock"), Path("studies/dvc.lock")
SCRATCH = ".scratch"  # suffix of the folders of unfinished outputs; DVC and Git ignore them
SHOWN = 3  # files of an output that an error names
ITSELF = "."  # the name of an output that is one file


def require_made(target: Path, source: Path | None = None, *, dropped: bool = False) -> None:
    """Raise `UserError` if an output has files that no run made, as `foreign_files`.

    It may have those that are in `source` too, which takes its place, with the same bytes.
    """
    files = foreign_files(target, dropped=dropped)
    if source is not None:
        files = [path for path in files if not _equal(path, source / path.relative_to(target))]
    if files:
        raise UserError(refusal(target, files))


def refusal(target: Path, files: Sequence[Path]) -> str:
    """Return the line that says which files keep runs from an output."""
    names = [str(path) if str(path).isprintable() else repr(str(path)) for path in files]
    return (
        f"{target} must have only files that a run made, since each run replaces it; "
        f"got {list_few(names, SHOWN)}; move what is yours elsewhere"
    )


def note_made(target: Path, source: Path) -> None:
    """Note that a run makes an output of the files in `source`, before these are renamed.

    What was noted before stays noted as long as it is there, in case that the process is killed.
    """
    _note(target, _names(source) | (_noted(target) & _names(target)))


def noted_at(target: Path) -> int:
    """Return when files of an output were last noted, in nanoseconds; 0 if none are."""
    record = _record(target)
    return record.stat().st_mtime_ns if record.is_file() else 0


def foreign_files(target: Path, *, dropped: bool = False) -> list[Path]:
    """Return the files at the place of an output that no run made, sorted; a link is a file.

    A run made what is noted in this workspace. It also made, perhaps in another workspace, what is
    in a lock file if it has the checksum there, or if DVC's cache or Git has it. An output of an
    entry that was `dropped` from params.yaml need not be in the lock file.
    """
    parents = filter(os.path.lexists, target.parents)
    blocking = [parent for parent in parents if not parent.is_dir()]
    if blocking:
        return blocking
    names = _names(target)
    unknown = names - _noted(target)
    if not unknown:
        return []
    locked = _locked(target)
    if locked is not None and checksum_of(target) == locked:
        unknown = set()
    elif locked is not None or dropped:
        untracked = {target / name for name in unknown} - _tracked(target)
        unknown = {
            path.relative_to(target).as_posix() for path in untracked if not _is_cached(path)
        }
    if not unknown:
        _note(target, names)
    return sorted(target / name for name in unknown)


def _names(target: Path) -> set[str]:
    """Return the names of the files below a folder, or `ITSELF` for a file or link, if any."""
    if target.is_symlink() or not target.is_dir():
        return {ITSELF} if os.path.lexists(target) else set()
    names = set()
    for folder, folders, files in os.walk(target):
        scratch = {name for name in folders if name.startswith(".") and name.endswith(SCRATCH)}
        folders[:] = [name for name in folders if name not in scratch]
        parent = Path(folder)
        links = [name for name in folders if (parent / name).is_symlink()]
        names |= {(parent / name).relative_to(target).as_posix() for name in (*files, *links)}
    return names


def _record(target: Path) -> Path:
    return RECORDS / f"{quote(Path(os.path.relpath(target)).as_posix(), safe='')}.json"


def _noted(target: Path) -> set[str]:
    with suppress(OSError, ValueError):
        return {str(name) for name in json.loads(_record(target).read_bytes())}
    return set()


def _note(target: Path, names: Iterable[str]) -> None:
    path = _record(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".tmp")
    whole.write_text(json.dumps(sorted(names)), encoding="utf-8")
    whole.replace(path)


def _locked(target: Path) -> str | None:
    """Return the checksum of an output in the lock files of DVC; None if it is in none."""
    for path in filter(Path.is_file, LOCKS):
        for stage in _stages_of(path.read_bytes()).values():
            for out in stage.get("outs", ()):
                if out["path"] == target.as_posix():
                    return str(out.get("md5"))
    return None


@lru_cache(maxsize=2)
def _stages_of(lock: bytes) -> Mapping[str, Any]:
    """Return the stages in the text of a lock file by name.

    There are no stages if it is damaged, which DVC itself reports.
    """
    from ruamel.yaml import YAML  # which predict does not need
    from ruamel.yaml.error import YAMLError

    content: Any = None
    with suppress(YAMLError):
        content = YAML(typ="safe").load(lock)
    stages: Mapping[str, Any] = (content or {}).get("stages", {})
    return stages


def checksum_of(target: Path) -> str:
    """Return the checksum of an output as DVC computes it: of a folder, that of its file list."""
    names = _names(target)
    if names == {ITSELF}:
        return md5_of_file(target)
    files = [{"md5": md5_of_file(target / name), "relpath": name} for name in sorted(names)]
    return hashlib.md5(json.dumps(files).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _equal(path: Path, other: Path) -> bool:
    return path.is_file() and other.is_file() and filecmp.cmp(path, other, shallow=False)


def md5_of_file(path: Path) -> str:
    """Return the MD5 of a file; "" if it can't be read, as of a link to nothing."""
    with suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return ""


def _tracked(target: Path) -> set[Path]:
    """Return the files of an output that Git has, in its index."""
    with suppress(UserError):  # there is no Git
        listed = git("ls-files", "-z", "--", target.as_posix()).stdout
        names = listed.decode(errors="surrogateescape").split("\0")[:-1]
        return {Path(name) for name in names}
    return set()


def _is_cached(path: Path) -> bool:
    """Return whether DVC's cache has the content of a file."""
    config = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error):
        config.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    digest = md5_of_file(path)
    cache = Path(".dvc", config.get("cache", "dir", fallback="cache"), "files/md5")
    return (cache / digest[:2] / digest[2:]).is_file()
