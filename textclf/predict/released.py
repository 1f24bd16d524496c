"""Models that Git tags name in the format of GTO, https://github.com/iterative/gto, out of DVC.

keras@v0.0.1 makes the commit a version of keras, keras#prod#1 assigns it to a stage; the last
number counts the tags of keras. A ! before it cancels that version or stage of the commit. In a
folder of the repository, keras is folder=keras.
"""

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textclf.artifacts.statement import PROVENANCE, read, verify_files
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.git import git
from textclf.core.outputs import outputs
from textclf.core.quoting import first_line, list_names
from textclf.pretrained.catalogue import SHARED

WORD = "[a-zA-Z0-9](?:[a-zA-Z0-9/_-]*[a-zA-Z0-9])?"
NAME = rf"(?P<name>(?P<model>{WORD})(?:@v(?P<version>[0-9]+[.][0-9]+[.][0-9]+)[^!#]*|#{WORD}))"
TAG = re.compile(rf"{NAME}(?P<cancels>!?)(?:#(?P<counter>[0-9]+))?")


def prefix() -> str:
    """Return the start of the project's tags: nothing, or its folder in the repository and =."""
    return re.sub(
        "/\n?$", "=", git("rev-parse", "--show-prefix").stdout.decode(errors="replace")
    ).strip()


def read_tags() -> list[tuple[re.Match[str], str]]:
    """Return each annotated tag of the project, without its prefix, and its commit, in order.

    The order is that of the counters. GTO's own is that of the dates, in which a slow clock puts a
    new tag before older ones. Tags without a counter come first, except that those which cancel
    come last, so that nothing which has been taken back is served.
    """
    form = "--format=%(*objecttype) %(*objectname) %(refname:strip=2)"
    listed = git("for-each-ref", form, "refs/tags").stdout.decode(errors="replace").split("\n")
    start, tags = prefix(), []
    for kind, commit, name in (line.split(" ", 2) for line in listed if line):
        if (
            kind == "commit"
            and name.startswith(start)
            and (tag := TAG.fullmatch(name.removeprefix(start)))
        ):
            tags.append((tag, commit))
    return sorted(tags, key=lambda each: _place_in_order(each[0]))


def _place_in_order(tag: re.Match[str]) -> tuple[float, bool]:
    """Return what `read_tags` sorts by.

    Of tags with the same counter, those that cancel come last.
    """
    unnumbered = math.inf if tag["cancels"] else 0
    return float(tag["counter"] or unnumbered), bool(tag["cancels"])


def numbers_of(version: str) -> list[int]:
    """Return the numbers of a version such as keras@v1.2.3, by which versions are ordered."""
    return [int(number) for number in re.findall("[0-9]+", version.partition("@v")[2])[:3]]


def active() -> dict[str, list[str]]:
    """Return the commits of each version and stage that are not cancelled, in the order of tags."""
    commits: dict[str, list[str]] = defaultdict(list)
    for tag, commit in read_tags():
        # The stages of a version end with it.
        stages = [name for name in commits if name.startswith(f"{tag['model']}#")]
        for name in (tag["name"], *(stages if tag["cancels"] and tag["version"] else ())):
            commits[name] = [each for each in commits[name] if each != commit]
        if not tag["cancels"]:
            commits[tag["name"]].append(commit)
    return {name: each for name, each in commits.items() if each}


def versions_at(model: str, commit: str) -> list[str]:
    """Return the versions of a model at a commit, such as keras@v0.0.1, that are not cancelled."""
    return [
        name
        for name, commits in active().items()
        if name.startswith(f"{model}@") and commit in commits
    ]


def find(models: Path, name: str) -> Path | None:
    """Return the folder of the model with a stage (prod, keras#prod) or version (keras@v0.0.1).

    None if there is no such tag.
    """
    commit_of = {
        each: commits[-1] for each, commits in active().items() if f"#{each}".endswith(f"#{name}")
    }
    if len(commit_of) > 1:
        tags = list_names(sorted(commit_of))
        raise UserError(f"--model must name the stage of one model ({tags}); got {name}")
    return next(
        (_fetch(models, re.split("[@#]", each)[0], commit) for each, commit in commit_of.items()),
        None,
    )


def place_of(model: str, commit: str) -> Path:
    """Return the folder for a model of a commit: in Git's own, which no clone brings along."""
    folders = os.fsdecode(git("rev-parse", "--git-common-dir", "--show-prefix").stdout).split("\n")
    return Path(folders[0], "textclf", folders[1], commit, model)


def _fetch(models: Path, model: str, commit: str) -> Path:
    """Return the folder with a model as it was at a commit, beside it the weights it shares."""
    place = place_of(model, commit)
    with suppress(UserError):
        verify_files(place, read(place).subjects)
        return place
    with project_at(commit, models / model) as repo, outputs(place) as (target,):
        repo.dvcfs.get((models / model).as_posix(), str(target), recursive=True)
        if any(name.startswith(f"{SHARED}/") for name in read(target).files):
            with outputs(place.with_name(SHARED)) as (weights,):
                repo.dvcfs.get((models / SHARED).as_posix(), str(weights), recursive=True)
    return place


@contextmanager
def project_at(commit: str, wanted: Path) -> Iterator[Any]:
    """Yield DVC's `Repo` at a commit, with the remotes of today.

    Raises `UserError` if it can't get what is wanted of it.
    """
    from dvc.config import NoRemoteError
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.index import DataIndexDirError

    try:
        # Today's remotes: of those of a commit, DVC would look for a relative path at the root of
        # the disk.
        with Repo() as today, Repo(config=dict(today.config)) as repo, repo.switch(commit):
            yield repo
    except (DvcException, DataIndexDirError, OSError) as error:
        rule = "must be in DVC's cache or remote, where dvc push puts it"
        # DVC's own message for a missing remote has the command to run in its second line.
        no_remote = isinstance(error, NoRemoteError)
        got = (
            "no remote; run dvc remote add --default storage <address>, commit .dvc/config, "
            "and dvc push where the model was made"
            if no_remote
            else first_line(error)
        )
        raise UserError(f"{wanted} of commit {commit[:8]} {rule}; got: {got}") from None


def version_of(folder: Path) -> str:
    """Return the version of a released model, such as keras@v0.0.1.

    Of another model, these are 12 digits of the SHA-256 of its statement.
    """
    versions = versions_at(folder.name, folder.parent.name) if ".git" in folder.parts else []
    return max(versions, key=numbers_of, default=sha256_of_file(folder / PROVENANCE)[:12])
