"""Compare the time of the pipeline with that of the lesson as one plain script: `make bench`.

    python -m benchmarks.bench

Works in a fresh copy of the working tree, with its corpus and params. The plain script is the
lesson, so for a fair comparison they should be the lesson's too. Each round times in separate
processes: the plain script and the forced pipeline (in alternating order), and the fit of the
pipeline alone. The result has median, minimum and maximum; ratios are computed within a round.

"Whole" is a process from start to exit. "Fit" is the time between the imports and the trained
network: build, compile, fit while watching the test rows, and in the plain script also the summary.
It includes TensorFlow's first operation, tracing and, in the pipeline, compilation by XLA; it
excludes the import of TensorFlow, reading the features and predicting.
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks import project as copies
from benchmarks import results, timings
from benchmarks.results import ROOT, tell

ROUNDS = 3
FIT_OPTION = "--fit"  # starts this script in a fresh process that times the fit
RAW = Path("data", "raw")  # the corpus that fetch writes
FEATURES = Path("data", "features", "words")  # that the network trains on

Seconds = dict[str, list[float]]  # seconds of each round by what was timed


def compare() -> dict[str, Any]:
    """Return the seconds of all that is timed, and the ratios of pipeline and plain script."""
    with tempfile.TemporaryDirectory(prefix="textclf-bench-") as name:
        project = Project(Path(name))
        seconds: Seconds = defaultdict(list)
        for number in range(ROUNDS):
            measure(project, seconds, pipeline_first=number % 2 == 1)
            tell(
                f"round {number + 1} of {ROUNDS}: "
                + ", ".join(f"{k} {v[-1]:.2f}" for k, v in seconds.items())
            )
    ratios = {}
    for what in ("whole", "fit"):
        pairs = zip(seconds[f"pipeline {what}"], seconds[f"plain {what}"], strict=True)
        ratios[what] = results.spread([mine / theirs for mine, theirs in pairs])
    return {
        "rounds": ROUNDS,
        "seconds": {name: results.spread(values) for name, values in seconds.items()},
        "ratios": ratios,
    }


class Project:
    """A copy of the working tree as a repository, after one run; `corpus` is what fetch writes."""

    def __init__(self, folder: Path) -> None:
        """Copy what Git tracks or would track, and run the pipeline so that all inputs exist."""
        self.root = folder / "project"
        self.root.mkdir()
        self.environment = copies.make_copy(self.root)
        if (ROOT / RAW).is_dir():
            self.environment.setdefault("TEXTCLF_CORPUS", str(ROOT / RAW))
        copies.remove_run(self.root)  # dvc.lock may keep stages that are gone
        self.run(["dvc", "repro"])
        (self.corpus,) = (self.root / RAW).iterdir()

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
        seconds["plain fit"].append(float(line.split()[-1]))

    def pipeline() -> None:
        seconds["pipeline whole"].append(project.timed(["dvc", "repro", "--force"])[0])
        printed = project.run(
            ["python", "-m", "benchmarks.bench", FIT_OPTION, str(project.root / FEATURES)]
        )
        seconds["pipeline fit"].append(float(printed.splitlines()[-1]))

    for part in (pipeline, plain) if pipeline_first else (plain, pipeline):
        part()


def fit_seconds(folder: Path) -> float:
    """Return the seconds of the network's fit in the stage, without TensorFlow's import."""
    from textclf.artifacts import features
    from textclf.artifacts.dataset import Dataset
    from textclf.core.settings import load_section
    from textclf.models.common.fitted import Folders
    from textclf.models.common.fitting import watched_split
    from textclf.models.common.networks.environment import import_keras
    from textclf.models.keras import fit
    from textclf.models.settings import Train

    settings = load_section("train", Train)["keras"]
    datasets = {
        name: Dataset.of_shards(shards) for name, shards in features.open_shards(folder).items()
    }
    import_keras()
    started = time.perf_counter()
    fit(datasets["train"], datasets[watched_split(datasets)], settings, Folders(folder))
    return time.perf_counter() - started


if __name__ == "__main__":
    if sys.argv[1:2] == [FIT_OPTION]:
        print(fit_seconds(Path(sys.argv[2])))
    else:
        results.main({"bench": compare}, timings.ratios)
