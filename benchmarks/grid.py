"""Run a sweep of params as DVC experiments, side by side, and list their models by validation accuracy: `make grid`.

    python -m benchmarks.grid -S vectorize.words.weighting=counts,tfidf -S 'train.models=[naive_bayes,nb_svm]'

-S is that of `dvc exp run`: values separated by commas are tried one by one, a list in brackets is one value. The
experiments are named `grid-1`, `grid-2` and so on; those of an earlier grid are removed. They end with stage evaluate:
export, figures and report of the one that you choose are made by `dvc exp apply grid-1 && dvc repro`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks import copies, runs
from textclf.core import files
from textclf.core.settings import parse_yaml

PREFIX = "grid"
# Validation rows decide between experiments, so there must be some.
PROTOCOL = ("split.validation_size=0.15", "split.stratify=true", "split.group_duplicates=true")
SWEEP = (
    "vectorize.words.analyzer=word,word+char_wb",
    "vectorize.words.weighting=counts,tfidf",
    "train.models=[naive_bayes,logistic_regression,nb_svm]",
)
METRICS = ("accuracy", "log_loss")

Row = dict[str, Any]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run a sweep of params as DVC experiments, side by side.")
    parser.add_argument("-S", dest="settings", action="append", metavar="KEY=VALUES", help="default: representations")
    parser.add_argument("-j", "--jobs", type=int, default=cores(), help="experiments at a time (default: cores)")
    parser.add_argument("--copy", action="store_true", help="work in a copy of the project")
    parser.add_argument("--result", type=Path, help="a JSON file to write the rows to")
    given = parser.parse_args()
    settings = [*PROTOCOL, *(given.settings or SWEEP)]
    if given.copy:
        with tempfile.TemporaryDirectory(prefix="textclf-grid-") as name:
            project = Path(name, "project")
            project.mkdir()
            variables = copies.make_copy(project) | {"TEXTCLF_CORPUS": str(runs.CORPORA)}
            copies.commit(project, variables)
            os.environ.update(variables)
            os.chdir(project)
            rows = run(settings, given.jobs)
            os.chdir(copies.ROOT)
    else:
        rows = run(settings, given.jobs)
    if given.result:
        files.write_json(given.result, rows)
    print(table(rows))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(settings: Sequence[str], jobs: int) -> list[Row]:
    """Run the experiments of a sweep and return a row per experiment and model, the best on validation rows first."""
    sweep = expand(settings)
    if earlier := references():
        command(["dvc", "exp", "remove", "--quiet", *earlier])
    with ThreadPoolExecutor(jobs) as pool:
        started = {pool.submit(experiment, f"{PREFIX}-{n}", one): n for n, one in enumerate(sweep, start=1)}
        failed = []
        for done, future in enumerate(as_completed(started), start=1):
            number = started[future]
            if reason := future.result():
                failed.append(number)
            told = f"failed: {reason}" if reason else ", ".join(varied(sweep)[number - 1].values())
            print(f"{done} of {len(sweep)}: {PREFIX}-{number} {told}", file=sys.stderr, flush=True)
    if failed:
        sys.exit(f"error: grid: {len(failed)} of {len(sweep)} experiments failed; the first: {PREFIX}-{min(failed)}")
    names = [f"{PREFIX}-{number}" for number in range(1, len(sweep) + 1)]
    found = references()
    contents = [parse_yaml(command(["git", "show", f"{found[name]}:metrics/evaluation.json"]), name) for name in names]
    return merged(
        {"experiment": name, "settings": changed, "model": model, **measured(content[model])}
        for name, changed, content in zip(names, varied(sweep), contents, strict=True)
        for model in content
    )


def expand(settings: Sequence[str]) -> list[list[str]]:
    """Return the settings of each experiment of a sweep, by DVC's own reading of Hydra's grammar."""
    from dvc.utils.hydra import get_hydra_sweeps

    return [sweep["params.yaml"] for sweep in get_hydra_sweeps({"params.yaml": list(settings)})]


def experiment(name: str, settings: Sequence[str]) -> str:
    """Run one experiment in a folder of its own, up to evaluate; return why it failed, or nothing."""
    options = [option for setting in settings for option in ("-S", setting)]
    done = subprocess.run(
        ["dvc", "--wait-for-lock", "exp", "run", "--temp", "--name", name, *options, "evaluate"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode:
        return ""
    output = done.stdout + done.stderr
    return "; ".join(re.findall(r"^error: (.*)", output, re.MULTILINE)) or output.strip().splitlines()[-1]


def references() -> dict[str, str]:
    """Return the Git references of the grid's experiments by their names."""
    listed = command(["git", "for-each-ref", "--format=%(refname)", "refs/exps"]).split()
    return {name: ref for ref in listed if re.fullmatch(rf"{PREFIX}-\d+", name := ref.rpartition("/")[2])}


def varied(sweep: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """Return for each experiment the settings that are not the same in all, by their keys."""
    pairs = [dict(setting.split("=", 1) for setting in settings) for settings in sweep]
    keys = [key for key in pairs[0] if len({each[key] for each in pairs}) > 1]
    return [{key: each[key] for key in keys} for each in pairs]


def measured(splits: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the metrics of the table, by split and name."""
    if "validation" not in splits:
        sys.exit("error: grid: split.validation_size must be more than 0; validation rows decide between experiments")
    return {f"{split} {name}": splits[split][name] for split in ("validation", "test") for name in METRICS}


def merged(rows: Iterable[Row]) -> list[Row]:
    """Return the rows sorted by validation accuracy, then log loss; equal results of a model become one row.

    Results are equal if a model ignores the setting in which two experiments differ: nb_svm ignores the weighting. The
    settings of a row are lists of all such values; the experiment is the first.
    """
    unique: dict[tuple[object, ...], Row] = {}
    for row in rows:
        result = tuple(value for key, value in row.items() if key not in ("experiment", "settings"))
        first = unique.setdefault(result, row | {"settings": {key: [] for key in row["settings"]}})
        for key, value in row["settings"].items():
            if value not in first["settings"][key]:
                first["settings"][key].append(value)
    return sorted(unique.values(), key=lambda row: (-row["validation accuracy"], row["validation log_loss"]))


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown, with aligned columns."""
    keys = [*rows[0]["settings"]]
    metrics = [f"{split} {name}" for split in ("validation", "test") for name in METRICS]
    lines = [["experiment", "model", *(key.rpartition(".")[2] for key in keys), *metrics]]
    for row in rows:
        values = [f"{row[metric]:.3f}" for metric in metrics]
        lines.append([row["experiment"], row["model"], *(", ".join(row["settings"][key]) for key in keys), *values])
    lines = [[cell.replace("_", " ") if number == 0 else cell for cell in line] for number, line in enumerate(lines)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines
    )


def command(words: Sequence[str]) -> str:
    """Return what a command prints; exit if it fails."""
    return copies.run(words, Path.cwd(), os.environ)


if __name__ == "__main__":
    main()
