"""The command `textclf verify`: whether a model is what its folder says, and where it came from.

Exit code 0: every check passed. 1: one failed; its line says FAILED. 2: the checks could not be made.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from textclf.artifacts import statement
from textclf.artifacts.decisions import DECISION, read_index
from textclf.artifacts.statement import PROVENANCE
from textclf.core.errors import UserError
from textclf.core.quoting import list_few, quote_name
from textclf.predict.predictor import find_model
from textclf.review.revisions import commit_of
from textclf.verify import signing
from textclf.verify.commit import SHOWN, find_commit
from textclf.verify.files import problems
from textclf.verify.rederive import Check, rederive


def run(arguments: argparse.Namespace) -> int:
    """Print a line per check, and return the exit code."""
    if arguments.signature and not arguments.key:
        raise UserError("--signature must come with --key, the public key to check it by; got none")
    if not arguments.rederive and (arguments.commit or arguments.python or arguments.explain):
        raise UserError("--commit, --python and --explain must come with --rederive; got none")
    names = [arguments.model] if arguments.model is not None else every_model(arguments.models)
    failed = False
    for name in names:
        folder = find_model(arguments.models, name)
        for check in verify(folder, arguments):
            print(f"{quote_name(folder.name)}: {check}", flush=True)
            failed = failed or check.failed
    return int(failed)


def every_model(models: Path) -> list[str]:
    """Return the models that the index names, and those that are there."""
    return sorted({*read_index(models)[1], *(path.parent.name for path in models.glob(f"*/{DECISION}"))})


def verify(folder: Path, arguments: argparse.Namespace) -> Iterator[Check]:
    """Yield the checks of a model; without a statement that can be read, only that."""
    if arguments.rederive:
        commit_of(arguments.commit or "HEAD")
    yield (files := check_files(folder))
    if arguments.key is not None:
        yield check_signature(folder, arguments.key, arguments.signature or signing.default_signature(folder))
    if not arguments.rederive or files.text.startswith(str(folder)):
        return
    try:
        commit = find_commit(statement.read(folder), arguments.commit or "HEAD", alone=arguments.commit is not None)
    except UserError as error:
        yield Check("commit", error.lines[0], failed=True)
        return
    yield Check("commit", f"{commit[:7]} has the settings, code and files that {PROVENANCE} names")
    yield from rederive(folder, commit, arguments.python, explain=arguments.explain)


def check_files(folder: Path) -> Check:
    """Return whether the files of a model are those of its statement."""
    try:
        wrong = list(problems(folder))
    except UserError as error:
        wrong = list(error.lines)
    listed = f"{len(statement.read(folder).subjects)} as {PROVENANCE} lists" if not wrong else ""
    return Check("files", list_few(wrong, SHOWN) or listed, bool(wrong))


def check_signature(folder: Path, key: Path, signature: Path) -> Check:
    """Return whether all files of a model are those that the holder of a key has signed."""
    try:
        signing.require_signature(folder, key, signature)
    except UserError as error:
        return Check("signature", error.lines[0], failed=True)
    return Check("signature", f"{signature} is valid for {key}")
