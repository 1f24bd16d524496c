"""What made a run: checksums and locked versions, which repeat, and the machine, which does not."""

import hashlib
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from textclf.artifacts.packages import Versions
from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.installed import installed_version

# Packages whose version can change a number or a figure.
GIT_SECONDS = 20  # until a call of Git is given up
PACKAGES = (
    "dvc",
    "jinja2",
    "keras",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "vl-convert-python",
)


def unlocked(computed: Versions, locked: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each package that computed in another version than is locked."""
    for name, versions in computed.items():
        if name in locked and versions != [locked[name]]:
            yield (
                f"the stages computed with {name} {' and '.join(versions)}, but the requirements lock {locked[name]}; "
                "install the locked requirements, then run dvc repro --force"
            )


def describe_versions(computed: Versions, locked: Mapping[str, str]) -> dict[str, str]:
    """Return the version of each package that computed, and of others as they are locked."""
    shown = {f"{name}, as locked": locked[name] for name in locked.keys() - computed.keys()}
    for name, versions in computed.items():
        other = f" (locked: {locked[name]})" if versions != [locked.get(name, versions[0])] else ""
        shown[name] = " and ".join(versions) + other
    return dict(sorted(shown.items()))


def combine_checksums(checksums: Mapping[str, str]) -> str:
    """Return one SHA-256 of all names and checksums, whatever their order; of a single file its own checksum."""
    if len(checksums) == 1:
        return next(iter(checksums.values()))
    lines = (f"{name}\0{checksums[name]}\n" for name in sorted(checksums))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def locked_versions(requirements: str, names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the version of each package that the text of a requirements file pins, in the order of `names`."""
    pins = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", requirements, re.MULTILINE)
    versions = {_normalize_name(name): version for name, version in pins}
    return {name: versions[_normalize_name(name)] for name in names if _normalize_name(name) in versions}


def describe_machine(folder: Path, names: Iterable[str] = PACKAGES) -> dict[str, object]:
    """Return a folder's Git revision, whether its tree is clean, and the versions of Python, platform and packages.

    Git's values are None if there is no Git, no repository or no commit.
    """
    changes = _git(folder, "status", "--porcelain")
    return {
        "git": {
            "revision": _git(folder, "rev-parse", "--verify", "HEAD"),
            "clean": None if changes is None else not changes,
        },
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: installed_version(name) for name in names},
    }


def _normalize_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what Git prints, stripped; None if it fails."""
    try:
        done = git("--no-optional-locks", "-C", str(folder), *arguments, seconds=GIT_SECONDS)
    except UserError:
        return None
    return None if done.returncode else done.stdout.decode("utf-8", "replace").strip()
