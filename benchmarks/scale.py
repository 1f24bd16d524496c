"""What the pipeline takes at growing numbers of rows, in time, memory and disk: `make bench-scale`.

    python -m benchmarks.scale 100000 1000000 10000000 --plain-up-to 1000000
    python -m benchmarks.scale 100000 --models majority keras -S train.keras.batch_size=1000

For each number of rows: makes a corpus (benchmarks/corpus.py; not timed), times one plain scikit-learn script on it
(benchmarks/scale_plain.py), then one `dvc repro` in a fresh copy of the working tree, with nothing cached. Prints
Markdown. Ratios are taken within a number of rows. Each is run once: at these sizes a run is long, and what else the
machine does shows in the load that is printed.

A stage lasts from DVC's word that it runs it to its word that it runs the next: DVC's hashing of the outputs and its
copy of them in the cache are in it, and in a column of their own as far as they lie outside the stage's process. Memory
is the resident set of the processes that the command started, DVC's included, looked at every tenth of a second;
"together" counts a page that several share as often as they do. The largest process of the whole run is the kernel's
own count, which misses nothing. MB are 10^6 bytes.
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
import yaml

from benchmarks import bench

ROOT = Path(__file__).resolve().parent.parent
ROWS = [100_000, 1_000_000]
SETTINGS: dict[str, Any] = {
    "data.path": "corpus.csv",
    "split.method": "hash",
    "vectorize.max_features": 20_000,
    "gate.minimum": {},
    "gate.maximum_drop": {},
}
FORETOLD = (100_000_000, 1_000_000_000)
START = "DVC's start"  # what lies before the first stage
EVERY = 0.1  # seconds between two looks at memory
CACHE = Path(".dvc", "cache")
MADE = (Path("data"), Path("models"), Path("reports"), CACHE)
HEADER = ["seconds", "of it DVC", "rows/s", "largest process, MB", "together, MB", "written, MB", "test accuracy"]


@dataclass(frozen=True)
class Look:
    """What a command's processes hold at a time: bytes of the largest and of all; and whether it waits for another."""

    at: float
    largest: int
    together: int
    working: bool


@dataclass(frozen=True)
class Run:
    """A command that ended well: its seconds, the lines it wrote and when, the looks at it, its largest process."""

    seconds: float
    lines: list[tuple[float, str]]
    looks: list[Look]
    largest: int


@dataclass(frozen=True)
class Stage:
    """A part of a run: its seconds, those among them in which no process of the stage was there, and bytes at most."""

    name: str
    seconds: float
    waiting: float
    largest: int
    together: int


@dataclass(frozen=True)
class Whole:
    """What the pipeline took of so many rows: seconds, bytes of its largest process, bytes on disk in the end."""

    rows: int
    seconds: float
    largest: int
    disk: int


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure the pipeline at growing numbers of rows.")
    parser.add_argument(
        "rows", type=int, nargs="*", default=ROWS, help="how many, smallest first (default %(default)s)"
    )
    parser.add_argument("--models", nargs="+", default=["logistic_regression"], help="default: logistic_regression")
    parser.add_argument("-S", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="another param")
    parser.add_argument("--plain-up-to", type=int, default=1_000_000, help="rows that the plain script may hold")
    parser.add_argument("--fasttext", metavar="PYTHON", help="an interpreter that has fastText, to time it too")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    given = parser.parse_args()
    if min(given.rows) < 1 or len(set(given.rows)) < len(given.rows):
        parser.error(f"rows must be different numbers from 1; got {given.rows}")
    settings = SETTINGS | {"train.models": given.models}
    for setting in given.settings:
        key, equals, value = setting.partition("=")
        if not equals:
            parser.error(f"-S must be KEY=VALUE; got {setting}")
        settings[key] = yaml.safe_load(value)
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
            lines, whole = measure(Path(name), rows, settings, others)
        print(table(lines), end="\n\n", flush=True)
        measured.append(whole)
    print(table(growth(measured)))
    if len(measured) > 1:
        print("\nNot run, but computed from the growth between the two largest, on this machine:\n")
        print(table(foretold(measured)))


def measure(
    folder: Path, rows: int, settings: dict[str, Any], others: dict[str, tuple[str, str, int]]
) -> tuple[list[list[str]], Whole]:
    """The table of one number of rows, and what the pipeline took."""
    corpus = folder / "corpus.csv"
    bench.run([sys.executable, "-m", "benchmarks.corpus", str(rows), str(corpus)], ROOT, environment(ROOT))
    title = f"{rows:,} rows, {megabytes(corpus.stat().st_size)} MB of CSV"
    lines = [[title, *HEADER], ["---"] * (1 + len(HEADER))]
    beside, seconds = [], {}
    for name, (kind, python, most) in others.items():
        if rows <= most:
            script = ROOT / "benchmarks" / "scale_plain.py"
            bench.tell(f"{rows:,} rows: {name}")
            run = watch([python, str(script), kind, str(corpus)], folder, dict(os.environ))
            seconds[name] = run.seconds
            beside.append(line(name, rows, run, float(run.lines[-1][1])))
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
    lines += beside
    lines += [
        [f"pipeline / {name}", f"{run.seconds / of:.2f}", *[""] * (len(HEADER) - 1)] for name, of in seconds.items()
    ]
    held, kept = on_disk(project / made for made in MADE), on_disk([project / CACHE])
    last = f"on disk in the end: {megabytes(held)} MB, of which {megabytes(kept)} MB in DVC's cache"
    lines.append([f"{last}; load {os.getloadavg()[0]:.1f} after", *[""] * len(HEADER)])
    return lines, Whole(rows, run.seconds, run.largest, held)


