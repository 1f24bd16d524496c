"""Time and memory of a command, and of each stage of a `dvc repro`.

A stage's time is from DVC's line that it runs the stage to its line that it runs the next. It
includes DVC's hashing of the outputs and copying them to the cache; `waiting` is the part outside
the stage's process. Memory is the resident set of all processes that the command started, DVC
included, sampled every tenth of a second. The largest process of the whole run is measured by the
kernel, without sampling. MB are 10^6 bytes.
"""

import contextlib
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

import psutil  # type: ignore[import-untyped, unused-ignore]

from benchmarks.timings import START

INTERVAL = 0.1  # seconds between two samples of memory


@dataclass(frozen=True)
class Sample:
    """Bytes of a command's largest process at one time; `working` if it has child processes."""

    at: float
    largest: int
    working: bool


@dataclass(frozen=True)
class Run:
    """A successful command: printed lines and their times, samples, largest process's bytes."""

    seconds: float
    lines: list[tuple[float, str]]
    samples: list[Sample]
    largest: int


@dataclass(frozen=True)
class Stage:
    """A stage of a run: seconds, those without its process, and its largest process's bytes."""

    name: str
    seconds: float
    waiting: float
    largest: int


def watch(command: list[str], folder: Path, variables: dict[str, str]) -> Run:
    """Run a command, sample its memory and return the run; print the output and exit on failure."""
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
            watcher = threading.Thread(
                target=sample, args=(psutil.Process(process.pid), started, samples, ended)
            )
            watcher.start()
            lines = [
                (time.perf_counter() - started, text.rstrip("\n")) for text in process.stdout or ()
            ]
            _, status, used = os.wait4(process.pid, 0)  # includes its children
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        if process.returncode:
            errors.seek(0)
            print(
                *(f"{at:.1f} s: {text}" for at, text in lines),
                errors.read(),
                sep="\n",
                file=sys.stderr,
            )
            sys.exit(
                f"error: benchmark: {' '.join(command)} must exit with 0; got {process.returncode}"
            )
    return Run(seconds, lines, samples, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def sample(
    process: psutil.Process, started: float, samples: list[Sample], ended: threading.Event
) -> None:
    """Append a sample of the process and its descendants every 0.1 seconds until it has ended."""
    while not ended.wait(INTERVAL):
        sizes = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    sizes.append(member.memory_info().rss)
        if sizes:
            samples.append(Sample(time.perf_counter() - started, max(sizes), len(sizes) > 1))


def stages(run: Run) -> list[Stage]:
    """Return the stages of a `dvc repro` in the order in which they ran, after DVC's own start."""
    starts = [
        (at, match[1])
        for at, text in run.lines
        if (match := re.match(r"Running stage '(.+)':", text))
    ]
    starts.insert(0, (0.0, START))
    ends = [at for at, _ in starts[1:]] + [run.seconds]
    parts = []
    for (start, name), end in zip(starts, ends, strict=True):
        samples = [sample for sample in run.samples if start <= sample.at < end]
        working = [sample.at for sample in samples if sample.working]
        # A stage's process starts when DVC prints that it runs the stage, and ends between two
        # samples.
        waiting = end - max(working) - INTERVAL / 2 if working else end - start
        largest = max((sample.largest for sample in samples), default=0)
        parts.append(Stage(name, end - start, max(waiting, 0.0), largest))
    return parts


def on_disk(folders: Iterable[Path]) -> int:
    """Return the bytes on disk of the folders' files; a file with hard links counts once."""
    entries = [path.lstat() for folder in folders for path in folder.rglob("*")]
    return sum({status.st_ino: status.st_blocks * 512 for status in entries}.values())


def megabytes(size: int) -> float:
    """Return bytes as MB, rounded as the tables show them: whole numbers from 10 on."""
    return round(size / 1e6) if size >= 1e7 else round(size / 1e6, 1)
