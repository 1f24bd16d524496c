"""Time and memory of the pipeline at growing numbers of rows: `make bench`.

    python -m benchmarks.scale scale-100000 scale-1000000
    FASTTEXT=/tmp/fasttext/bin/python python -m benchmarks.scale scale-10000000
    python -m benchmarks.scale scale-100000000

Makes a corpus (benchmarks/corpus.py; not timed). Each of three rounds times a plain scikit-learn
script on it (benchmarks/scale_plain.py), fastText if the environment variable FASTTEXT names a
Python that has it, and one `dvc repro` in a fresh copy of the working tree, with an empty cache.
Then, in the copy of the last round, it times runs with other settings of the words (`VARIANTS`),
whose seconds are those of the stages that run again. The ratios are computed within a round, and
the stages are those of the round with the median time.

With 100,000,000 rows there is one round of the pipeline alone, on a Parquet file, with links in
DVC's cache.

Prints Markdown. The load average before and after shows whether the machine was otherwise idle. The
column "of it DVC" is the part of a stage's time outside the stage's process. What else is measured:
benchmarks/watch.py.
"""

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import project as copies
from benchmarks import results, timings
from benchmarks.results import ROOT
from benchmarks.watch import Run, megabytes, on_disk, stages, watch
from textclf.core import files
from textclf.evaluate.intervals import wilson

MODEL = "logistic_regression"
SETTINGS: dict[str, Any] = copies.train(MODEL) | {
    "export.model": MODEL,
    "data.path": "corpus.csv",
    "split.method": "hash",
    "vectorize.words.max_features": 20_000,
}
# What fastText reads: whatever stands between spaces, as it is written; then also pairs of such
# words.
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
LARGE = 100_000_000  # rows
ROUNDS = 3
LINKS = "hardlink,symlink"  # instead of copies in DVC's cache, as docs/scale.md recommends
OUTPUTS = (Path("data"), Path("models"), Path("reports"), Path(".dvc", "cache"))


def scale(rows: int) -> dict[str, Any]:
    """Return the measurements with one number of rows: seconds, and sizes in MB."""
    others = {"plain scikit-learn script": ("sklearn", sys.executable)}
    if fasttext := os.environ.get("FASTTEXT"):
        others["fastText"] = ("fasttext", str(Path(fasttext).absolute()))
    with tempfile.TemporaryDirectory(prefix="textclf-scale-") as name:
        return measure(Path(name), rows, others)


