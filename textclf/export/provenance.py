"""What a run was made of: checksums and versions that repeat, and the machine's own, which do not."""

import hashlib
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

# Those whose version can change a number or a picture.
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
CHUNK = 2**20
GIT_SECONDS = 20


def checksum(path: Path) -> str:
    """SHA-256 of a file of any size, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def checksums(files: Mapping[str, Path]) -> dict[str, str]:
    """The SHA-256 of each file, by its name in order."""
    return {name: checksum(files[name]) for name in sorted(files)}


def combined(found: Mapping[str, str]) -> str:
    """One SHA-256 over names and checksums, in the order of the names; of a single file its own."""
    if len(found) == 1:
        return next(iter(found.values()))
    lines = (f"{name}\0{found[name]}\n" for name in sorted(found))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def locked(requirements: str, names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """The version of each package that a file of pinned requirements names, in the order of `names`."""
    pins = dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", requirements, re.MULTILINE))
    versions = {_normalised(name): version for name, version in pins.items()}
    return {name: versions[_normalised(name)] for name in names if _normalised(name) in versions}


def machine(folder: Path, names: Iterable[str] = PACKAGES) -> dict[str, object]:
    """What made a run here and now: Git's revision of a folder and whether it was clean, Python, platform, packages.

    Git's are None where there is no Git, or where the folder is in no repository or has no commit.
    """
    changes = _git(folder, "status", "--porcelain")
    return {
        "git": {
            "revision": _git(folder, "rev-parse", "--verify", "HEAD"),
            "clean": None if changes is None else not changes,
        },
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _installed(name) for name in names},
    }


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # as PEP 503 has it


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    """What Git prints, without white space around it; None if it does not succeed."""
    git = shutil.which("git")
    if git is None:
        return None
    line = [git, "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(line, capture_output=True, check=True, timeout=GIT_SECONDS)  # noqa: S603 (git itself)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()
