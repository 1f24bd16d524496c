"""Check the machine, the environment and the folder; say what is missing and how to install it."""

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
from textclf.core.command import Command
from textclf.core.errors import UserError
from textclf.core.extras import EXTRAS, how_to_install
from textclf.core.formatting import align, count_noun
from textclf.core.installed import installed_version, other_versions
from textclf.core.quoting import first_line
from textclf.core.resources import available_memory, cores, format_size
from textclf.version import __version__

# Versions of Python with which the pipeline works.
OLDEST, NEWEST = (3, 11), (3, 14)
# Extras that the pipeline needs.
PIPELINE = ("pipeline", "parquet")
# The lock file of a project, and those of a clone.
LOCKS = Path("requirements.txt"), Path("requirements/run.txt"), Path("requirements/keras.txt")


class Fact(NamedTuple):
    """What was checked, its state, and what to do if it must change.

    Without what is `required`, the pipeline can't run.
    """

    name: str
    state: str
    remedy: str = ""
    required: bool = False


def run(_: Command) -> int:
    """Print a line per fact; return 0, or 1 if something that the pipeline needs is missing."""
    facts = [*_machine(), *_programs(), *_features(), *_versions()]
    rows = []
    for fact in facts:
        text = f"{fact.state}; {fact.remedy}" if fact.remedy else fact.state
        rows.append((fact.name, "no" if fact.remedy else "ok", text))
    print(*align(rows), sep="\n")
    return int(any(fact.remedy and fact.required for fact in facts))


def _machine() -> Iterator[Fact]:
    known = OLDEST <= sys.version_info[:2] <= NEWEST
    remedy = "" if known else "install Python 3.11, 3.12, 3.13 or 3.14"
    yield Fact("Python", platform.python_version(), remedy, True)
    memory = available_memory()
    free = "" if memory is None else f", {format_size(memory)} of memory available"
    cpu = f"{platform.machine()}, {count_noun(cores(), 'core')}{free}"
    able = not is_x86() or has_avx2()
    remedy = "" if able else "without AVX2 and FMA, only predict and serve work"
    yield Fact("CPU", cpu, remedy, True)
    yield Fact("results", promise())
    device = os.environ.get("TEXTCLF_DEVICE", "cpu")
    note = "" if device == "cpu" else " (TEXTCLF_DEVICE); last digits of results differ"
    yield Fact("device", f"{device}{note}")


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
    remedy = "" if remote else "dvc remote add --default storage <address>"
    yield Fact("remote", remote or "none", remedy)


def _features() -> Iterator[Fact]:
    needed = _needed()
    for extra, packages in EXTRAS.items():
        missing = [name for name in packages if find_spec(name) is None]
        named = not needed.isdisjoint(missing)
        state, remedy = "installed", ""
        if missing:
            why = ", though params.yaml needs it" if named else ""
            state, remedy = f"{', '.join(missing)} missing{why}", how_to_install(extra)
        yield Fact(extra, state, remedy, named or extra in PIPELINE)


def _needed() -> set[str]:
    """Return the packages that the settings of the folder need beside those of every pipeline.

    There are none if the settings can't be read.
    """
    with suppress(ImportError, UserError):  # the first of a slim installation
        from textclf import params
        from textclf.project.check import entries

        settings = params.load()
        packages: set[str] = set()
        if settings.data.format == "excel" or settings.data.path.lower().endswith(".xlsx"):
            packages.add("openpyxl")
        if settings.fetch.database is not None:
            packages.add("sqlalchemy")
        for _, section in entries(settings):
            packages.update(getattr(section, "packages", ()))
        return packages
    return set()


def _versions() -> Iterator[Fact]:
    """Yield for each lock file of the folder whether the installed packages have its versions."""
    for lock in filter(Path.exists, LOCKS):
        other = other_versions(lock.read_text(encoding="utf-8", errors="replace"))
        remedy = ""
        if other:
            remedy = f"textclf was tested with the latter: pip install --require-hashes -r {lock}"
        yield Fact(str(lock), ", ".join(other) or "versions as locked", remedy)
