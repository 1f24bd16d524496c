"""Compare the times of this machine with those of the last time: `make bench`.

    python -m benchmarks.machines --result benchmarks/results/machines.json

Reads the results of benchmarks/bench.py (the lesson's 1,000 rows) and benchmarks/scale.py (100,000 rows and a million)
in benchmarks/results/. Prints, for each number of rows, the ratio to the plain script and the seconds of each stage,
beside those that the result file has of this machine, and says what got slower. The file keeps one entry per machine.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks import timings
from benchmarks.timings import RESULTS
from textclf.core import files

SIZES = (100_000, 1_000_000)  # rows, besides the lesson's
RATIO = "pipeline / plain script"
SLOWER = 1.15  # times as long as before: more than runs on an idle machine differ
SHORT = 0.1  # seconds that are no difference

Times = dict[str, dict[str, float]]  # of each number of rows, by what was timed


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compare the times of this machine with those of the last time.")
    parser.add_argument("--result", type=Path, required=True, help="the JSON file with the times of each machine")
    given = parser.parse_args()
    bench, *scales = (files.read_json(RESULTS / f"{name}.json") for name in ("bench", *(f"scale-{n}" for n in SIZES)))
    if len({content["machine"] for content in (bench, *scales)}) > 1:
        parser.error("the results must be of one machine; run make bench")
    times = collect(bench, scales)
    known: dict[str, Any] = files.read_json(given.result) if given.result.exists() else {}
    before = known.get(bench["machine"], {"times": {}})
    print(table(times, before["times"]))
    print(f"\n{bench['machine']}; commit {bench['commit']}, before: {before.get('commit', 'not measured')}")
    files.write_json(given.result, known | {bench["machine"]: {"commit": bench["commit"], "times": times}})


def collect(bench: dict[str, Any], scales: list[dict[str, Any]]) -> Times:
    """Return the ratio to the plain script and the seconds of each stage, for each number of rows."""
    stages = {name: bench["seconds"][name]["median"] for name in (*bench["stages"], "nothing to do")}
    times = {f"{bench['rows']:,} rows": {RATIO: bench["ratios"]["whole"]["median"], **stages}}
    for content in scales:
        ratio = content["ratios"][content["others"][0]["name"]]["median"]
        parts = {part["name"]: part["seconds"] for part in content["parts"]}
        times[f"{content['rows']:,} rows"] = {RATIO: ratio, **parts}
    return times


def table(times: Times, before: Times) -> str:
    """Return the times beside those of before, as Markdown."""
    lines = [["", "before", "now", ""]]
    for size, values in times.items():
        lines.append([f"**{size}**", "", "", ""])
        for name, value in values.items():
            last = before.get(size, {}).get(name)
            lines.append([name, "" if last is None else f"{last:.2f}", f"{value:.2f}", verdict(value, last)])
    return timings.markdown(lines)


def verdict(value: float, last: float | None) -> str:
    """Return `slower` or `faster` if a time, or a ratio, differs from that of before by more than chance."""
    if last is None or abs(value - last) < SHORT:
        return ""
    return "slower" if value > SLOWER * last else "faster" if last > SLOWER * value else ""


if __name__ == "__main__":
    main()
