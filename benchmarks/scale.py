"""Time, memory and disk of the pipeline at growing numbers of rows: `make bench-scale`.

    python -m benchmarks.scale 1000000 --result benchmarks/results/scale-1000000.json
    python -m benchmarks.scale 100000 --models majority keras -S train.keras.batch_size=1000

Makes a corpus (benchmarks/corpus.py; not timed), times one plain scikit-learn script on it
(benchmarks/scale_plain.py), then one `dvc repro` in a fresh copy of the working tree, with an empty cache.
Prints Markdown. Everything runs once, because runs at these sizes are long; the load average before and after shows
whether the machine was otherwise idle.

A stage's time is from DVC's line that it runs the stage to its line that it runs the next. It includes DVC's hashing of
the outputs and copying them to the cache; the column "of it DVC" is the part outside the stage's process. Memory is
the resident set of all processes that the command started, DVC included, sampled every tenth of a second; "together"
counts a page that several processes share once for each. The largest process of the whole run is measured by the
kernel, without sampling. MB are 10^6 bytes.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

from benchmarks import bench, copies, runs, timings
from benchmarks.copies import ROOT
from textclf.core.settings import load_yaml, parse_yaml

SETTINGS: dict[str, Any] = {
    "data.path": "corpus.csv",
    "split.method": "hash",
    "vectorize.words.max_features": 20_000,
    "gate.minimum": {},
    "gate.maximum_drop": {},
}
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


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure the pipeline with many rows.")
    parser.add_argument("rows", type=int, help="number of rows")
    parser.add_argument("--models", nargs="+", default=["logistic_regression"], help="default: logistic_regression")
    parser.add_argument("-S", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="set a parameter")
    parser.add_argument("--plain-up-to", type=int, default=1_000_000, help="most rows for the plain script")
    parser.add_argument("--fasttext", metavar="PYTHON", help="a Python with fastText, to time it too")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--result", type=Path, help="a JSON file to write the measurements to")
    given = parser.parse_args()
    if given.rows < 1:
        parser.error(f"rows must be at least 1; got {given.rows}")
    settings = SETTINGS | {"train.models": given.models}
    for setting in given.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            parser.error(f"-S must be KEY=VALUE; got {setting}")
        settings[key] = parse_yaml(f"value: {value}", f"-S {key}")["value"]
    others = {"plain scikit-learn script": ("sklearn", sys.executable)} if given.rows <= given.plain_up_to else {}
    if given.fasttext:
        others["fastText"] = ("fasttext", str(Path(given.fasttext).absolute()))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="textclf-scale-", dir=given.folder) as name:
        content = measure(Path(name), given.rows, settings, others)
    content |= timings.environment(load) | {"settings": {key: value for key, value in settings.items() if value != {}}}
    content["memory"] = megabytes(psutil.virtual_memory().total)
    timings.write(given.result, content)
    print(timings.scale(content))


def measure(folder: Path, rows: int, settings: dict[str, Any], others: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the measurements with one number of rows: seconds, and sizes in MB."""
    corpus = folder / "corpus.csv"
    copies.run([sys.executable, "-m", "benchmarks.corpus", str(rows), str(corpus)], ROOT, os.environ)
    compared = []
    for name, (kind, python) in others.items():
        script = ROOT / "benchmarks" / "scale_plain.py"
        bench.tell(f"{rows:,} rows: {name}")
        run = watch([python, str(script), kind, str(corpus)], folder, dict(os.environ))
        compared.append({"name": name, "accuracy": float(run.lines[-1][1]), **whole(run)})
    project = folder / "project"
    variables = prepare(project, corpus, settings)
    bench.tell(f"{rows:,} rows: dvc repro")
    run = watch(["dvc", "repro"], project, variables)
    sizes = written(project)
    parts = [
        {
            "name": stage.name,
            "seconds": round(stage.seconds, 1),
            "waiting": round(stage.waiting, 1),
            "largest": megabytes(stage.largest),
            "together": megabytes(stage.together),
            "written": megabytes(sizes.get(stage.name, 0)),
        }
        for stage in stages(run)
    ]
    evaluation = json.loads((project / "metrics" / "evaluation.json").read_text(encoding="utf-8"))
    total = {
        "accuracy": evaluation[settings["train.models"][-1]]["test"]["accuracy"],
        "waiting": round(sum(stage.waiting for stage in stages(run)), 1),
        "written": megabytes(sum(sizes.values())),
        "disk": megabytes(on_disk(project / output for output in OUTPUTS)),
        "cache": megabytes(on_disk([project / CACHE])),
        **whole(run),
    }
    size = megabytes(corpus.stat().st_size)
    return {"rows": rows, "csv": size, "parts": parts, "pipeline": total, "others": compared}


def whole(run: Run) -> dict[str, float]:
    """Return the seconds of a whole run, and its memory in MB."""
    together = max((sample.together for sample in run.samples), default=0)
    return {"seconds": round(run.seconds, 1), "largest": megabytes(run.largest), "together": megabytes(together)}


def prepare(project: Path, corpus: Path, settings: dict[str, Any]) -> dict[str, str]:
    """Copy the project, with the corpus and the given params; return the environment for commands in the copy."""
    variables = copies.make_copy(project)
    (project / SETTINGS["data.path"]).hardlink_to(corpus)
    params = load_yaml(project / "params.yaml")
    for key, value in settings.items():
        runs.set_param(params, key, value)
    (project / "params.yaml").write_text(json.dumps(params, indent=2), encoding="utf-8")  # JSON is YAML
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
    main()
