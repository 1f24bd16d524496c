"""The command `textclf release`: check a model, and tag the commit as a version and for a stage."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from textclf.artifacts.statement import PROVENANCE, read
from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.predict import predictor, released
from textclf.review import base, command, revisions
from textclf.verify import commit, files, signing
from textclf.verify.arguments import Release

# The remote to which tags are pushed, if there is no other.
ORIGIN = "origin"


def run(arguments: Release) -> int:
    """Print a line per check, and the commands to tag and push if all pass; with --tag, tag.

    Return 1 if a check fails.
    """
    folder, failed = predictor.find_model(arguments.models, arguments.model), False
    stage = f"{folder.name}#{arguments.stage}"
    if re.fullmatch(released.NAME, stage) is None:
        raise UserError(
            f"--stage must have letters, digits, - and _ alone, and so must the model; got {stage}"
        )
    prefix = released.prefix()
    if git("check-ref-format", f"refs/tags/{prefix}{stage}").returncode:
        raise UserError(
            f"the folder of the project must be part of a Git tag; got {prefix}; rename it"
        )
    for name, find in _checks(folder, stage, arguments).items():
        outcome = files.check(name, find, "passed")
        failed = failed or outcome.failed
        print(f"{folder.name}: {outcome}", flush=True)
    tags = [] if failed else new_tags(stage)
    for tag in tags:
        message = f"{tag} passed the checks of textclf release"
        words = ("git", "tag", "--annotate", "--message", message, tag)
        print(f"tagged {tag}{base.run(*words)}" if arguments.tag else shlex.join(words))
    print(*(pushes(tags) if tags else ["no tag was made"]), sep="\n")
    return int(failed)


def _checks(
    folder: Path, stage: str, arguments: Release
) -> dict[str, Callable[[], Iterable[str] | None]]:
    """Return by name the functions that give, or raise, reasons not to release a model.

    The model is released from the commit that is checked out.
    """
    head = revisions.commit_of("HEAD")
    checks: dict[str, Callable[[], Iterable[str] | None]] = {
        "files": lambda: files.problems(folder),
        "commit": lambda: commit.find_commit(read(folder), head) and (),
        "data": lambda: _missing(folder, head),
        "gate": lambda: _broken_limits(released.active().get(stage, [head])[-1], head),
    }
    if arguments.key:
        signature = arguments.signature or signing.default_signature(folder)
        checks["signature"] = partial(_unsigned, folder, head, arguments.key, signature)
    return checks


def _unsigned(folder: Path, head: str, key: Path, signature: Path) -> Iterator[str]:
    """Yield what keeps a clone of the commit from having the signature."""
    signing.require_signature(folder, key, signature)
    if revisions.Revision(head).read(signature.as_posix()) != signature.read_bytes():
        yield f"{signature} must be committed"


def _missing(folder: Path, head: str) -> Iterator[str]:
    """Yield what keeps a clone of the commit from getting the model by `dvc pull`."""
    path = folder / PROVENANCE
    with released.project_at(head, folder) as repo:
        if repo.dvcfs.cat_file(path.as_posix()) != path.read_bytes():
            yield (
                f"dvc.lock of {head[:8]} must have {folder} as it is here; got another; "
                "commit dvc.lock"
            )
        if {"new", "missing"} & {*repo.status(targets=[folder.parts[0]], cloud=True).values()}:
            yield f"the remote must have {folder}; got less; run dvc push"


def _broken_limits(before: str, head: str) -> list[str]:
    """Return each limit of the gate that the commit breaks; drops are those since `before`."""
    report = command.compare(revisions.Revision(before), revisions.Revision(head))
    broken = [f"{check.change.name} {check.reason}" for check in report.failed]
    return [*report.gate_errors, *broken]


def new_tags(stage: str) -> list[str]:
    """Return the tags to make: of the stage, and of the next version unless the commit is one."""
    model = stage.partition("#")[0]
    own = [tag for tag, _ in released.read_tags() if tag["model"] == model]
    versions = [released.numbers_of(tag["name"]) for tag in own if tag["version"]]
    major, minor, patch = max(versions, default=[0, 0, 0])
    counter = max((int(tag["counter"] or 0) for tag in own), default=0) + 1
    is_version = released.versions_at(model, revisions.commit_of("HEAD"))
    version = [] if is_version else [f"{model}@v{major}.{minor}.{patch + 1}"]
    return [released.prefix() + name for name in (*version, f"{stage}#{counter}")]


def pushes(tags: Iterable[str]) -> list[str]:
    """Return the command that pushes tags, after that which adds a remote if there is none."""
    remotes = git("remote").stdout.decode().split()
    added = [] if remotes else [f"git remote add {ORIGIN} <address>"]
    remote = ORIGIN if ORIGIN in remotes or added else remotes[0]
    return [*added, shlex.join(["git", "push", remote, *tags])]
