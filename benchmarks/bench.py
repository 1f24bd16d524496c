"""Compare the time of the pipeline with that of the lesson as one plain script: `make bench`.

    python -m benchmarks.bench --rounds 3 --result benchmarks/results/bench.json

Works in a fresh copy of the working tree, with its corpus and params. The plain script is the lesson, so for a fair
comparison they should be the lesson's too. Each round times in separate processes: the plain script and the forced
pipeline (in alternating order), the fit of the pipeline alone, `dvc repro` with nothing to do, and each stage's command
alone. The result has median, minimum and maximum; ratios are computed within a round.

"Whole" is a process from start to exit. "Fit" is the time between the imports and the trained network: build, compile,
fit while watching the test rows, and in the plain script also the summary. It includes TensorFlow's first operation,
tracing and, in the pipeline, compilation by XLA; it excludes the import of TensorFlow, reading the features and
predicting.
"""

import argparse
import os
import re
import shlex
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks import copies, timings
from benchmarks.copies import ROOT

FIT_OPTION = "--fit"  # starts this script in a fresh process that times the fit
RAW = Path("data", "raw")  # the corpus that fetch writes
NETWORK = "train@keras"  # DVC's address of the stage that trains the lesson's network

Seconds = dict[str, list[float]]  # seconds of each round by what was timed


def main() -> None:
    """Parse the arguments, time everything, and print the tables."""
    parser = argparse.ArgumentParser(description="Time the pipeline against the lesson as one plain script.")
    parser.add_argument("--rounds", type=int, default=3, help="number of times to measure each (default 3)")
    parser.add_argument("--result", type=Path, help="a JSON file to write the times to")
    parser.add_argument(FIT_OPTION, type=Path, metavar="FEATURES", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error(f"--rounds must be at least 1; got {given.rounds}")
    if given.fit:
        print(fit_seconds(given.fit))
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="textclf-bench-") as name:
        project = Project(Path(name))
        seconds: Seconds = defaultdict(list)
        for number in range(given.rounds):
            measure(project, seconds, pipeline_first=number % 2 == 1)
            tell(f"round {number + 1} of {given.rounds}: " + ", ".join(f"{k} {v[-1]:.2f}" for k, v in seconds.items()))
        stages = list(project.commands)
        rows = sum(1 for _ in project.corpus.open("rb"))
    content = timings.environment(load) | {
        "rounds": given.rounds,
        "rows": rows,
        "stages": stages,
        "seconds": {name: timings.spread(values) for name, values in seconds.items()},
        "ratios": {
            what: timings.spread(
                [
                    mine / theirs
                    for mine, theirs in zip(seconds[f"pipeline {what}"], seconds[f"plain {what}"], strict=True)
                ]
            )
            for what in ("whole", "fit")
        },
    }
    timings.write(given.result, content)
    print(timings.bench(content))


class Project:
    """A copy of the working tree in its own repository, with the pipeline run once.

    `commands` maps DVC's name of each stage to its command, in the order of dvc.lock; `corpus` is the file that fetch
    writes, `features` the folder that the network trains on.
    """

    def __init__(self, folder: Path) -> None:
        """Copy what Git tracks or would track, commit it, and run the pipeline so that all inputs exist."""
        self.root = folder / "project"
        self.root.mkdir()
        self.environment = copies.make_copy(self.root)
        if (ROOT / RAW).is_dir():
            self.environment.setdefault("TEXTCLF_CORPUS", str(ROOT / RAW))
        copies.commit(self.root, self.environment)
        self.run(["dvc", "repro"])
        lock = self.lock()
        self.commands = {
            name: shlex.split(stage["cmd"].replace("$DVC_STAGE", name)) for name, stage in lock["stages"].items()
        }
        (self.corpus,) = (self.root / RAW).iterdir()
        self.features = self.root / self.commands[NETWORK][self.commands[NETWORK].index("--features") + 1] / "words"

    def lock(self) -> Any:
        """Return the content of dvc.lock: each stage with its command, params filled in, and its paths."""
        return YAML(typ="safe").load(self.root / "dvc.lock")

    def run(self, command: list[str]) -> str:
        """Run a command in the copy and return what it writes to stdout; exit if it fails."""
        return copies.run(command, self.root, self.environment)

    def timed(self, command: list[str]) -> tuple[float, str]:
        """Run a command; return the seconds from start to exit, and what it writes to stdout."""
        started = time.perf_counter()
        stdout = self.run(command)
        return time.perf_counter() - started, stdout


def measure(project: Project, seconds: Seconds, *, pipeline_first: bool) -> None:
    """Time everything once and append to `seconds`."""

    def plain() -> None:
        script = project.root / "benchmarks" / "plain.py"
        whole, printed = project.timed(["python", str(script), str(project.corpus)])
        seconds["plain whole"].append(whole)
        *_, line = printed.splitlines()
        for part, value in re.findall(r"(imports|fit) ([\d.]+)", line):
            seconds[f"plain {part}"].append(float(value))

    def pipeline() -> None:
        seconds["pipeline whole"].append(project.timed(["dvc", "repro", "--force"])[0])
        seconds["nothing to do"].append(project.timed(["dvc", "repro"])[0])
        printed = project.run(["python", "-m", "benchmarks.bench", FIT_OPTION, str(project.features)])
        seconds["pipeline fit"].append(float(printed.splitlines()[-1]))

    for part in (pipeline, plain) if pipeline_first else (plain, pipeline):
        part()
    for stage, command in project.commands.items():
        seconds[stage].append(project.timed(command)[0])
    seconds["stages"].append(sum(seconds[stage][-1] for stage in project.commands))
    seconds["DVC"].append(seconds["pipeline whole"][-1] - seconds["stages"][-1])


def fit_seconds(folder: Path) -> float:
    """Return the seconds of the network's fit as the stage calls it, after TensorFlow is imported."""
    from textclf.artifacts import features
    from textclf.core.settings import load_section
    from textclf.models.common.fitting import watched_split
    from textclf.models.common.networks.environment import import_keras
    from textclf.models.keras import Settings
    from textclf.models.keras.training import fit

    settings = load_section("train.keras", Settings)
    parts = features.read(folder)
    import_keras()
    started = time.perf_counter()
    fit(parts["train"], parts[watched_split(parts)], settings)
    return time.perf_counter() - started


def tell(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
