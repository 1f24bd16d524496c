"""Measure the time and the memory of `textclf drift` with many new rows.

    python -m benchmarks.drift_timings

Needs the model and the splits of a run. The new rows are those of benchmarks/corpus.py, as CSV.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import corpus, results

ROUNDS = 3
ROWS = (1_000, 100_000, 1_000_000)
DRIFT = 1  # the exit status that says that drift was found
# A small process starts the command, because a child is first as large as its parent.
SMALL = (
    "import resource as r, subprocess as s, sys; d = s.run(sys.argv[1:], stdout=s.DEVNULL); "
    "print(d.returncode, r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss // 1024)"
)


def measure(path: Path) -> tuple[float, int]:
    """Return the seconds of the command, from its start to its exit, and its peak memory in MiB."""
    command = [sys.executable, "-m", "textclf.cli", "drift", str(path)]
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", SMALL, *command], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    status, mebibytes = map(int, done.stdout.split())
    if status != DRIFT:
        raise RuntimeError(done.stderr)
    return seconds, mebibytes


def measure_sizes() -> dict[str, Any]:
    """Return seconds and peak memory for each number of new rows."""
    sizes = []
    with tempfile.TemporaryDirectory(prefix="textclf-bench-") as folder:
        for rows in ROWS:
            path = Path(folder, f"{rows}.csv")
            corpus.write(rows, [path], seed=0)
            runs = [measure(path) for _ in range(ROUNDS)]
            sizes.append(
                {
                    "megabytes": round(path.stat().st_size / 1e6, 1),
                    "mebibytes": max(memory for _, memory in runs),
                    "rows": rows,
                    "seconds": results.spread([seconds for seconds, _ in runs]),
                }
            )
            path.unlink()
    return {"rounds": ROUNDS, "sizes": sizes}


def table(content: dict[str, Any] | None = None) -> str:
    """Return a result, by default the stored one, as Markdown."""
    stored = content or results.read("drift-timings")
    rows = [
        [f"{size['rows']:,}", f"{size['megabytes']:g}", results.show(size["seconds"], ".1f"), f"{size['mebibytes']:,}"]
        for size in stored["sizes"]
    ]
    header = ["new rows", "MB of CSV", "seconds: median (minimum to maximum)", "peak memory, MiB"]
    return f"{results.markdown(header, rows)}\n\nRounds: {stored['rounds']}. {results.measured_on(stored)}"


if __name__ == "__main__":
    results.main({"drift-timings": measure_sizes}, table)
