"""The tables of docs/ with times, as Markdown."""

from collections.abc import Sequence
from typing import Any

from benchmarks.results import RESULTS, markdown, measured_on, read, show
from textclf.core import files

START = "DVC's start"  # the time of a run before its first stage
EXTRAPOLATED = (100_000_000, 1_000_000_000)  # rows


def bench(content: dict[str, Any]) -> str:
    """Return the tables of benchmarks/bench.py."""
    seconds = content["seconds"]
    parts = [["part", "seconds"], ["plain script: imports", show(seconds["plain imports"])]]
    parts += [[f"pipeline: `{stage}`", show(seconds[stage])] for stage in content["stages"]]
    parts.append(["pipeline: sum of the stages, each run alone", show(seconds["stages"])])
    parts.append(["pipeline: DVC itself (whole minus stages)", show(seconds["DVC"])])
    parts.append(["`dvc repro` with nothing to do", show(seconds["nothing to do"])])
    return f"{ratios(content)}\n\n{markdown(parts[0], parts[1:])}"


def ratios(content: dict[str, Any]) -> str:
    """Return the seconds of the pipeline and of the plain script, and their ratio."""
    rows = [["seconds: median (minimum to maximum)", "plain script", "pipeline", "pipeline / plain"]]
    for what in ("whole", "fit"):
        cells = [show(content["seconds"][f"{who} {what}"]) for who in ("plain", "pipeline")]
        rows.append([what, *cells, show(content["ratios"][what])])
    return f"{markdown(rows[0], rows[1:])}\n\nRounds: {content['rounds']}. {measured_on(content)}"


def predict(content: dict[str, Any]) -> str:
    """Return the tables of benchmarks/predict.py."""
    seconds = [["seconds: median (minimum to maximum)", "", "ratio to TensorFlow's import"]]
    seconds += [[row["what"], show(row["seconds"]), show(row["ratio"])] for row in content["cold"]]
    rates = [["sentences per second, one core", ""]]
    rates += [[row["what"], show(row["rate"], ",.0f")] for row in content["throughput"]]
    memory = ", ".join(f"{row['mebibytes']} MiB for {row['sentences']:,} sentences" for row in content["memory"])
    sentences = f"Sentences of {content['characters']} characters; rounds: {content['rounds']}; peak memory {memory}."
    return (
        f"{markdown(seconds[0], seconds[1:])}\n\n{markdown(rates[0], rates[1:])}\n\n{sentences} {measured_on(content)}"
    )


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
    lines.append([disk, *[""] * len(columns)])
    return f"{markdown(lines[0], lines[1:])}\n\n{rounds}{measured_on(content)}"


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
    memory = measured[0]["measured"]["machine"]["memory_gb"]
    machine = f"Memory of the machine: {memory:.0f} GB. {measured_on(measured[-1])}"
    commits = ", ".join(f"{content['rows']:,} at {content['measured']['commit']}" for content in measured)
    notes = f"Params: {settings}. {machine} Rows and commits: {commits}."
    parts = [markdown(lines[0], lines[1:]), notes, "Extrapolated from the two largest:"]
    return "\n\n".join([*parts, markdown(["rows", "hours", "on disk, GB"], extrapolated(measured))])


def extrapolated(measured: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return hours and disk for more rows, linear in the growth between the two largest numbers of rows measured."""
    before, last = measured[-2:]
    lines = []
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


TABLES = {
    "timings-bench": lambda: ratios(read("bench")),
    "timings-predict": lambda: predict(read("predict")),
    "timings-scale": scales,
}
