"""The results of timings, and their tables in docs/ as Markdown.

A time depends on the machine and on what else it does, so a result has the machine, the load and the commit that was
measured.
"""

import importlib.metadata
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import copies
from textclf.core import files

RESULTS = copies.ROOT / "benchmarks" / "results"
VERSIONS = ("tensorflow", "keras", "scikit-learn", "dvc")
START = "DVC's start"  # the time of a run before its first stage
EXTRAPOLATED = (100_000_000, 1_000_000_000)  # rows

Spread = dict[str, float]


def environment(load: float) -> dict[str, Any]:
    """Return what a time depends on: machine, versions, commit, and load average before and after."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (match := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        model = match[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in VERSIONS}
    commit = copies.run(["git", "rev-parse", "--short=7", "HEAD"], copies.ROOT, os.environ).strip()
    return {
        "commit": commit,
        "load": [round(each, 1) for each in (load, os.getloadavg()[0])],
        "machine": f"{model}, {cores} cores; {platform.system()}",
        "versions": versions,
    }


def write(path: Path | None, content: Any) -> None:
    """Write a result, if there is a file for it."""
    if path is not None:
        files.write_json(path, content)


def spread(values: Sequence[float]) -> Spread:
    """Return median, minimum and maximum, with three digits after the point."""
    ends = {"median": statistics.median(values), "minimum": min(values), "maximum": max(values)}
    return {name: round(value, 3) for name, value in ends.items()}


def show(values: Spread, form: str = ".2f") -> str:
    """Return a spread as text."""
    return f"{values['median']:{form}} ({values['minimum']:{form}} to {values['maximum']:{form}})"


def measured_on(content: dict[str, Any]) -> str:
    """Return a sentence on where and when the times were measured."""
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    load = "load {:.1f} before, {:.1f} after".format(*content["load"]) if "load" in content else "otherwise idle"
    return f"Measured at commit {content['commit']}: {content['machine']}, {versions}; {load}."


def markdown(lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; the first line is its header."""
    header, *rows = lines
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def bench(content: dict[str, Any]) -> str:
    """Return the tables of benchmarks/bench.py."""
    seconds = content["seconds"]
    parts = [["part", "seconds"], ["plain script: imports", show(seconds["plain imports"])]]
    parts += [[f"pipeline: `{stage}`", show(seconds[stage])] for stage in content["stages"]]
    parts.append(["pipeline: sum of the stages, each run alone", show(seconds["stages"])])
    parts.append(["pipeline: DVC itself (whole minus stages)", show(seconds["DVC"])])
    parts.append(["`dvc repro` with nothing to do", show(seconds["nothing to do"])])
    return f"{ratios(content)}\n\n{markdown(parts)}"


def ratios(content: dict[str, Any]) -> str:
    """Return the seconds of the pipeline and of the plain script, and their ratio."""
    rows = [["seconds: median (minimum to maximum)", "plain script", "pipeline", "pipeline / plain"]]
    for what in ("whole", "fit"):
        cells = [show(content["seconds"][f"{who} {what}"]) for who in ("plain", "pipeline")]
        rows.append([what, *cells, show(content["ratios"][what])])
    return f"{markdown(rows)}\n\nRounds: {content['rounds']}. {measured_on(content)}"


def predict(content: dict[str, Any]) -> str:
    """Return the tables of benchmarks/predict.py."""
    seconds = [["seconds: median (minimum to maximum)", "", "ratio to TensorFlow's import"]]
    seconds += [[row["what"], show(row["seconds"]), show(row["ratio"])] for row in content["cold"]]
    rates = [["sentences per second, one core", ""]]
    rates += [[row["what"], show(row["rate"], ",.0f")] for row in content["throughput"]]
    memory = ", ".join(f"{row['mebibytes']} MiB for {row['sentences']:,} sentences" for row in content["memory"])
    sentences = f"Sentences of {content['characters']} characters; rounds: {content['rounds']}; peak memory {memory}."
    return f"{markdown(seconds)}\n\n{markdown(rates)}\n\n{sentences} {measured_on(content)}"


