"""What each second of the default run is: interpreter, imports by package, work: `make bench-startup`.

    python -m benchmarks.startup --rounds 3 --result benchmarks/results/startup.json

Works in a fresh copy of the working tree in which the pipeline has run. Runs each stage's command alone, with a clock
around every import (benchmarks/import_clock.py). "Work" is what is left of the stage's own time, "end" the time from
there to the end of the process. The floor of a stage is the interpreter and the imports that its work can't do without
(`NEEDED`). Medians of the rounds.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import timings
from benchmarks.bench import Project, tell

CLOCK = "benchmarks.import_clock"
NAMED, OTHERS = 0.01, "all others"  # seconds of the imports of a package that is named, and the name of the rest
# Packages without which the work of a stage can't be done, with its params read. Each stands for those it imports.
NEEDED = {
    "check": ("pydantic", "pydantic_core", "ruamel"),
    "fetch": ("pydantic", "pydantic_core", "ruamel"),
    "split": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow"),
    "vectorize": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow"),
    "combine": ("pydantic", "pydantic_core", "ruamel", "numpy"),
    "train@majority": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow"),
    "train@logistic_regression": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow", "scipy", "sklearn"),
    "train@keras": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow", "tensorflow", "keras", "google"),
    "evaluate": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow"),
    "export": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow", "onnx"),
    "plot": ("pydantic", "pydantic_core", "ruamel", "numpy", "vl_convert"),
    "report": ("pydantic", "pydantic_core", "ruamel", "numpy", "pyarrow", "jinja2", "vl_convert"),
}

Seconds = dict[str, float]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure what each second of the default run is.")
    parser.add_argument("--rounds", type=int, default=3, help="number of times to run each stage (default 3)")
    parser.add_argument("--result", type=Path, help="a JSON file to write the times to")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error(f"--rounds must be at least 1; got {given.rounds}")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="textclf-startup-") as name:
        project = Project(Path(name))
        stages = {}
        for stage, command in project.commands.items():
            tell(stage)
            stages[stage] = median([measure(project, command[2:]) for _ in range(given.rounds)])
    needed = {stage: NEEDED.get(stage) or NEEDED[stage.partition("@")[0]] for stage in stages}
    content = timings.environment(load) | {"needed": needed, "rounds": given.rounds, "stages": stages}
    timings.write(given.result, content)
    print(timings.startup(content))


def measure(project: Project, stage: list[str]) -> dict[str, Any]:
    """Return the seconds of one run of a stage, a module and its arguments."""
    result = project.root.parent / "imports.json"
    started = time.time()
    project.run(["python", "-m", CLOCK, str(result), *stage])
    ended = time.time()
    clock = json.loads(result.read_text(encoding="utf-8"))
    imports: Seconds = clock["imports"]
    whole = clock["ended"] - clock["began"]
    return {
        "interpreter": clock["began"] - started,
        "imports": imports,
        "work": whole - sum(imports.values()),
        "end": ended - clock["ended"],
    }


def median(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each time over the rounds, with the imports of each package that takes long."""
    packages = {name for each in rounds for name in each["imports"]}
    imports = {name: statistics.median(each["imports"].get(name, 0.0) for each in rounds) for name in packages}
    times = {
        name: round(statistics.median(each[name] for each in rounds), 3) for name in ("interpreter", "work", "end")
    }
    named = {name: round(seconds, 3) for name, seconds in imports.items() if seconds >= NAMED}
    return times | {"imports": named | {OTHERS: round(sum(imports.values()) - sum(named.values()), 3)}}


if __name__ == "__main__":
    main()
