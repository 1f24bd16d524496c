"""The tables of docs/ with times, as Markdown."""

from collections.abc import Sequence
from typing import Any

from benchmarks.results import RESULTS, markdown, measured_on, read, show
from textclf.core import files

START = "DVC's start"  # the time of a run before its first stage


def ratios(content: dict[str, Any]) -> str:
    """Return the seconds of the pipeline and of the plain script, and their ratio."""
    rows = [
        ["seconds: median (minimum to maximum)", "plain script", "pipeline", "pipeline / plain"]
    ]
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
    sentences = f"Sentences of {content['characters']} characters; rounds: {content['rounds']}."
    return (
        f"{markdown(seconds[0], seconds[1:])}\n\n{markdown(rates[0], rates[1:])}\n\n"
        f"{sentences} {measured_on(content)}"
    )


def title(part: dict[str, Any]) -> str:
    """Return the name of a part of a run, that of a stage as code."""
    return part["name"] if part["name"] == START else f"`{part['name']}`"


def scale_ratios(content: dict[str, Any]) -> list[list[str]]:
    """Return the ratio of the pipeline's seconds to those of each other program, with its name."""
    shown = {
        name: show(ratio) if content["rounds"] > 1 else f"{ratio['median']:.2f}"
        for name, ratio in content["ratios"].items()
    }
    return [[f"pipeline / {name}", ratio] for name, ratio in shown.items()]


def scale_stages() -> str:
    """Return the median round's stages by number of rows, and ratios to the other programs."""
    return stages(scale_results())


def stages(measured: Sequence[dict[str, Any]]) -> str:
    """Return the seconds and the memory of each stage, with two columns per number of rows."""
    cells = [
        f"{content['rows']:,} rows: {what}"
        for content in measured
        for what in ("seconds (of it DVC)", "MB")
    ]
    columns: list[dict[str, list[str]]] = []
    for content in measured:
        parts = {title(part): part for part in content["parts"]} | {
            "**pipeline, end to end**": content["pipeline"]
        }
        column = {
            name: [f"{part['seconds']:.1f} ({part['waiting']:.1f})", megabytes(part["largest"])]
            for name, part in parts.items()
        }
        columns.append(column | {name: [ratio, ""] for name, ratio in scale_ratios(content)})
    names = dict.fromkeys(name for column in columns for name in column)
    lines = [["", *cells]]
    lines += [
        [name, *(cell for column in columns for cell in column.get(name, ["", ""]))]
        for name in names
    ]
    rounds = ", ".join(str(content["rounds"]) for content in measured)
    notes = (
        f"Rounds: {rounds}. Seconds of the stages: in the round of the median time. MB: "
        "of the largest process."
    )
    return f"{markdown(lines[0], lines[1:])}\n\n{notes}"


def accuracy(part: dict[str, Any]) -> str:
    """Return a measured program's accuracy with its interval; "" for a stage, which has none."""
    if "accuracy" not in part:
        return ""
    low, high = part["interval"]
    return f"{part['accuracy']:.4f} ({low:.4f}\N{EN DASH}{high:.4f})"


def scale_results() -> list[dict[str, Any]]:
    """Return the results of benchmarks/scale.py, by the number of rows."""
    result = map(files.read_json, RESULTS.glob("scale-[1-9]*.json"))
    return sorted(result, key=lambda content: int(content["rows"]))


def scales() -> str:
    """Return the pipeline and what it is compared with at each number of rows."""
    measured = scale_results()
    settings = ", ".join(f"{key}={value}" for key, value in measured[0]["settings"].items())
    lines = [["rows", "program", "seconds", "largest process, MB", "on disk, MB", "test accuracy"]]
    for content in measured:
        pipeline = (
            "pipeline, from Parquet, with links in DVC's cache"
            if "links" in content
            else "pipeline"
        )
        programs = [
            (pipeline, content["pipeline"]),
            *((each["name"], each) for each in content["others"]),
        ]
        programs += [(f"pipeline with {each['name']}", each) for each in content["variants"]]
        for name, part in programs:
            disk = megabytes(part["disk"]) if "disk" in part else ""
            cells = [f"{part['seconds']:.1f}", megabytes(part["largest"]), disk, accuracy(part)]
            lines.append([f"{content['rows']:,}", name, *cells])
    memory = measured[0]["measured"]["machine"]["memory_gb"]
    machine = f"Memory of the machine: {memory:.0f} GB. {measured_on(measured[-1])}"
    notes = f"Params: {settings}. {machine}"
    if len({content["measured"]["commit"] for content in measured}) > 1:
        commits = ", ".join(
            f"{content['rows']:,} at {content['measured']['commit']}" for content in measured
        )
        notes = f"{notes} Rows and commits: {commits}."
    return "\n\n".join([markdown(lines[0], lines[1:]), notes])


def makespan(content: dict[str, Any]) -> str:
    """Return the seconds of stages by number of workers, of benchmarks/makespan.py."""
    stages, names = content["stages"], ("clock", "computed", "larger")
    sums = {
        name: [sum(each) for each in zip(*(one[name] for one in stages), strict=True)]
        for name in names
    }
    total = {key: sum(one[key] for one in stages) for key in ("serial", "tasks")}
    lines = [
        ["", "tasks", "serial, s", "1 core: clock", "2 cores: clock"]
        + [f"{count}: computed" for count in content["workers"]]
    ]
    for one in (*stages, {"name": "all", **total, **sums}):
        seconds = [one["serial"], *one["clock"], *one["computed"]]
        lines.append([one["name"], f"{one['tasks']:,}", *(f"{each:.1f}" for each in seconds)])
    larger = [f"{each:,.0f}" for each in sums["larger"]]
    rows = content["rows"] * content["larger"]
    lines.append([f"all, with {rows:,} rows", "", "", "", "", *larger])
    notes = f"Seconds with {content['rows']:,} rows, by number of workers, without DVC's share."
    return f"{markdown(lines[0], lines[1:])}\n\n{notes} {measured_on(content)}"


def megabytes(size: float) -> str:
    """Return a number of MB as text: whole from 10 on."""
    return f"{size:,.0f}" if size >= 10 else f"{size:.1f}"


TABLES = {
    "timings-makespan": lambda: makespan(read("makespan")),
    "timings-bench": lambda: ratios(read("bench")),
    "timings-predict": lambda: predict(read("predict")),
    "timings-scale": scales,
    "timings-stages": scale_stages,
}
