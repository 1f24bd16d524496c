"""How long the pipeline takes beside the lesson as one plain script: `make bench`.

    python benchmarks/bench.py --rounds 3

Works in a fresh copy of the working tree, on the corpus and under the params that stand there; against the
plain script they should be the lesson's. Every round times, in processes of their own, the plain script and
the forced pipeline (the first of them by turns), the pipeline's fit alone, a `dvc repro` that has nothing to
do, and each stage as its command alone. Prints Markdown: median, least and most; ratios are taken within a
round.

"Whole" is a process from its start to its exit. "Fit" is, on both sides, what lies between the imports and
the trained network: it is built, compiled and fitted with the test rows watched, and the plain script prints
its summary. So the import of TensorFlow counts in neither; its first operation, the tracing and, in the
pipeline, the compilation by XLA do; reading the features and predicting do not.
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

import yaml

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FIT_OPTION = "--fit"  # this file times the fit itself in the fresh process that it starts with this option
NETWORK = "train@keras"  # the stage of the lesson's network, as DVC addresses it

Seconds = dict[str, list[float]]  # what was timed, a number a round


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Time the pipeline against the lesson as one plain script.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed (default 3)")
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
    """A copy of the working tree in a repository of its own, its pipeline run once.

    `commands` are the stages' own, by DVC's name of the stage, in the order of dvc.lock; `corpus` is the file
    that fetch brings, `features` the folder that the network is trained on.
    """

    def __init__(self, folder: Path) -> None:
        """Copy what Git tracks or would track, commit it, and run the pipeline so that all inputs are there."""
        self.root = folder / "project"
        self.root.mkdir()
        self.figure = folder / "history.png"
        # The stages import the copy's textclf, not the installed one; DVC's site cache goes with the copy.
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(self.root),
            "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        }
        listed = run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, self.environment)
        for name in filter(None, listed.split("\0")):
            if (source := ROOT / name).is_file():  # neither deleted nor a repository of its own
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
        (self.features,) = (p for d in lock["stages"][NETWORK]["deps"] if (p := self.root / d["path"]).is_dir())

    def lock(self) -> Any:
        """What dvc.lock holds: every command with its params filled in, every path."""
        return yaml.safe_load((self.root / "dvc.lock").read_text(encoding="utf-8"))

    def run(self, command: list[str]) -> str:
        """What a command that is run in the copy writes to stdout; an exit if it fails."""
        return run(command, self.root, self.environment)

    def timed(self, command: list[str]) -> tuple[float, str]:
        """Seconds from the start of a process to its exit, and what it writes to stdout."""
        started = time.perf_counter()
        stdout = self.run(command)
        return time.perf_counter() - started, stdout


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command writes to stdout; an exit with what it wrote to stderr if it fails."""
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        print(f"error: bench: {shlex.join(command)} must exit with 0; got {done.returncode}", file=sys.stderr)
        sys.exit(2)
    return done.stdout


def outputs(lock: Any, stage: str) -> list[str]:
    """Paths of a stage's outputs."""
    return [out["path"] for out in lock["stages"][stage]["outs"]]


def measure(project: Project, seconds: Seconds, *, pipeline_first: bool) -> None:
    """Time everything once, and add it to `seconds`."""

    def plain() -> None:
        script = project.root / "benchmarks" / "plain.py"
        whole, printed = project.timed(["python", str(script), str(project.corpus), str(project.figure)])
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
    """Seconds of the network's fit as the stage calls it, once TensorFlow is imported."""
    from textclf import params
    from textclf.models import keras as network
    from textclf.vectorize import features

    settings = params.load().train.keras
    parts = features.read(folder)
    network.load_keras()
    started = time.perf_counter()
    network.fit(parts["train"], parts.get("validation", parts["test"]), settings)
    return time.perf_counter() - started


def machine() -> str:
    """Processor, cores and versions; nothing that names the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        model = found[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras", "dvc")]
    return f"{model}, {cores} cores; {platform.system()}, Python {platform.python_version()}, {', '.join(versions)}"


def report(seconds: Seconds, stages: list[str]) -> str:
    """The tables."""
    rows = [["seconds: median (least to most)", "plain script", "pipeline", "pipeline / plain"], ["---"] * 4]
    for what in ("whole", "fit"):
        plain, pipeline = seconds[f"plain {what}"], seconds[f"pipeline {what}"]
        ratios = [ours / theirs for ours, theirs in zip(pipeline, plain, strict=True)]
        rows.append([what, spread(plain), spread(pipeline), spread(ratios)])
    rows += [[], ["where they go", "seconds"], ["---"] * 2]
    rows.append(["plain script: imports", spread(seconds["plain imports"])])
    rows += [[f"pipeline: `{stage}`", spread(seconds[stage])] for stage in stages]
    rows.append(["pipeline: all stages, each run alone", spread(seconds["stages"])])
    rows.append(["pipeline: DVC itself (the whole less the stages)", spread(seconds["DVC"])])
    rows.append(["`dvc repro` with nothing to do", spread(seconds["nothing to do"])])
    return "\n".join(f"| {' | '.join(row)} |" if row else "" for row in rows)


def spread(values: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def tell(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
