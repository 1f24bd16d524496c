"""The command `textclf verify`: whether a model is what its folder says, and where it came from.

Exit code 0: every check passed. 1: one failed; its line says FAILED. 2: the checks could not be
made.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from textclf.artifacts import statement
from textclf.artifacts.decisions import DECISION, read_index
from textclf.artifacts.statement import PROVENANCE
from textclf.core.errors import UserError
from textclf.core.quoting import quote_name
from textclf.predict.predictor import find_model
from textclf.review.revisions import commit_of
from textclf.verify import signing
from textclf.verify.arguments import Verify
from textclf.verify.commit import find_commit
from textclf.verify.files import Check, check, problems
from textclf.verify.rederive import rederive


def run(arguments: Verify) -> int:
    """Print a line per check, and return the exit code."""
    if arguments.signature and not arguments.key:
        raise UserError("--signature must come with --key, the public key to check it by; got none")
    if not arguments.rederive and (arguments.commit or arguments.python or arguments.explain):
        raise UserError("--commit, --python and --explain must come with --rederive; got none")
    if arguments.version and (arguments.model is None or "@" not in arguments.version):
        raise UserError(f"--version must be NAME@vN and come with MODEL; got {arguments.version}")
    names = [arguments.model] if arguments.model is not None else every_model(arguments.models)
    failed = False
    for name in names:
        folder = find_model(arguments.models, name)
        for outcome in verify(folder, arguments):
            print(f"{quote_name(folder.name)}: {outcome}", flush=True)
            failed = failed or outcome.failed
    return int(failed)


def every_model(models: Path) -> list[str]:
    """Return the models that the index names, and those that are there."""
    exported = {path.parent.name for path in models.glob(f"*/{DECISION}")}
    return sorted(exported.union(read_index(models)[1]))


def verify(folder: Path, arguments: Verify) -> Iterator[Check]:
    """Yield the checks of a model.

    It is made again only if a commit has what its statement names.
    """
    start = arguments.commit or "HEAD"
    if arguments.rederive:
        commit_of(start)
    yield check("files", lambda: problems(folder), f"those that {PROVENANCE} lists")
    if key := arguments.key:
        signature = arguments.signature or signing.default_signature(folder)
        find = partial(signing.require_signature, folder, key, signature)
        yield check("signature", find, f"{signature} is valid for {key}")
    if version := arguments.version:
        release = find_model(arguments.models, version)
        yield check("version", lambda: _other_release(folder, release, version), f"it is {version}")
    if not arguments.rederive:
        return
    try:
        commit = find_commit(statement.read(folder), start, alone=arguments.commit is not None)
    except UserError as error:
        yield Check("commit", error.lines[0], failed=True)
        return
    yield Check("commit", f"{commit[:7]} has the settings, code and files that {PROVENANCE} names")
    yield from rederive(folder, commit, arguments.python, explain=arguments.explain)


def _other_release(folder: Path, release: Path, version: str) -> Iterator[str]:
    """Yield a line if a model is not the release.

    An older one is not, although its older signature stays valid.
    """
    if (release / PROVENANCE).read_bytes() != (folder / PROVENANCE).read_bytes():
        yield f"{version} has another {PROVENANCE}"
