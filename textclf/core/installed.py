"""The installed textclf: whether it is a clone of the repository, and what was installed."""

import json
import os
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from textclf.version import __version__

DISTRIBUTION = "textclf-pipeline"  # of which textclf is the import package
LOCAL = re.compile(r"\S+ @ (git\+)?file:")  # a requirement that names a path of this machine
LOCKED = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)


def clone_root() -> Path | None:
    """Return the folder of the clone that has this code; None if it was installed as a package."""
    package = Path(__file__).parents[1]
    # The wheel has the stages in the package; the repository has them beside it.
    return None if (package / "stages").is_dir() else package.parent


def lock_files() -> tuple[Path, ...]:
    """Return the lock files of what the pipeline needs: two in a clone, one in a project."""
    if clone_root() is None:
        return (Path("requirements.txt"),)
    return Path("requirements/run.txt"), Path("requirements/keras.txt")


def path_of_programs() -> str:
    """Return PATH with the programs of this Python first.

    So `python` is this one even if its environment is not active.
    """
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, None if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def other_versions(lock: str) -> list[str]:
    """Return the packages whose installed version is not that in a lock file's text, with both."""
    pairs = [(name, installed_version(name), wanted) for name, wanted in LOCKED.findall(lock)]
    return [
        f"{name} {installed} instead of {wanted}"
        for name, installed, wanted in pairs
        if installed not in {None, wanted}
    ]


def requirement(extra: str | None = None) -> str:
    """Return the requirement of this version for pip.

    That is its address in direct_url.json (PEP 610), or name and version.
    """
    record = None
    with suppress(PackageNotFoundError):  # the code was copied without it
        record = distribution(DISTRIBUTION).read_text("direct_url.json")
    name = f"{DISTRIBUTION}[{extra}]" if extra else DISTRIBUTION
    if record is None:
        return f"{name}=={__version__}"
    direct = json.loads(record)
    if git := direct.get("vcs_info"):
        # pip 23 refuses git+file without a host.
        address = re.sub("^file:///", "file://localhost/", direct["url"])
        return f"{name} @ git+{address}@{git['commit_id']}"
    return f"{name} @ {direct['url']}"  # of an archive or a folder
