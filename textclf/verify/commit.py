"""The commit from which a model was made, found by what its statement names.

The statement can't have the commit, which holds dvc.lock with the checksum of the statement.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

from textclf import params
from textclf.artifacts.statement import Statement
from textclf.core.code import CODE as CHECKSUMS
from textclf.core.code import checksum
from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.core.git import git
from textclf.core.quoting import list_few, quote_name
from textclf.core.settings import PARAMS_FILE
from textclf.export.facts import Settings
from textclf.export.provenance import CODE, CODE_NAME, used_settings
from textclf.review.revisions import Revision, commit_of
from textclf.verify.files import SHOWN


def find_commit(statement: Statement, start: str = "HEAD", *, alone: bool = False) -> str:
    """Return the newest commit up to `start` with the settings, code and files of a statement.

    With `alone` it must be `start` itself. Raises `UserError`, which names what differs at `start`,
    if there is none.
    """
    first = commit_of(start)
    listed = git("rev-list", "--max-count=1" if alone else "--full-history", first).stdout
    for commit in listed.decode().split():
        if next(_differences(statement, Revision(commit)), None) is None:
            return commit
    which = first[:8] if alone else f"a commit up to {first[:8]}"
    differing = list_few([*_differences(statement, Revision(first))], SHOWN)
    raise UserError(
        f"{which} must have what the model was made from; {first[:8]} has another {differing}; "
        "commit what was changed, or name the commit with --commit (in a shallow clone, "
        "git fetch --unshallow brings older ones)"
    )


def _differences(statement: Statement, revision: Revision) -> Iterator[str]:
    """Yield the name of each file and section of params.yaml that differs, and of the code."""
    blobs = _read_tree(revision)
    for name, digest in statement.files.items():
        if name in blobs and name != CODE_NAME and _sha256_of(blobs[name]) != digest:
            yield quote_name(name)
    used = _used_settings(revision.read(str(PARAMS_FILE)) or b"", statement.model)
    if not used:
        yield str(PARAMS_FILE)
    for key in {**used, **statement.params}:
        if used.get(key) != statement.params.get(key):
            yield f"{key} of {PARAMS_FILE}"
    if _code_checksum(revision) != statement.files.get(CODE_NAME):
        yield CODE_NAME


def _read_tree(revision: Revision) -> dict[str, str]:
    """Return the hash of the blob of each file that Git has of the project, by its path."""
    blobs = {}
    for entry in os.fsdecode(git("ls-tree", "-r", "-z", revision.commit).stdout).split("\0")[:-1]:
        attributes, _, name = entry.partition("\t")
        blobs[name] = attributes.split()[2]
    return blobs


@functools.cache
def _sha256_of(blob: str) -> str:
    return sha256(git("cat-file", "blob", blob).stdout)


@functools.cache  # most commits leave params.yaml as it is
def _used_settings(text: bytes, model: str) -> dict[str, Any]:
    """Return the settings that a model uses by the text of params.yaml.

    They are empty if it is not valid or has no such model.
    """
    with contextlib.suppress(UserError, UnicodeDecodeError, LookupError, AttributeError):
        parsed = params.parse(text.decode())
        sections = {name: getattr(parsed, name) for name in Settings.__dataclass_fields__}
        return used_settings(Settings(**sections), model)
    return {}


def _code_checksum(revision: Revision) -> str:
    """Return the checksum of the code of export: in a project the file with it has it."""
    recorded = revision.read(f"{CHECKSUMS.as_posix()}/export")
    if recorded is not None:
        return recorded.decode().strip()
    # Not by git archive, which runs the filters that .git/config of a copied repository names.
    files = {
        name.removeprefix("textclf/"): _sha256_of(blob)
        for name, blob in _read_tree(revision).items()
        if name.startswith(("stages/", "textclf/"))
    }
    return checksum(files, *CODE)
