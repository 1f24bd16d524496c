"""The stage vectorize by two workers of a Dask scheduler on this machine, against this machine's cores.

    python -m benchmarks.scale_dask

Runs the pipeline up to split on a corpus of 10,000,000 rows, then in each of three rounds the command of the stage by
itself, first with local processes, then with DASK_SCHEDULER_ADDRESS. Prints a sentence with the ratio of the seconds
within a round, and whether all files are the same.
"""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import project as copies
from benchmarks import results, timings
from benchmarks.scale import ROUNDS, make_corpus, prepare
from benchmarks.watch import megabytes, watch
from textclf.core.files import sha256
from textclf.core.settings import load_yaml

ROWS = 10_000_000
WORKERS = 2
STAGE = "vectorize@words"
FEATURES = Path("data", "features")


def compare(rows: int) -> dict[str, Any]:
    """Return the seconds of vectorize with local processes and with workers of Dask, and what both have written."""
    seconds: dict[str, list[float]] = {"local": [], "dask": []}
    written = []
    with tempfile.TemporaryDirectory(prefix="textclf-scale-") as name, contextlib.ExitStack() as stack:
        folder, project = Path(name), Path(name, "project")
        corpus = folder / "corpus.csv"
        make_corpus(rows, corpus)
        variables = prepare(project, corpus)
        copies.run(["dvc", "repro", "split"], project, variables)
        command = load_yaml(project / "dvc.yaml")["stages"]["vectorize"]["do"]["cmd"]
        address = stack.enter_context(cluster(folder, project, variables))
        for number in range(ROUNDS):
            results.tell(f"{rows:,} rows, round {number + 1} of {ROUNDS}")
            for kind, scheduler in (("local", {}), ("dask", {"DASK_SCHEDULER_ADDRESS": address})):
                shutil.rmtree(project / FEATURES, ignore_errors=True)
                (project / FEATURES).mkdir()
                run = watch(["sh", "-c", command], project, variables | {"DVC_STAGE": STAGE} | scheduler)
                seconds[kind].append(run.seconds)
                written.append(checksums(project / FEATURES))
        size = sum(path.stat().st_size for path in (project / FEATURES).rglob("*") if path.is_file())
    ratios = [dask / local for local, dask in zip(seconds["local"], seconds["dask"], strict=True)]
    return {
        "rows": rows,
        "rounds": ROUNDS,
        "workers": WORKERS,
        "seconds": {kind: results.spread(each) for kind, each in seconds.items()},
        "ratio": results.spread(ratios),
        "written": megabytes(size),
        "files": len(written[0]),
        "same_bytes": all(each == written[0] for each in written),
    }


@contextlib.contextmanager
def cluster(folder: Path, project: Path, variables: dict[str, str]) -> Iterator[str]:
    """Yield the address of a scheduler with workers of one thread each, started as docs/scale.md says."""
    from distributed import Client

    file = folder / "scheduler.json"
    commands = (
        ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        ["worker", "--nworkers", str(WORKERS), "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)],
    )
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "dask.log").open("w"))
        for words in commands:
            process = stack.enter_context(
                subprocess.Popen(
                    ["dask", *words, "--scheduler-file", str(file)],
                    cwd=project,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )
            stack.callback(process.terminate)
        with Client(scheduler_file=str(file), set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(WORKERS, timeout=60)
            address = str(client.scheduler.address)
        yield address


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in files}


if __name__ == "__main__":
    results.main({"scale-dask": partial(compare, ROWS)}, timings.scale_dask)