def scale(content: dict[str, Any]) -> str:
    """Return the table of one number of rows of benchmarks/scale.py."""
    rows, total = content["rows"], content["pipeline"]
    columns = ["seconds", "of it DVC", "rows/s", "largest process, MB", "together, MB", "written, MB", "test accuracy"]
    lines = [[f"{rows:,} rows, {megabytes(content['csv'])} MB of CSV", *columns]]
    named = [(part["name"] if part["name"] == START else f"`{part['name']}`", part) for part in content["parts"]]
    for name, part in [
        *named,
        ("**pipeline, end to end**", total),
        *((each["name"], each) for each in content["others"]),
    ]:
        sizes = [megabytes(part[key]) if key in part else "" for key in ("largest", "together", "written")]
        rate = "" if name == START else f"{rows / part['seconds']:,.0f}"
        waiting = f"{part['waiting']:.1f}" if "waiting" in part else ""
        lines.append([name, f"{part['seconds']:.1f}", waiting, rate, *sizes, accuracy(part)])
    for name, ratio in content["ratios"].items():
        shown = show(ratio) if content["rounds"] > 1 else f"{ratio['median']:.2f}"
        lines.append([f"pipeline / {name}", shown, *[""] * (len(columns) - 1)])
    for each in content["variants"]:  # only some stages run again, so that no rate is shown
        sizes = [megabytes(each[key]) for key in ("largest", "together")]
        lines.append([f"pipeline with {each['name']}", f"{each['seconds']:.1f}", "", "", *sizes, "", accuracy(each)])
    disk = f"on disk at the end: {megabytes(total['disk'])} MB, of which {megabytes(total['cache'])} MB in DVC's cache"
    rounds = f"Rounds: {content['rounds']}. " if content["rounds"] > 1 else ""
    return f"{markdown([*lines, [disk, *[''] * len(columns)]])}\n\n{rounds}{measured_on(content)}"


def accuracy(part: dict[str, Any]) -> str:
    """Return the accuracy of a measured program with its interval; empty for a stage, which has none."""
    if "accuracy" not in part:
        return ""
    low, high = part["interval"]
    return f"{part['accuracy']:.4f} ({low:.4f} to {high:.4f})"


def scales() -> str:
    """Return the pipeline and what it is compared with at each number of rows, and the extrapolation to more."""
    measured = sorted(map(files.read_json, RESULTS.glob("scale-*.json")), key=lambda content: int(content["rows"]))
    settings = ", ".join(f"{key}={value}" for key, value in measured[0]["settings"].items())
    lines = [["rows", "program", "seconds", "largest process, MB", "on disk, MB", "test accuracy"]]
    for content in measured:
        programs = [("pipeline", content["pipeline"]), *((each["name"], each) for each in content["others"])]
        programs += [(f"pipeline with {each['name']}", each) for each in content["variants"]]
        for name, part in programs:
            disk = megabytes(part["disk"]) if "disk" in part else ""
            cells = [f"{part['seconds']:.1f}", megabytes(part["largest"]), disk, accuracy(part)]
            lines.append([f"{content['rows']:,}", name, *cells])
    machine = f"Memory of the machine: {measured[0]['memory'] / 1e3:.0f} GB. {measured_on(measured[-1])}"
    commits = ", ".join(f"{content['rows']:,} at {content['commit']}" for content in measured)
    notes = f"Params: {settings}. {machine} Rows and commits: {commits}."
    parts = [markdown(lines), notes, "Extrapolated from the two largest:"]
    return "\n\n".join([*parts, markdown(extrapolated(measured))])


def extrapolated(measured: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return hours and disk for more rows, linear in the growth between the two largest numbers of rows measured."""
    before, last = measured[-2:]
    lines = [["rows", "hours", "on disk, GB"]]
    for rows in EXTRAPOLATED:
        more = (rows - last["rows"]) / (last["rows"] - before["rows"])
        seconds, disk = (
            last["pipeline"][key] + more * (last["pipeline"][key] - before["pipeline"][key])
            for key in ("seconds", "disk")
        )
        lines.append([f"{rows:,}", f"{seconds / 3600:.1f}", f"{disk / 1e3:,.0f}"])
    return lines


def megabytes(size: float) -> str:
    """Return a number of MB as text: whole from 10 on."""
    return f"{size:,.0f}" if size >= 10 else f"{size:.1f}"


def read(name: str) -> Any:
    """Return the content of a result file."""
    return files.read_json(RESULTS / f"{name}.json")


TABLES = {
    "timings-bench": lambda: ratios(read("bench")),
    "timings-predict": lambda: predict(read("predict")),
    "timings-scale": scales,
}
