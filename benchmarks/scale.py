"""Time, memory and disk of the pipeline at growing numbers of rows: `make bench`.

    python -m benchmarks.scale scale-100000 scale-1000000
    FASTTEXT=/tmp/fasttext/bin/python python -m benchmarks.scale scale-10000000

Makes a corpus (benchmarks/corpus.py; not timed), times one plain scikit-learn script on it (benchmarks/scale_plain.py),
fastText if the environment variable FASTTEXT names a Python that has it, then one `dvc repro` in a fresh copy of the
working tree, with an empty cache; then, in the same copy, runs with other settings of the words (`VARIANTS`), whose
seconds are those of the stages that run again.
Prints Markdown. With several rounds, the ratios are computed within a round, and the stages are those of the round
with the median time. The load average before and after shows whether the machine was otherwise idle.

A stage's time is from DVC's line that it runs the stage to its line that it runs the next. It includes DVC's hashing of
the outputs and copying them to the cache; the column "of it DVC" is the part outside the stage's process. Memory is
the resident set of all processes that the command started, DVC included, sampled every tenth of a second; "together"
counts a page that several processes share once for each. The largest process of the whole run is measured by the
kernel, without sampling. MB are 10^6 bytes.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

from benchmarks import project as copies
from benchmarks import results, timings
from benchmarks.results import ROOT
from textclf.core import files
from textclf.core.settings import load_yaml
from textclf.evaluate.intervals import wilson

MODEL = "logistic_regression"
SETTINGS: dict[str, Any] = copies.train(MODEL) | {
    "export.model": MODEL,
    "data.path": "corpus.csv",
    "split.method": "hash",
    "vectorize.words.max_features": 20_000,
}
# What fastText reads: whatever stands between spaces, as it is written; then also pairs of such words.
SPLIT_AT_SPACES = {"vectorize.words.token_pattern": r"\S+", "vectorize.words.lowercase": False}
VARIANTS: dict[str, dict[str, Any]] = {
    "words split at spaces": SPLIT_AT_SPACES,
    "words split at spaces, and pairs of them, hashed": SPLIT_AT_SPACES
    | {
        "vectorize.words.ngram_range": [1, 2],
        "vectorize.words.max_features": None,
        "vectorize.words.hashing": 2**20,
    },
}
SIZES = (100_000, 1_000_000, 10_000_000)  # rows
MANY = 1_000_000  # rows beyond which a run takes minutes
CONFIDENCE = 0.95  # of the intervals of the accuracies
START = timings.START
INTERVAL = 0.1  # seconds between two samples of memory
CACHE = Path(".dvc", "cache")
OUTPUTS = (Path("data"), Path("models"), Path("reports"), CACHE)


@dataclass(frozen=True)
class Sample:
    """Memory of a command's processes at one time, in bytes, and whether the command has child processes."""

    at: float
    largest: int
    together: int
    working: bool


@dataclass(frozen=True)
class Run:
    """A successful command: its printed lines with their times, samples, and bytes of its largest process."""

    seconds: float
    lines: list[tuple[float, str]]
    samples: list[Sample]
    largest: int


@dataclass(frozen=True)
class Stage:
    """A stage of a run: its seconds, the seconds without a process of the stage, and bytes at the peak."""

    name: str
    seconds: float
    waiting: float
    largest: int
    together: int


def scale(rows: int) -> dict[str, Any]:
    """Return the measurements with one number of rows: seconds, and sizes in MB."""
    others = {"plain scikit-learn script": ("sklearn", sys.executable)} if rows <= MANY else {}
    if fasttext := os.environ.get("FASTTEXT"):
        others["fastText"] = ("fasttext", str(Path(fasttext).absolute()))
    with tempfile.TemporaryDirectory(prefix="textclf-scale-") as name:
        return measure(Path(name), rows, others, 3 if rows <= MANY else 1)


