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
    """Return the folder of the clone of the repository that has this code; None if it was installed as a package."""
    root = Path(__file__).parents[2]
    return root if (root / "dvc.yaml").is_file() and (root / "stages").is_dir() else None


def path_of_programs() -> str:
    """Return PATH with the programs of this Python first, so that `python` is this one in an inactive environment."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, None if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def other_versions(lock: str) -> list[str]:
    """Return the packages that are installed in another version than the text of a lock file has, with both."""
    return [
        f"{name} {installed} instead of {wanted}"
        for name, wanted in LOCKED.findall(lock)
        if (installed := installed_version(name)) not in {None, wanted}
    ]


def requirement(extra: str | None = None) -> str:
    """Return the requirement of this version for pip: its address in direct_url.json (PEP 610), or name and version."""
    record = None
    with suppress(PackageNotFoundError):  # the code was copied without it
        record = distribution(DISTRIBUTION).read_text("direct_url.json")
    name = f"{DISTRIBUTION}[{extra}]" if extra else DISTRIBUTION
    if record is None:
        return f"{name}=={__version__}"
    direct = json.loads(record)
    if git := direct.get("vcs_info"):
        address = re.sub(
            "^file:///", "file://localhost/", direct["url"]
        )  # pip 23 refuses git+file without a host
        return f"{name} @ git+{address}@{git['commit_id']}"
    return f"{name} @ {direct['url']}"  # of an archive or a folder