def growth(measured: list[Whole]) -> list[list[str]]:
    """The table of what the pipeline took, a line a number of rows."""
    header = ["rows", "seconds", "rows/s", "microseconds a row", "largest process, MB", "on disk, MB"]
    lines = [header, ["---"] * len(header)]
    for whole in measured:
        cells = [f"{whole.rows:,}", f"{whole.seconds:.1f}", f"{whole.rows / whole.seconds:,.0f}"]
        cells += [f"{whole.seconds / whole.rows * 1e6:.1f}", megabytes(whole.largest), megabytes(whole.disk)]
        lines.append(cells)
    return lines


def foretold(measured: list[Whole]) -> list[list[str]]:
    """The table of what more rows would take if time and disk went on growing as they did at last."""
    before, last = sorted(measured, key=lambda whole: whole.rows)[-2:]
    lines = [["rows", "hours", "on disk, GB"], ["---"] * 3]
    for rows in FORETOLD:
        more = (rows - last.rows) / (last.rows - before.rows)
        hours = (last.seconds + more * (last.seconds - before.seconds)) / 3600
        lines.append([f"{rows:,}", f"{hours:.1f}", f"{(last.disk + more * (last.disk - before.disk)) / 1e9:,.0f}"])
    return lines


def environment(root: Path) -> dict[str, str]:
    """The environment of the commands of a copy of the project: its own code, the DVC and the Python of this run."""
    return os.environ | {
        "PATH": f"{bench.BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(root),
        "DVC_SITE_CACHE_DIR": str(root.parent / "dvc"),
    }


def prepare(project: Path, corpus: Path, settings: dict[str, Any]) -> None:
    """Copy what Git tracks or would track, with the corpus in it and the params set, in a repository of its own."""
    listed = bench.run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, dict(os.environ))
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():  # neither deleted nor a repository of its own
            (target := project / name).parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (project / SETTINGS["data.path"]).hardlink_to(corpus)
    given = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    for key, value in settings.items():
        *sections, last = key.split(".")
        place = given
        for section in sections:
            place = place[section]
        place[last] = value
    (project / "params.yaml").write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    (project / "dvc.lock").unlink(missing_ok=True)  # of another corpus
    bench.run(["git", "init", "--quiet", "--template="], project, environment(project))
    bench.run(["python", "-m", "compileall", "-q", "stages", "textclf"], project, environment(project))


def watch(command: list[str], folder: Path, variables: dict[str, str]) -> Run:
    """A command run and looked at until it ends; an exit with what it wrote if it fails."""
    looks: list[Look] = []
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
            watcher = threading.Thread(target=look, args=(psutil.Process(process.pid), started, looks, ended))
            watcher.start()
            lines = [(time.perf_counter() - started, text.rstrip("\n")) for text in process.stdout or ()]
            _, status, used = os.wait4(process.pid, 0)  # with what its own children used
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        if process.returncode:
            errors.seek(0)
            print(*(text for _, text in lines), errors.read(), sep="\n", file=sys.stderr)
            sys.exit(f"error: scale: {' '.join(command)} must exit with 0; got {process.returncode}")
    return Run(seconds, lines, looks, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def look(process: psutil.Process, started: float, looks: list[Look], ended: threading.Event) -> None:
    """Add a look at the process and those below it to `looks`, every tenth of a second until it has ended."""
    while not ended.wait(EVERY):
        sizes = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    sizes.append(member.memory_info().rss)
        if sizes:
            looks.append(Look(time.perf_counter() - started, max(sizes), sum(sizes), len(sizes) > 1))


def stages(run: Run) -> list[Stage]:
    """The stages of a `dvc repro` in the order in which they ran; the first begins with DVC's own start."""
    begun = [(at, found[1]) for at, text in run.lines if (found := re.match(r"Running stage '(.+)':", text))]
    begun.insert(0, (0.0, START))
    ends = [at for at, _ in begun[1:]] + [run.seconds]
    parts = []
    for (start, name), end in zip(begun, ends, strict=True):
        looks = [look for look in run.looks if start <= look.at < end]
        working = [look.at for look in looks if look.working]
        # A stage's process starts when DVC says so, and ends between two looks.
        waiting = end - max(working) - EVERY / 2 if working else end - start
        largest, together = (max((getattr(look, of) for look in looks), default=0) for of in ("largest", "together"))
        parts.append(Stage(name, end - start, max(waiting, 0.0), largest, together))
    return parts


def written(project: Path) -> dict[str, int]:
    """Bytes of each stage's outputs, as dvc.lock has them."""
    lock = yaml.safe_load((project / "dvc.lock").read_text(encoding="utf-8"))
    return {name: sum(out["size"] for out in stage.get("outs", [])) for name, stage in lock["stages"].items()}


def on_disk(folders: Iterable[Path]) -> int:
    """Bytes that the files in the folders take, one that has several names once."""
    found = [path.lstat() for folder in folders for path in folder.rglob("*")]
    return sum({status.st_ino: status.st_blocks * 512 for status in found}.values())


def line(name: str, rows: int, run: Run, accuracy: float, waiting: str = "", size: str = "") -> list[str]:
    """A line of the table about a whole run."""
    together = max((look.together for look in run.looks), default=0)
    cells = [f"{run.seconds:.1f}", waiting, f"{rows / run.seconds:,.0f}", megabytes(run.largest), megabytes(together)]
    return [name, *cells, size, f"{accuracy:.4f}"]


def megabytes(size: int) -> str:
    """Bytes as MB."""
    return f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:.1f}"


def table(lines: list[list[str]]) -> str:
    """Lines of cells as Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