def measure(folder: Path, rows: int, others: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return measurements, made in a folder, beside those of other programs (kind, Python)."""
    corpus = folder / "corpus.csv"
    make_corpus(rows, corpus)
    measured = []
    for number in range(ROUNDS):
        results.tell(f"{rows:,} rows, round {number + 1} of {ROUNDS}")
        compared = [compare(name, *others[name], corpus) for name in others]
        measured.append({**run_pipeline(folder / f"project-{number}", corpus), "others": compared})
        if number < ROUNDS - 1:  # disk
            shutil.rmtree(folder / f"project-{number}")
    content = median_round(measured)
    project = folder / f"project-{ROUNDS - 1}"
    content["variants"] = [
        run_variant(project, SETTINGS | changes) | {"name": name}
        for name, changes in VARIANTS.items()
    ]
    return content | {"csv": megabytes(corpus.stat().st_size)} | described(rows, corpus, ROUNDS)


def scale_large(rows: int) -> dict[str, Any]:
    """Return the measurements of one run from a Parquet file."""
    with tempfile.TemporaryDirectory(prefix="textclf-scale-") as name:
        corpus = Path(name, "corpus.parquet")
        make_corpus(rows, corpus)
        measured = run_pipeline(Path(name, "project"), corpus, links=LINKS)
        size = {"parquet": megabytes(corpus.stat().st_size), "links": LINKS}
    return (
        measured | size | {"others": [], "ratios": {}, "variants": []} | described(rows, corpus, 1)
    )


def make_corpus(rows: int, path: Path) -> None:
    """Write a corpus as CSV or Parquet, by the name of the file."""
    copies.run([sys.executable, "-m", "benchmarks.corpus", str(rows), str(path)], ROOT, os.environ)


def described(rows: int, corpus: Path, rounds: int) -> dict[str, Any]:
    """Return the number of rows and of rounds, and the settings that are a name or a number."""
    changed = SETTINGS | {"data.path": corpus.name}
    settings = {key: value for key, value in changed.items() if isinstance(value, str | int)}
    return {"rows": rows, "rounds": rounds, "settings": settings}


def median_round(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the round of the pipeline's median time, and ratios to other programs by round."""
    ratios = [
        {other["name"]: each["pipeline"]["seconds"] / other["seconds"] for other in each["others"]}
        for each in measured
    ]
    middle = sorted(measured, key=lambda each: float(each["pipeline"]["seconds"]))[
        (len(measured) - 1) // 2
    ]
    return middle | {
        "ratios": {name: results.spread([each[name] for each in ratios]) for name in ratios[0]}
    }


def compare(name: str, kind: str, python: str, corpus: Path) -> dict[str, Any]:
    """Return the measurements of another program of benchmarks/scale_plain.py."""
    run = watch(
        [python, str(ROOT / "benchmarks" / "scale_plain.py"), kind, str(corpus)],
        corpus.parent,
        dict(os.environ),
    )
    accuracy, tested = run.lines[-1][1].split()
    ends = wilson(float(accuracy) * int(tested), int(tested))
    return {"name": name, "accuracy": float(accuracy), "interval": [*ends], **whole(run)}


def run_pipeline(project: Path, corpus: Path, *, links: str = "") -> dict[str, Any]:
    """Return the measurements of `dvc repro` in a fresh copy of the project.

    `links` are the kinds of links that DVC's cache uses; empty: it has copies.
    """
    variables = prepare(project, corpus)
    if links:
        copies.run(["dvc", "config", "cache.type", links], project, variables)
    run = watch(["dvc", "repro"], project, variables)
    parts = [
        {
            "name": stage.name,
            "seconds": round(stage.seconds, 2),
            "waiting": round(stage.waiting, 2),
            "largest": megabytes(stage.largest),
        }
        for stage in stages(run)
    ]
    total = {
        **accuracy_of(project),
        "waiting": round(sum(stage.waiting for stage in stages(run)), 2),
        "disk": megabytes(on_disk(project / output for output in OUTPUTS)),
        **whole(run),
    }
    return {"parts": parts, "pipeline": total}


def run_variant(project: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the measurements of `dvc repro` with other settings, after an earlier run."""
    copies.write_params(project, settings)
    run = watch(["dvc", "repro"], project, copies.variables(project))
    return {**accuracy_of(project), **whole(run)}


def accuracy_of(project: Path) -> dict[str, Any]:
    """Return the test accuracy of the model, and its interval."""
    measured, ends = (
        files.read_json(project / "metrics" / f"{name}.json")[MODEL]["test"]
        for name in ("evaluation", "intervals")
    )
    return {
        "accuracy": measured["accuracy"],
        "interval": [ends["accuracy"][end] for end in ("low", "high")],
    }


def whole(run: Run) -> dict[str, float]:
    """Return the seconds of a whole run, and MB of its largest process."""
    return {"seconds": round(run.seconds, 2), "largest": megabytes(run.largest)}


def prepare(project: Path, corpus: Path) -> dict[str, str]:
    """Copy the project without results, with corpus and `SETTINGS`; return the environment."""
    variables = copies.make_copy(project)
    (project / corpus.name).hardlink_to(corpus)
    copies.write_params(project, SETTINGS | {"data.path": corpus.name})
    copies.remove_run(project)
    copies.run(["python", "-m", "compileall", "-q", "stages", "textclf"], project, variables)
    return variables


if __name__ == "__main__":
    entries = {f"scale-{rows}": partial(scale, rows) for rows in SIZES}
    results.main(
        entries | {f"scale-{LARGE}": partial(scale_large, LARGE)},
        lambda content: timings.stages([content]),
    )
