"""Compare the time of the pipeline with that of the lesson as one plain script: `make bench`.

    python benchmarks/bench.py --rounds 3

Works in a fresh copy of the working tree, with its corpus and params. The plain script is the lesson, so for a fair
comparison they should be the lesson's too. Each round times in separate processes: the plain script and the forced
pipeline (in alternating order), the fit of the pipeline alone, `dvc repro` with nothing to do, and each stage's command
alone. Prints Markdown: median, minimum and maximum; ratios are computed within a round.

"Whole" is a process from start to exit. "Fit" is the time between the imports and the trained network: build, compile,
fit while watching the test rows, and in the plain script also the summary. It includes TensorFlow's first operation,
tracing and, in the pipeline, compilation by XLA; it excludes the import of TensorFlow, reading the features and
predicting.
"""

import argparse
import importlib.metadata
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FIT_OPTION = "--fit"  # starts this script in a fresh process that times the fit
NETWORK = "train@keras"  # DVC's address of the stage that trains the lesson's network

Seconds = dict[str, list[float]]  # seconds of each round by what was timed


def main() -> None:
    """Parse the arguments, time everything, and print the tables."""
    parser = argparse.ArgumentParser(description="Time the pipeline against the lesson as one plain script.")
    parser.add_argument("--rounds", type=int, default=3, help="number of times to measure each (default 3)")
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
    print(f"{machine()}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after; rounds: {given.rounds}.\n")
    print(report(seconds, stages))


class Project:
    """A copy of the working tree in its own repository, with the pipeline run once.

    `commands` maps DVC's name of each stage to its command, in the order of dvc.lock; `corpus` is the file that fetch
    writes, `features` the folder that the network trains on.
    """

    def __init__(self, folder: Path) -> None:
        """Copy what Git tracks or would track, commit it, and run the pipeline so that all inputs exist."""
        self.root = folder / "project"
        self.root.mkdir()
        # Stages import the textclf of the copy, not the installed one; DVC's site cache is removed with the copy.
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(self.root),
            "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        }
        listed = run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, self.environment)
        for name in filter(None, listed.split("\0")):
            if (source := ROOT / name).is_file():  # neither deleted nor a nested repository
                (target := self.root / name).parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
        raw = outputs(self.lock(), "fetch")[0]
        if (ROOT / raw).is_dir():
            self.environment.setdefault("TEXTCLF_CORPUS", str(ROOT / raw))
        author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false"]
        for command in (
            ["init", "--quiet", "--template="],
            ["add", "--all"],
            [*author, "commit", "--quiet", "-m", "copy"],
        ):
            self.run(["git", *command])
        self.run(["dvc", "repro"])
        lock = self.lock()
        self.commands = {name: shlex.split(stage["cmd"]) for name, stage in lock["stages"].items()}
        (self.corpus,) = (self.root / outputs(lock, "fetch")[0]).iterdir()
        self.features = self.root / self.commands[NETWORK][self.commands[NETWORK].index("--features") + 1]

    def lock(self) -> Any:
        """Return the content of dvc.lock: each stage with its command, params filled in, and its paths."""
        return YAML(typ="safe").load(self.root / "dvc.lock")

    def run(self, command: list[str]) -> str:
        """Run a command in the copy and return what it writes to stdout; exit if it fails."""
        return run(command, self.root, self.environment)

    def timed(self, command: list[str]) -> tuple[float, str]:
        """Run a command; return the seconds from start to exit, and what it writes to stdout."""
        started = time.perf_counter()
        stdout = self.run(command)
        return time.perf_counter() - started, stdout


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command and return what it writes to stdout; if it fails, show what it wrote to stderr and exit."""
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        print(f"error: bench: {shlex.join(command)} must exit with 0; got {done.returncode}", file=sys.stderr)
        sys.exit(2)
    return done.stdout


def outputs(lock: Any, stage: str) -> list[str]:
    """Return the paths of a stage's outputs."""
    return [out["path"] for out in lock["stages"][stage]["outs"]]


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
        printed = project.run(["python", "benchmarks/bench.py", FIT_OPTION, str(project.features)])
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
    from textclf.models.keras import Settings
    from textclf.models.keras.build import import_keras
    from textclf.models.keras.training import fit

    settings = load_section("train.keras", Settings)
    parts = features.read(folder)
    import_keras()
    started = time.perf_counter()
    fit(parts["train"], parts[watched_split(parts)], settings)
    return time.perf_counter() - started


def machine() -> str:
    """Return processor, cores and versions; nothing that identifies the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (match := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        model = match[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras", "dvc")]
    return f"{model}, {cores} cores; {platform.system()}, Python {platform.python_version()}, {', '.join(versions)}"


def report(seconds: Seconds, stages: list[str]) -> str:
    """Return the tables in Markdown."""
    rows = [["seconds: median (minimum to maximum)", "plain script", "pipeline", "pipeline / plain"], ["---"] * 4]
    for what in ("whole", "fit"):
        plain, pipeline = seconds[f"plain {what}"], seconds[f"pipeline {what}"]
        ratios = [numerator / denominator for numerator, denominator in zip(pipeline, plain, strict=True)]
        rows.append([what, spread(plain), spread(pipeline), spread(ratios)])
    rows += [[], ["part", "seconds"], ["---"] * 2]
    rows.append(["plain script: imports", spread(seconds["plain imports"])])
    rows += [[f"pipeline: `{stage}`", spread(seconds[stage])] for stage in stages]
    rows.append(["pipeline: sum of the stages, each run alone", spread(seconds["stages"])])
    rows.append(["pipeline: DVC itself (whole minus stages)", spread(seconds["DVC"])])
    rows.append(["`dvc repro` with nothing to do", spread(seconds["nothing to do"])])
    return "\n".join(f"| {' | '.join(row)} |" if row else "" for row in rows)


def spread(values: list[float]) -> str:
    """Return median, minimum and maximum."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def tell(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
