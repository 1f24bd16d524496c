"""What more workers would gain: the tasks of each stage, timed one by one on one core.

    python -m benchmarks.makespan

Makes 10,000,000 rows (benchmarks/corpus.py) and runs the pipeline once in a fresh copy of the
working tree. Then each stage runs again by itself, without DVC: on one core, where its tasks run
one after the other in its own process and are timed; and on one and on two cores, as it always
runs.

A stage's time with more workers is computed from its tasks: each goes, in order, to the worker that
is free first, and the next kind of task starts when the last has ended. What the stage does outside
tasks stays serial. Not in it: the speed of a shared disk, and what tasks slow each other down; the
runs on two cores show how much that is. For a billion rows, there are a hundred times the tasks,
and the serial part is a hundred times as long, as if all of it grew with the rows.
"""

import heapq
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import project as copies
from benchmarks import results, timings
from benchmarks.scale import MODEL, make_corpus, prepare
from textclf.core import stage, workers

T = TypeVar("T")

ROWS = 10_000_000
STAGES = {
    "split": "split",
    "vectorize": "vectorize@words",
    "train": f"train@{MODEL}",
    "evaluate": "evaluate",
    "export": "export",
    "report": "report",
}
WORKERS = (1, 2, 8, 64, 512)
CHECKED = (1, 2)  # cores on which the stages are run, too
LARGER = 100  # times as many rows: a billion
RECORD = "--record"  # starts this script in a process that runs a stage and times its tasks

recorded: list[list[float]] = []  # seconds of the tasks of each call of `Pool.map` and `Kept.sum`


def measure() -> dict[str, Any]:
    """Return the seconds of the stages by number of workers: as computed, and by the clock."""
    with tempfile.TemporaryDirectory(prefix="textclf-makespan-") as name:
        corpus, project = Path(name, "corpus.csv"), Path(name, "project")
        make_corpus(ROWS, corpus)
        variables = prepare(project, corpus)
        copies.run(["dvc", "repro"], project, variables)
        stages = [measure_stage(name, project, variables) for name in STAGES]
    return {"rows": ROWS, "workers": WORKERS, "larger": LARGER, "stages": stages}


def measure_stage(name: str, project: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Return what one stage takes on the cores of `CHECKED`, and would take with `WORKERS`."""
    results.tell(f"measure {name}")
    variables = variables | {"DVC_STAGE": STAGES[name], "MAKESPAN": str(project / "tasks.json")}
    command = [sys.executable, "-m", "benchmarks.makespan", RECORD, name]
    seconds = timed(command, project, variables, cores=1)
    maps = json.loads((project / "tasks.json").read_text(encoding="utf-8"))
    serial = seconds - sum(map(sum, maps))
    return {
        "name": name,
        "serial": serial,
        "tasks": sum(map(len, maps)),
        "clock": [
            timed([sys.executable, "-m", f"stages.{name}"], project, variables, cores)
            for cores in CHECKED
        ],
        "computed": [serial + sum(makespan(each, count) for each in maps) for count in WORKERS],
        "larger": [
            LARGER * serial + sum(makespan(each * LARGER, count) for each in maps)
            for count in WORKERS
        ],
    }


def timed(command: list[str], project: Path, variables: dict[str, str], cores: int) -> float:
    """Return the seconds of a command that runs on the first cores."""
    started = time.perf_counter()
    listed = ",".join(map(str, range(cores)))
    copies.run(["taskset", "-c", listed, *command], project, variables)
    return time.perf_counter() - started


def makespan(tasks: Sequence[float], workers: int) -> float:
    """Return the seconds of tasks that start in order, each on the worker that is free first."""
    free = [0.0] * workers
    for seconds in tasks:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def record(name: str) -> None:
    """Run a stage in this process, and write the seconds of its tasks."""

    def map_timed(
        _: workers.Pool, function: Callable[..., T], tasks: Sequence[Any], description: str
    ) -> list[T]:
        del description
        seconds: list[float] = []
        recorded.append(seconds)
        return [timed_call(seconds, function, *task) for task in tasks]

    def results_timed(
        kept: workers.Kept, function: Callable[..., T], arguments: tuple[Any, ...]
    ) -> Iterator[T]:
        seconds: list[float] = []
        recorded.append(seconds)
        for number in range(len(kept._tasks)):
            yield timed_call(
                seconds, lambda number=number: function(kept._part(number), *arguments)
            )

    def leave(status: int) -> None:
        Path(os.environ["MAKESPAN"]).write_text(json.dumps(recorded), encoding="utf-8")
        os._exit(status)

    workers.Pool.map = map_timed  # type: ignore[assignment, method-assign]
    workers.Kept._results = results_timed  # type: ignore[assignment, method-assign]
    stage.leave = leave  # type: ignore[assignment]
    del sys.argv[1:]
    stage.main(importlib.import_module(f"stages.{name}").run)


def timed_call(seconds: list[float], function: Callable[..., T], *arguments: Any) -> T:
    """Call a function and append the seconds that it took."""
    started = time.perf_counter()
    result = function(*arguments)
    seconds.append(time.perf_counter() - started)
    return result


if __name__ == "__main__":
    if RECORD in sys.argv:
        record(sys.argv[-1])
    results.main({"makespan": measure}, timings.makespan)
