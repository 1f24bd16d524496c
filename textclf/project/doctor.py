"""Look at the machine, the environment and the folder, and say what is missing and how to install it."""

import configparser
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from textclf.core.arithmetic import has_avx2, is_x86, promise
from textclf.core.code import require_own_version
from textclf.core.errors import UserError
from textclf.core.extras import EXTRAS, how_to_install
from textclf.core.formatting import align, count_noun
from textclf.core.installed import installed_version, other_versions
from textclf.core.quoting import first_line
from textclf.core.resources import available_memory, cores, format_size
from textclf.version import __version__

OLDEST, NEWEST = (3, 11), (3, 14)  # Python with which the pipeline works
PIPELINE = ("pipeline", "parquet")  # extras that it needs
# Of a project; of a clone
LOCKS = Path("requirements.txt"), Path("requirements/run.txt"), Path("requirements/keras.txt")


class Fact(NamedTuple):
    """What was looked at, what was found, and what to do; without a `required` fact the pipeline can't run."""

    name: str
    found: str
    remedy: str = ""
    required: bool = False


def run() -> int:
    """Print a line per fact; return 0, or 1 if something that the pipeline needs is missing."""
    facts = [*_machine(), *_programs(), *_features(), *_versions()]
    rows = [
        (fact.name, "no" if fact.remedy else "ok", "; ".join(filter(None, fact[1:3])))
        for fact in facts
    ]
    print(*align(rows), sep="\n")
    return int(any(fact.remedy and fact.required for fact in facts))


def _machine() -> Iterator[Fact]:
    known = OLDEST <= sys.version_info[:2] <= NEWEST
    yield Fact(
        "Python",
        platform.python_version(),
        "" if known else "install Python 3.11, 3.12, 3.13 or 3.14",
        True,
    )
    memory = available_memory()
    free = "" if memory is None else f", {format_size(memory)} of memory available"
    cpu = f"{platform.machine()}, {count_noun(cores(), 'core')}{free}"
    able = not is_x86() or has_avx2()
    yield Fact(
        "CPU", cpu, "" if able else "without AVX2 and FMA, only predict and serve work", True
    )
    yield Fact("results", promise())
    device = os.environ.get("TEXTCLF_DEVICE", "cpu")
    yield Fact(
        "device",
        device if device == "cpu" else f"{device} (TEXTCLF_DEVICE); last digits of results differ",
    )


def _programs() -> Iterator[Fact]:
    git = shutil.which("git")
    yield Fact("Git", git or "missing", "" if git else "install git", True)
    dvc = installed_version("dvc")
    yield Fact("DVC", dvc or "missing", "" if dvc else how_to_install("pipeline"), True)
    if not Path(".dvc").is_dir():
        yield Fact(
            "project", "none in this folder", "cd to the folder of one, or textclf init FOLDER"
        )
        return
    yield Fact("project", str(Path.cwd()))
    try:
        require_own_version()
    except UserError as error:
        yield Fact("textclf", __version__, error.lines[0], True)
    else:
        yield Fact("textclf", __version__)
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    except (configparser.Error, ValueError) as error:
        yield Fact("remote", "unknown", f"mend .dvc/config: {first_line(error)}")
        return
    remote = config.get("core", "remote", fallback=None)
    yield Fact(
        "remote", remote or "none", "" if remote else "dvc remote add --default storage <address>"
    )


def _features() -> Iterator[Fact]:
    needed = _needed()
    for extra, packages in EXTRAS.items():
        missing = [name for name in packages if find_spec(name) is None]
        named = not needed.isdisjoint(missing)
        found = (
            f"{', '.join(missing)} missing{', though params.yaml needs it' * named}"
            if missing
            else "installed"
        )
        yield Fact(
            extra, found, how_to_install(extra) if missing else "", named or extra in PIPELINE
        )


def _needed() -> set[str]:
    """Return the packages that the settings of the folder need and not every pipeline, none if they can't be read."""
    with suppress(ImportError, UserError):  # the first of a slim installation
        from textclf import params
        from textclf.project.check import entries

        settings = params.load()
        excel = settings.data.format == "excel" or settings.data.path.lower().endswith(".xlsx")
        tables = ["openpyxl"] * excel + ["sqlalchemy"] * (settings.fetch.database is not None)
        return {
            *tables,
            *(name for _, each in entries(settings) for name in getattr(each, "packages", ())),
        }
    return set()


def _versions() -> Iterator[Fact]:
    """Yield whether the installed packages have the versions of the folder's lock file, if it has one."""
    for lock in filter(Path.exists, LOCKS):
        other = other_versions(lock.read_text(encoding="utf-8", errors="replace"))
        install = (
            f"textclf was tested with the latter: pip install --require-hashes -r {lock}"
            if other
            else ""
        )
        yield Fact(str(lock), ", ".join(other) or "versions as locked", install)
