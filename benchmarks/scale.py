"""Time, memory and disk of the pipeline at growing numbers of rows: `make bench-scale`.

    python -m benchmarks.scale 100000 1000000 10000000 --plain-up-to 1000000
    python -m benchmarks.scale 100000 --models majority keras -S train.keras.batch_size=1000

For each number of rows: makes a corpus (benchmarks/corpus.py; not timed), times one plain scikit-learn script on it
(benchmarks/scale_plain.py), then one `dvc repro` in a fresh copy of the working tree, with an empty cache. Prints
Markdown. Ratios compare runs with the same number of rows. Everything runs once, because runs at these sizes are long;
the load average before and after shows whether the machine was otherwise idle.

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

from benchmarks import bench
from textclf.core.settings import load_yaml, parse_yaml

ROOT = Path(__file__).resolve().parent.parent
ROWS = [100_000, 1_000_000]
SETTINGS: dict[str, Any] = {
    "data.path": "corpus.csv",
    "split.method": "hash",
    "vectorize.max_features": 20_000,
    "gate.minimum": {},
    "gate.maximum_drop": {},
}
EXTRAPOLATED = (100_000_000, 1_000_000_000)
START = "DVC's start"  # the time before the first stage
INTERVAL = 0.1  # seconds between two samples of memory
CACHE = Path(".dvc", "cache")
OUTPUTS = (Path("data"), Path("models"), Path("reports"), CACHE)
HEADER = ["seconds", "of it DVC", "rows/s", "largest process, MB", "together, MB", "written, MB", "test accuracy"]


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


@dataclass(frozen=True)
class Total:
    """The pipeline at one number of rows: seconds, bytes of its largest process, bytes on disk at the end."""

    rows: int
    seconds: float
    largest: int
    disk: int


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure the pipeline at growing numbers of rows.")
    parser.add_argument(
        "rows", type=int, nargs="*", default=ROWS, help="numbers of rows, smallest first (default %(default)s)"
    )
    parser.add_argument("--models", nargs="+", default=["logistic_regression"], help="default: logistic_regression")
    parser.add_argument("-S", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="set a parameter")
    parser.add_argument("--plain-up-to", type=int, default=1_000_000, help="most rows for the plain script")
    parser.add_argument("--fasttext", metavar="PYTHON", help="a Python with fastText, to time it too")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    given = parser.parse_args()
    if min(given.rows) < 1 or len(set(given.rows)) < len(given.rows):
        parser.error(f"rows must be distinct positive numbers; got {given.rows}")
    settings = SETTINGS | {"train.models": given.models}
    for setting in given.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            parser.error(f"-S must be KEY=VALUE; got {setting}")
        settings[key] = parse_yaml(f"value: {value}", f"-S {key}")["value"]
    others = {"plain scikit-learn script": ("sklearn", sys.executable, given.plain_up_to)}
    if given.fasttext:
        others["fastText"] = ("fasttext", str(Path(given.fasttext).absolute()), max(given.rows))
    load = os.getloadavg()[0]
    print(
        f"{bench.machine()}; {psutil.virtual_memory().total / 1e9:.0f} GB of memory; load {load:.1f} before.", end=" "
    )
    print(f"Params: {', '.join(f'{key}={value}' for key, value in settings.items() if value != {})}.\n", flush=True)
    measured = []
    for rows in given.rows:
        with tempfile.TemporaryDirectory(prefix="textclf-scale-", dir=given.folder) as name:
            lines, total = measure(Path(name), rows, settings, others)
        print(table(lines), end="\n\n", flush=True)
        measured.append(total)
    print(table(growth(measured)))
    if len(measured) > 1:
        print("\nNot run, but extrapolated from the two largest, on this machine:\n")
        print(table(extrapolate(measured)))


def measure(
    folder: Path, rows: int, settings: dict[str, Any], others: dict[str, tuple[str, str, int]]
) -> tuple[list[list[str]], Total]:
    """Return the table of one number of rows, and the totals of the pipeline."""
    corpus = folder / "corpus.csv"
    bench.run([sys.executable, "-m", "benchmarks.corpus", str(rows), str(corpus)], ROOT, environment(ROOT))
    title = f"{rows:,} rows, {megabytes(corpus.stat().st_size)} MB of CSV"
    lines = [[title, *HEADER], ["---"] * (1 + len(HEADER))]
    other_lines, seconds = [], {}
    for name, (kind, python, most) in others.items():
        if rows <= most:
            script = ROOT / "benchmarks" / "scale_plain.py"
            bench.tell(f"{rows:,} rows: {name}")
            run = watch([python, str(script), kind, str(corpus)], folder, dict(os.environ))
            seconds[name] = run.seconds
            other_lines.append(line(name, rows, run, float(run.lines[-1][1])))
    project = folder / "project"
    prepare(project, corpus, settings)
    bench.tell(f"{rows:,} rows: dvc repro")
    run = watch(["dvc", "repro"], project, environment(project))
    sizes = written(project)
    for stage in stages(run):
        rate = "" if stage.name == START else f"{rows / stage.seconds:,.0f}"
        cells = [f"{stage.seconds:.1f}", f"{stage.waiting:.1f}", rate]
        cells += [megabytes(stage.largest), megabytes(stage.together), megabytes(sizes.get(stage.name, 0)), ""]
        lines.append([stage.name if stage.name == START else f"`{stage.name}`", *cells])
    evaluation = json.loads((project / "metrics" / "evaluation.json").read_text(encoding="utf-8"))
    accuracy = evaluation[settings["train.models"][-1]]["test"]["accuracy"]
    waiting = sum(stage.waiting for stage in stages(run))
    lines.append(
        line("**pipeline, end to end**", rows, run, accuracy, f"{waiting:.1f}", megabytes(sum(sizes.values())))
    )
    lines += other_lines
    lines += [
        [f"pipeline / {name}", f"{run.seconds / of:.2f}", *[""] * (len(HEADER) - 1)] for name, of in seconds.items()
    ]
    disk, cache = on_disk(project / output for output in OUTPUTS), on_disk([project / CACHE])
    summary = f"on disk at the end: {megabytes(disk)} MB, of which {megabytes(cache)} MB in DVC's cache"
    lines.append([f"{summary}; load {os.getloadavg()[0]:.1f} after", *[""] * len(HEADER)])
    return lines, Total(rows, run.seconds, run.largest, disk)


def growth(measured: list[Total]) -> list[list[str]]:
    """Return the table of totals, one line per number of rows."""
    header = ["rows", "seconds", "rows/s", "microseconds per row", "largest process, MB", "on disk, MB"]
    lines = [header, ["---"] * len(header)]
    for total in measured:
        cells = [f"{total.rows:,}", f"{total.seconds:.1f}", f"{total.rows / total.seconds:,.0f}"]
        cells += [f"{total.seconds / total.rows * 1e6:.1f}", megabytes(total.largest), megabytes(total.disk)]
        lines.append(cells)
    return lines


def extrapolate(measured: list[Total]) -> list[list[str]]:
    """Return the table of hours and disk for more rows, linear in the growth between the two largest measured."""
    before, last = sorted(measured, key=lambda total: total.rows)[-2:]
    lines = [["rows", "hours", "on disk, GB"], ["---"] * 3]
    for rows in EXTRAPOLATED:
        more = (rows - last.rows) / (last.rows - before.rows)
        hours = (last.seconds + more * (last.seconds - before.seconds)) / 3600
        lines.append([f"{rows:,}", f"{hours:.1f}", f"{(last.disk + more * (last.disk - before.disk)) / 1e9:,.0f}"])
    return lines


def environment(root: Path) -> dict[str, str]:
    """Return the environment for commands in a copy of the project: its code, and the DVC and Python of this run."""
    return os.environ | {
        "PATH": f"{bench.BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(root),
        "DVC_SITE_CACHE_DIR": str(root.parent / "dvc"),
    }


def prepare(project: Path, corpus: Path, settings: dict[str, Any]) -> None:
    """Make a Git repository of the files that Git tracks or would track, with the corpus and the given params."""
    listed = bench.run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, dict(os.environ))
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():  # neither deleted nor a nested repository
            (target := project / name).parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (project / SETTINGS["data.path"]).hardlink_to(corpus)
    params = load_yaml(project / "params.yaml")
    for key, value in settings.items():
        *sections, name = key.split(".")
        section = params
        for section_name in sections:
            section = section.setdefault(section_name, {})
        section[name] = value
    (project / "params.yaml").write_text(json.dumps(params, indent=2), encoding="utf-8")  # JSON is YAML
    (project / "dvc.lock").unlink(missing_ok=True)  # of another corpus
    bench.run(["git", "init", "--quiet", "--template="], project, environment(project))
    bench.run(["python", "-m", "compileall", "-q", "stages", "textclf"], project, environment(project))


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


def line(name: str, rows: int, run: Run, accuracy: float, waiting: str = "", size: str = "") -> list[str]:
    """Return the cells of a whole run."""
    together = max((sample.together for sample in run.samples), default=0)
    cells = [f"{run.seconds:.1f}", waiting, f"{rows / run.seconds:,.0f}", megabytes(run.largest), megabytes(together)]
    return [name, *cells, size, f"{accuracy:.4f}"]


def megabytes(size: int) -> str:
    """Format bytes as MB."""
    return f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:.1f}"


def table(lines: list[list[str]]) -> str:
    """Return lines of cells as a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