def measure(folder: Path, rows: int, others: dict[str, tuple[str, str]], rounds: int) -> dict[str, Any]:
    """Return the measurements, made in a folder, beside those of other programs: their kind and their Python."""
    corpus = folder / "corpus.csv"
    copies.run([sys.executable, "-m", "benchmarks.corpus", str(rows), str(corpus)], ROOT, os.environ)
    measured = []
    for number in range(rounds):
        results.tell(f"{rows:,} rows, round {number + 1} of {rounds}")
        compared = [compare(name, *others[name], corpus) for name in others]
        measured.append({**run_pipeline(folder / f"project-{number}", corpus), "others": compared})
        if number < rounds - 1:  # disk
            shutil.rmtree(folder / f"project-{number}")
    content = median_round(measured)
    project = folder / f"project-{rounds - 1}"
    content["variants"] = [
        run_variant(project, SETTINGS | changes) | {"name": name} for name, changes in VARIANTS.items()
    ]
    settings = {key: value for key, value in SETTINGS.items() if isinstance(value, str | int)}
    sizes = {"csv": megabytes(corpus.stat().st_size), "rows": rows}
    return content | sizes | {"rounds": rounds, "settings": settings}


def median_round(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the round whose pipeline took the median time, with the ratios of all rounds to the other programs."""
    ratios = [
        {other["name"]: each["pipeline"]["seconds"] / other["seconds"] for other in each["others"]} for each in measured
    ]
    middle = sorted(measured, key=lambda each: float(each["pipeline"]["seconds"]))[(len(measured) - 1) // 2]
    return middle | {"ratios": {name: results.spread([each[name] for each in ratios]) for name in ratios[0]}}


def compare(name: str, kind: str, python: str, corpus: Path) -> dict[str, Any]:
    """Return the measurements of another program of benchmarks/scale_plain.py."""
    run = watch(
        [python, str(ROOT / "benchmarks" / "scale_plain.py"), kind, str(corpus)], corpus.parent, dict(os.environ)
    )
    accuracy, tested = run.lines[-1][1].split()
    return {"name": name, "accuracy": float(accuracy), "interval": interval(float(accuracy), int(tested)), **whole(run)}


def interval(accuracy: float, rows: int) -> list[float]:
    """Return the Wilson interval of an accuracy on so many rows."""
    return [round(end, 6) for end in wilson(accuracy * rows, rows, CONFIDENCE)]


def run_pipeline(project: Path, corpus: Path, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the measurements of `dvc repro` in a fresh copy of the project, with some of the `SETTINGS` changed."""
    run = watch(["dvc", "repro"], project, prepare(project, corpus, SETTINGS | dict(changes or {})))
    sizes = written(project)
    parts = [
        {
            "name": stage.name,
            "seconds": round(stage.seconds, 2),
            "waiting": round(stage.waiting, 2),
            "largest": megabytes(stage.largest),
            "together": megabytes(stage.together),
            "written": megabytes(sizes.get(stage.name, 0)),
        }
        for stage in stages(run)
    ]
    total = {
        **accuracy_of(project),
        "waiting": round(sum(stage.waiting for stage in stages(run)), 2),
        "written": megabytes(sum(sizes.values())),
        "disk": megabytes(on_disk(project / output for output in OUTPUTS)),
        "cache": megabytes(on_disk([project / CACHE])),
        **whole(run),
    }
    return {"parts": parts, "pipeline": total}


def run_variant(project: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the measurements of `dvc repro` with other settings, where the pipeline has run before."""
    copies.write_params(project, settings)
    run = watch(["dvc", "repro"], project, copies.variables(project))
    return {**accuracy_of(project), **whole(run)}


def accuracy_of(project: Path) -> dict[str, Any]:
    """Return the test accuracy of the model, and its interval."""
    found, ends = (
        files.read_json(project / "metrics" / f"{name}.json")[MODEL]["test"] for name in ("evaluation", "intervals")
    )
    return {"accuracy": found["accuracy"], "interval": [ends["accuracy"][end] for end in ("low", "high")]}


def whole(run: Run) -> dict[str, float]:
    """Return the seconds of a whole run, and its memory in MB."""
    together = max((sample.together for sample in run.samples), default=0)
    return {"seconds": round(run.seconds, 2), "largest": megabytes(run.largest), "together": megabytes(together)}


def prepare(project: Path, corpus: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Copy the project, with the corpus and the settings; return the environment for commands in the copy."""
    variables = copies.make_copy(project)
    (project / SETTINGS["data.path"]).hardlink_to(corpus)
    copies.write_params(project, settings)
    (project / "dvc.lock").unlink(missing_ok=True)  # of another corpus
    copies.run(["python", "-m", "compileall", "-q", "stages", "textclf"], project, variables)
    return variables


def watch(command: list[str], folder: Path, variables: dict[str, str]) -> Run:
    """Run a command, sample its memory until it ends, and return the run; print its output and exit if it fails."""
    samples: list[Sample] = []
    ended = threading.Event()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        started = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process:
            watcher = threading.Thread(target=sample, args=(psutil.Process(process.pid), started, samples, ended))
            watcher.start()
            lines = [(time.perf_counter() - started, text.rstrip("\n")) for text in process.stdout or ()]
            _, status, used = os.wait4(process.pid, 0)  # includes its children
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        if process.returncode:
            errors.seek(0)
            print(*(text for _, text in lines), errors.read(), sep="\n", file=sys.stderr)
            sys.exit(f"error: scale: {' '.join(command)} must exit with 0; got {process.returncode}")
    return Run(seconds, lines, samples, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def sample(process: psutil.Process, started: float, samples: list[Sample], ended: threading.Event) -> None:
    """Append a sample of the process and its descendants to `samples` every tenth of a second until it has ended."""
    while not ended.wait(INTERVAL):
        sizes = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    sizes.append(member.memory_info().rss)
        if sizes:
            samples.append(Sample(time.perf_counter() - started, max(sizes), sum(sizes), len(sizes) > 1))


def stages(run: Run) -> list[Stage]:
    """Return the stages of a `dvc repro` in the order in which they ran, after DVC's own start."""
    starts = [(at, match[1]) for at, text in run.lines if (match := re.match(r"Running stage '(.+)':", text))]
    starts.insert(0, (0.0, START))
    ends = [at for at, _ in starts[1:]] + [run.seconds]
    parts = []
    for (start, name), end in zip(starts, ends, strict=True):
        samples = [sample for sample in run.samples if start <= sample.at < end]
        working = [sample.at for sample in samples if sample.working]
        # A stage's process starts when DVC prints that it runs the stage, and ends between two samples.
        waiting = end - max(working) - INTERVAL / 2 if working else end - start
        largest = max((sample.largest for sample in samples), default=0)
        together = max((sample.together for sample in samples), default=0)
        parts.append(Stage(name, end - start, max(waiting, 0.0), largest, together))
    return parts


def written(project: Path) -> dict[str, int]:
    """Return the bytes of each stage's outputs, from dvc.lock."""
    lock = load_yaml(project / "dvc.lock")
    return {name: sum(out["size"] for out in stage.get("outs", [])) for name, stage in lock["stages"].items()}


def on_disk(folders: Iterable[Path]) -> int:
    """Return the bytes of disk that the files in the folders use; a file with several hard links counts once."""
    entries = [path.lstat() for folder in folders for path in folder.rglob("*")]
    return sum({status.st_ino: status.st_blocks * 512 for status in entries}.values())


def megabytes(size: int) -> float:
    """Return bytes as MB, rounded as the tables show them: whole numbers from 10 on."""
    return round(size / 1e6) if size >= 1e7 else round(size / 1e6, 1)


if __name__ == "__main__":
    results.main({f"scale-{rows}": partial(scale, rows) for rows in SIZES}, timings.scale)
