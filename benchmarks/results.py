"""Run the stages of benchmarks/dvc.yaml that are not up to date, side by side: `make results`.

    python -m benchmarks.results [--jobs 2]

Prints a line per stage with its seconds. DVC records each stage when it ends, so a run that was interrupted goes on
where it was.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from benchmarks.copies import BIN, ROOT
from benchmarks.corpora import fetch
from benchmarks.grid import cores
from benchmarks.runs import CORPORA

PIPELINE = "benchmarks/dvc.yaml"
LINES = 20  # of the output of a stage that failed


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run the measurements behind the figures of docs/.")
    parser.add_argument("-j", "--jobs", type=int, default=cores(), help="stages at a time (default: cores)")
    given = parser.parse_args()
    fetch(CORPORA)
    _, listed, _ = run("stage", "list", PIPELINE, "--name-only")
    stages, failed = listed.split(), False
    with ThreadPoolExecutor(given.jobs) as pool:
        started = {pool.submit(run, "repro", "--single-item", name): name for name in stages}
        for number, future in enumerate(as_completed(started), start=1):
            failed |= not tell(started[future], future.result(), number, len(stages))
    sys.exit(2 if failed else 0)


def run(*arguments: str) -> tuple[int, str, float]:
    """Run a DVC command and return its exit status, its output and its seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(BIN / "dvc"), "--wait-for-lock", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, time.perf_counter() - started


def tell(name: str, done: tuple[int, str, float], number: int, total: int) -> bool:
    """Print how a stage went; return whether it succeeded."""
    status, output, seconds = done
    stage = name.partition(":")[2]
    if status:
        print(*output.splitlines()[-LINES:], sep="\n", file=sys.stderr)
        print(f"error: results: stage {stage} must exit with 0; got {status}", file=sys.stderr, flush=True)
    else:
        print(f"{number} of {total}: {stage}, {seconds:.0f} s", flush=True)
    return not status


if __name__ == "__main__":
    main()
