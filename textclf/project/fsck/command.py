"""The command `textclf fsck`: the files of a project against the checksums in dvc.lock.

Exit code 0: each output, each input that no stage writes, and each object of DVC's cache that dvc.lock names, has its
checksum. 1: some are damaged, changed or missing, or a stage ran with other settings than dvc.lock says; a line for
each says so and how to mend it. DVC itself hashes a file again only when its time or size changes, so it calls a file
with a flipped bit up to date. Here every byte is read, and DVC's record of checksums is not used.
"""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.provenance import LOCK, read_records, unrecorded
from textclf.core.quoting import first_line, list_names

DAMAGED = 1
PROVENANCE = Path("data/provenance")
MAKE = "dvc repro (or dvc pull)"
EDITED = ("params.yaml", "stages", "textclf", ".textclf")  # whose edits are no damage; `dvc status` names them


def run() -> int:
    """Print a line for each damaged or missing file and one with the counts; return the exit code."""
    count = 0
    try:
        with Repo() as repo:
            check = Check(repo)
            for line in chain(check.problems(), _other_settings(repo)):
                print(line, flush=True)
                count += 1
    except DvcException as error:
        raise UserError(f"the current folder must be in a project of DVC; {first_line(error)}") from error
    seen = f"{count_noun(check.files, 'file')} and {count_noun(len(check.objects), 'object')} of DVC's cache"
    print(f"{count_noun(count, 'problem')} in {seen}" if count else f"{seen} are as dvc.lock has them")
    return DAMAGED if count else 0


def _other_settings(repo: Any) -> Iterator[str]:
    """Yield a line for each stage of a `dvc.repo.Repo` whose record contradicts dvc.lock."""
    root, stages = Path(repo.root_dir), [stage.addressing for stage in repo.index.stages]
    with suppress(UserError):  # of a damaged record, which is a problem already
        yield from unrecorded(read_records(root / PROVENANCE, stages), root / LOCK)


