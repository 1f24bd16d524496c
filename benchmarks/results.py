"""Results of benchmarks: JSON files in benchmarks/results/ that name what was measured, and where.

Each has `measured`: the commit at the start (with `-dirty` if files differed from it), the versions
of the main packages, the machine (CPU, cores, memory in GB, system) and the load average before and
after. What is not known is null.
"""

import argparse
import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textclf.core import files
from textclf.core.formatting import round_significant

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("dvc", "keras", "numpy", "pyarrow", "scikit-learn", "tensorflow")


def load_average() -> float:
    """Return the load average of the last minute; 0 on Windows, which has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


# Before the measurement, since every benchmark imports this module first; one of them takes a
# single core for itself.
LOAD = load_average()
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class MissingResultError(Exception):
    """A result that no benchmark has written yet, by the name of its file."""


def read(name: str) -> Any:
    """Return the content of a result; raises `MissingResultError` if there is none."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise MissingResultError(path.name)
    return files.read_json(path)


def write(name: str, content: Mapping[str, Any]) -> Any:
    """Write a result with its numbers rounded, and return it as it is written."""
    written = {"measured": measurement(), **rounded(content)}
    files.write_json(RESULTS / f"{name}.json", written)
    return written


def main(
    cases: Mapping[str, Callable[[], Mapping[str, Any]]], table: Callable[[Any], str] | None = None
) -> None:
    """Run a benchmark's command line: measure the results named, by default all; print tables."""
    parser = argparse.ArgumentParser(description="Measure results of benchmarks.")
    parser.add_argument(
        "results", nargs="*", metavar="RESULT", help=f"of {', '.join(cases)}; default: all"
    )
    wanted = parser.parse_args().results or [*cases]
    if unknown := [name for name in wanted if name not in cases]:
        parser.error(f"RESULT must be one of {', '.join(cases)}; got {unknown[0]}")
    for name in wanted:
        tell(f"measure {name}")
        content = write(name, cases[name]())
        if table:
            print(table(content), flush=True)


def find_commit() -> str | None:
    """Return the commit, with `-dirty` if code or settings differ; None if there is none."""
    try:
        commit, changed = (
            subprocess.run(
                ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (
                ("rev-parse", "--short=7", "HEAD"),
                ("status", "--porcelain", "--", ".", ":!benchmarks/results", ":!docs"),
            )
        )
    except (OSError, subprocess.CalledProcessError):  # no Git, or a copy without its history
        return None
    return f"{commit}-dirty" if changed else commit


COMMIT = find_commit()  # of the code that measures; there may be another one when it is done


def measurement() -> dict[str, Any]:
    """Return the commit, the versions, the machine, and the load average before and after."""
    versions = {"Python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in PACKAGES
    }
    return {
        "commit": COMMIT,
        "load": [round(each, 1) for each in (LOAD, load_average())],
        "machine": machine(),
        "versions": versions,
    }


def machine() -> dict[str, Any]:
    """Return the CPU's model, the cores of this process, memory in GB, and the system."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return {
        "cores": CORES,
        "cpu": model[1] if model else platform.processor() or platform.machine(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.system(),
    }


def measured_on(content: Mapping[str, Any]) -> str:
    """Return a sentence on where a result was measured, and with what."""
    measured = content["measured"]
    machine = "{cpu}, {cores} cores; {system}".format(**measured["machine"])
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    load = (
        "load {:.1f} before, {:.1f} after".format(*measured["load"])
        if measured["load"]
        else "otherwise idle"
    )
    return f"Measured at commit {measured['commit']}: {machine}, {versions}; {load}."


def rounded(value: Any) -> Any:
    """Return nested values with numbers rounded to six digits, significant ones below 1."""
    if isinstance(value, Mapping):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    if isinstance(value, float):
        return round_significant(value) if abs(value) < 1 else round(value, files.DIGITS)
    return value


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum, with three digits after the point."""
    ends = {"median": statistics.median(values), "minimum": min(values), "maximum": max(values)}
    return {name: round(value, 3) for name, value in ends.items()}


def show(values: Mapping[str, float], form: str = ".2f") -> str:
    """Return a spread as text."""
    return (
        f"{values['median']:{form}} "
        f"({values['minimum']:{form}}\N{EN DASH}{values['maximum']:{form}})"
    )


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def tell(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr, flush=True)