@dataclass
class Check:
    """The check of a `dvc.repo.Repo`, with what it has seen: `files` of the workspace and `objects` of the cache."""

    repo: Any
    files: int = 0
    objects: dict[Path, bool] = field(default_factory=dict)  # whether each has its checksum

    def problems(self) -> Iterator[str]:
        """Yield a line for each file or object that is damaged or missing."""
        for output in sorted(self.repo.index.outs, key=lambda output: str(output.fspath)):
            never_run = (
                output.stage.path_in_repo != "dvc.yaml" and not output.hash_info
            )  # a study, or a stage of one's own
            if output.protocol == "local" and not never_run:
                yield from self._check_output(output)
        yield from self._input_problems()

    def _input_problems(self) -> Iterator[str]:
        """Yield a line for each input, such as the user's table, that is not as the stages of dvc.yaml read it."""
        outputs = [Path(output.fspath) for output in self.repo.index.outs]
        readers: dict[Path, list[Any]] = {}
        for each in self.repo.index.deps:
            path = Path(each.fspath)
            written = any(path.is_relative_to(output) or output.is_relative_to(path) for output in outputs)
            is_input = not written and Path(os.path.relpath(path, self.repo.root_dir)).parts[0] not in EDITED
            has_files = each.protocol == "local" and each.hash_info and each.hash_info.name != "params"
            if has_files and is_input and each.stage.path_in_repo == "dvc.yaml":
                readers.setdefault(path, []).append(each)
        for path, inputs in sorted(readers.items()):
            name, actual = Path(os.path.relpath(path)), self._hash_files(inputs[0])
            self.files += len(actual)
            changed = [each.stage.name for each in inputs if _checksum(actual, each.hash_info) != each.hash_info.value]
            if not path.exists():
                yield f"{name}: missing; put it back"
            elif changed:
                touch = f"find {_quote(name)} -type f -exec touch {{}} +" if path.is_dir() else f"touch {_quote(name)}"
                yield f"{name}: changed since stages read it ({list_names(sorted(changed))}); {touch}; dvc repro"

    def _check_output(self, output: Any) -> Iterator[str]:
        """Yield the problems of an output of a stage, or of data that `dvc add` tracks."""
        name = Path(os.path.relpath(output.fspath))
        if not output.hash_info:
            yield f"{name}: not in dvc.lock; {MAKE}"
            return
        exists, actual = name.exists(), self._hash_files(output)
        self.files += len(actual)
        whole = exists and _checksum(actual, output.hash_info) == output.hash_info.value
        if not output.use_cache:
            if not whole:
                yield f"{name}: {_state(name)}; git checkout {_quote(name)}, or dvc repro"
            return
        if not exists and not _object(output, output.hash_info.value).exists():
            yield f"{name}: missing, also in DVC's cache; {MAKE}"
            return
        yield from self._check_object(output, output.hash_info.value, name)
        listed = self._list_files(output)
        for file, checksum in (listed or {}).items():
            yield from self._check_object(output, checksum, name / file)
        if whole:
            return
        if not listed or not exists:
            yield self._describe(output, name, name, output.hash_info.value)
            return
        for file in sorted(listed | actual):
            if actual.get(file) != listed.get(file):
                yield self._describe(output, name, name / file, listed.get(file))

    def _hash_files(self, output: Any) -> dict[str, str]:
        """Return the checksum of each file of an output by its path within it; a file itself has the path `.`."""
        path = output.fspath
        files = self.repo.dvcignore.find(output.fs, path) if Path(path).is_dir() else [path] * Path(path).exists()
        return {os.path.relpath(file, path): file_md5(file, name=output.hash_info.name) for file in files}

    def _check_object(self, output: Any, checksum: str, name: Path) -> Iterator[str]:
        """Yield the problem of an object of the cache, if it has one; each object is checked once."""
        path = _object(output, checksum)
        if path in self.objects:
            return
        exists = path.exists()
        self.objects[path] = exists and file_md5(str(path), name=output.hash_info.name) == checksum.removesuffix(".dir")
        if not self.objects[path]:
            shown, state = Path(os.path.relpath(path)), "damaged" if exists else "missing"
            yield f"{shown}: {state} copy of {name} in DVC's cache; {_remove(shown)}{MAKE}"

    def _list_files(self, output: Any) -> dict[str, str] | None:
        """Return the recorded checksum of each file of a folder; None for a file, or if the cache has no whole list."""
        if not output.hash_info.isdir or not self.objects[_object(output, output.hash_info.value)]:
            return None
        return {"/".join(key): info.value for key, _, info in Tree.load(output.cache, output.hash_info)}

    def _describe(self, output: Any, name: Path, file: Path, checksum: str | None) -> str:
        """Return the line on a file of the output `name` whose recorded checksum is another, or None."""
        if checksum is None:
            return f"{file}: not in dvc.lock; {_remove(file).removesuffix('; ')}"
        whole = self.objects[_object(output, checksum)]
        return f"{file}: {_state(file)}; {_remove(file)}{f'dvc checkout {_quote(name)}' if whole else MAKE}"


def _object(output: Any, checksum: str) -> Path:
    return Path(output.cache.oid_to_path(checksum))


def _checksum(files: Mapping[str, str], recorded: Any) -> str | None:
    """Return the checksum that DVC records of an output with these files; None for a folder instead of a file."""
    if not recorded.isdir:
        return files.get(".")
    tree: Any = Tree()  # type: ignore[no-untyped-call]
    for file, checksum in files.items():
        tree.add(Path(file).parts, None, HashInfo(recorded.name, checksum))
    tree.digest()
    return str(tree.oid)


def _state(path: Path) -> str:
    return "damaged or edited" if path.exists() else "missing"


def _remove(path: Path) -> str:
    """Return the start of a cure: DVC would keep a file that it takes for up to date, so it must be removed."""
    return f"rm -rf {_quote(path)}; " if os.path.lexists(path) else ""


def _quote(path: Path) -> str:
    return shlex.quote(str(path))
