"""Run the presets of `textclf init` on tables with rows to test on, as a user does.

    python -m benchmarks.presets FOLDER [--corpora NAME ...] [--presets NAME ...]

FOLDER has pairs <name>.train.csv and <name>.test.csv, with the columns text and label (or as
published: the table of README.md is of the two files of Banking77, Casanueva et al. 2020,
doi:10.18653/v1/2020.nlp4convai-1.5), or of texts with several labels; the lesson's corpora and
their pool, 25% of whose rows are for the test, are added. For each corpus and preset the wheel of
this working tree makes a project in a temporary folder, and `dvc repro` runs it; `plain` is the
script `PLAIN`. Results are added to those that there are, so that corpora and presets can be run
one at a time. Minutes are those of the CPU, from init to the end of the run.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import project, results
from benchmarks.inputs import NAMES, POOL, WEIGHTS, fetch_weights, split_lesson
from textclf.artifacts import predictions
from textclf.artifacts.decisions import Decision
from textclf.core import files
from textclf.evaluate import registry
from textclf.evaluate.intervals import CONFIDENCE, wilson
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import EVEN
from textclf.pretrained import catalogue

RESULT = "presets"
SCRIPT, PRESETS = "plain", ("fast", "good", "best")
EXAMPLE = "banking77"  # the corpus in README.md
METRICS = ("accuracy", "log_loss")
OF_SETS = ("micro_f1", "f1", "accuracy", "log_loss")
EXPECTED = re.compile(r"^expected: (.*)$", re.MULTILINE)
PLAIN = """\
import pandas, sys
from sklearn import feature_extraction, pipeline, svm
paths = sys.argv[1:]
tables = [pandas.read_csv(path).to_numpy(str).T for path in paths]
(train, train_labels), (test, test_labels) = tables
model = pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), svm.LinearSVC())
print((model.fit(train, train_labels).predict(test) == test_labels).sum(), len(test))
"""  # of tables with two columns, the texts first


def measure(corpus: str, preset: str, folder: Path, installed: Path) -> dict[str, Any]:
    """Return a preset's metrics of the default model, minutes and size of models/ on a corpus."""
    with tempfile.TemporaryDirectory(prefix="textclf-presets-") as name:
        place, home = Path(name), Path(name, "project")
        tables = tables_of(corpus, folder, place)
        own = project.variables(home) | {"PYTHONPATH": str(installed)}
        load, used = results.load_average(), cpu_seconds()
        words = [
            "init",
            str(home),
            "--data",
            str(tables[0]),
            "--test",
            str(tables[1]),
            "--preset",
            preset,
        ]
        printed = project.run([sys.executable, "-m", "textclf.cli", *words], place, own)
        shutil.copytree(WEIGHTS, home / "data" / "pretrained")  # as if they had been fetched
        subprocess.run(["dvc", "repro"], cwd=home, env=own, stdout=sys.stderr, check=True)
        expected = EXPECTED.search(printed)
        return {
            "cpu_minutes": (cpu_seconds() - used) / 60,
            "load": [load, results.load_average()],
            "expected": expected and expected[1],
            "rows": {
                part: len(read(table))
                for part, table in zip(("train", "test"), tables, strict=True)
            },
            **outcome(home),
        }


def measure_plain(corpus: str, folder: Path) -> dict[str, Any]:
    """Return the accuracy of a plain script on a corpus, with its interval, and its minutes."""
    with tempfile.TemporaryDirectory(prefix="textclf-presets-") as name:
        tables = tables_of(corpus, folder, Path(name))
        used = cpu_seconds()
        printed = project.run(
            [sys.executable, "-c", PLAIN, *map(str, tables)], Path(name), os.environ
        )
        right, rows = map(int, printed.split())
        return {
            "cpu_minutes": (cpu_seconds() - used) / 60,
            "model": "TfidfVectorizer, LinearSVC",
            "accuracy": [right / rows, *wilson(right, rows)],
        }


def cpu_seconds() -> float:
    """Return the CPU time of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tables_of(corpus: str, folder: Path, place: Path) -> list[Path]:
    """Return the tables of training and test rows; write the lesson's corpora to a folder."""
    if corpus not in (*NAMES, POOL):
        return [folder / f"{corpus}.{split}.csv" for split in ("train", "test")]
    paths = [place / f"{corpus}.{split}.csv" for split in ("train", "test")]
    for path, rows in zip(paths, split_lesson(corpus), strict=True):
        rows.to_csv(path, index=False)
    return paths


def read(table: Path) -> pd.DataFrame:
    """Return the rows of a table."""
    return pd.read_csv(table, dtype=str, keep_default_na=False)


def outcome(home: Path) -> dict[str, Any]:
    """Return the default model's metrics and intervals, the others' metrics, and megabytes."""
    evaluation, intervals, decisions = (
        files.read_json(home / "metrics" / f"{name}.json")
        for name in ("evaluation", "intervals", "decisions")
    )
    default = files.read_json(home / "models" / "index.json")["default"]
    shown, numbers = {}, evaluation[default]["test"]
    for metric in OF_SETS if "micro_f1" in numbers else METRICS:
        ends = intervals[default]["test"].get(metric) or {}
        shown[metric] = [numbers[metric], ends.get("low"), ends.get("high")]
    every = (path for path in (home / "models").rglob("*") if path.is_file())
    return {
        "model": default,
        **shown,
        "ece": numbers["ece"],
        "calibration": effect(home, default, Decision.from_json(decisions[default])),
        "models": {
            name: {metric: each["test"][metric] for metric in METRICS}
            for name, each in evaluation.items()
        },
        "megabytes": sum(path.stat().st_size for path in every) / 1e6,
    }


def effect(home: Path, model: str, decision: Decision) -> dict[str, Any] | None:
    """Return calibration's change of log loss, paired by row, and the error before it.

    Both are of the test rows.
    """
    if decision.calibration is None:
        return None
    rows = predictions.read(home / "data" / "predictions" / f"{model}.parquet")
    rows = rows.take(rows.split == "test")
    judged = {
        name: JudgedRows(rows.y, each, each > EVEN if rows.multilabel else each.argmax(axis=1))
        for name, each in (
            ("before", rows.probabilities),
            ("after", decision.calibrate(rows.probabilities)),
        )
    }
    pair = "after", "before"
    change = registry.LOG_LOSS.compare(judged, [pair], CONFIDENCE)[pair]
    return {
        "log_loss": change and change.rounded(),
        "ece": registry.METRICS["ece"].value(judged["before"]),
    }


def table() -> str:
    """Return the results of corpora with one label per text, by corpus and preset.

    These are accuracy, log loss, calibration error, minutes and size.
    """
    lines = []
    for corpus, preset, each in _measured(several=False):
        numbers = [
            f"{each['cpu_minutes']:.1f}",
            (each["expected"] or "").partition(" for ")[0],
            f"{each['megabytes']:.1f}",
        ]
        cells = [interval(each["accuracy"]), interval(each["log_loss"]), _calibrated(each)]
        lines.append([corpus, preset, each["model"].replace("_", " "), *cells, *numbers])
    header = [
        "corpus",
        "preset",
        "default model",
        "accuracy",
        "log loss",
        "calibration error",
        "minutes",
        "expected",
    ]
    return results.markdown([*header, "MB"], lines)


def several() -> str:
    """Return F1, exact sets and log loss by corpus with several labels per text, and preset."""
    lines = [
        [
            corpus,
            preset,
            each["model"].replace("_", " "),
            *(interval(each[metric]) for metric in OF_SETS),
        ]
        for corpus, preset, each in _measured(several=True)
    ]
    return results.markdown(
        ["corpus", "preset", "default model", "micro F1", "macro F1", "exact sets", "log loss"],
        lines,
    )


def _measured(*, several: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield corpus, preset and result, of corpora with or without several labels per text."""
    for corpus, presets in results.read(RESULT)["corpora"].items():
        for preset in PRESETS:
            if (each := presets.get(preset)) is not None and ("micro_f1" in each) == several:
                yield corpus, preset, each


def _calibrated(each: Mapping[str, Any]) -> str:
    """Return the calibration error, after that before calibration if any; "" if unmeasured."""
    errors = [(each.get("calibration") or {}).get("ece"), each.get("ece")]
    return " → ".join(f"{error:.3f}" for error in errors if error is not None)


def example() -> str:
    """Return accuracy and CPU seconds of a plain script and a preset on README.md's corpus."""
    measured = results.read(RESULT)["corpora"][EXAMPLE]
    names = {
        SCRIPT: "a script of `TfidfVectorizer` and `LinearSVC`",
        "good": "`textclf init`, `dvc repro`: sentence vectors too",
    }
    rows = []
    for key, name in names.items():
        accuracy, low, high = measured[key]["accuracy"]
        seconds = f"{60 * measured[key]['cpu_minutes']:.0f}"
        rows.append([name, f"{accuracy:.1%} ({low:.1%} to {high:.1%})", seconds])
    rows_of = measured["good"]["rows"]
    tested = f"{rows_of['train']:,} rows to learn, {rows_of['test']:,} to test"
    return results.markdown([tested, "accuracy (95% interval)", "CPU seconds"], rows)


def interval(ends: list[float | None]) -> str:
    """Return a metric with its interval, if there is one."""
    value, low, high = ends
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def add(corpus: str, preset: str, measured: Mapping[str, Any]) -> None:
    """Add what was measured to the result, with the commit of its code."""
    try:
        content = results.read(RESULT)
    except results.MissingResultError:
        content = {"corpora": {}}
    content.pop("measured", None)
    content["corpora"].setdefault(corpus, {})[preset] = {"commit": results.COMMIT, **measured}
    results.write(RESULT, content)


def main() -> None:
    """Measure the corpora and presets that the command line names."""
    from tests import wheel

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*")
    parser.add_argument("--presets", nargs="*", choices=(SCRIPT, *PRESETS), default=[*PRESETS])
    given = parser.parse_args()
    folder = given.folder.resolve()
    fetched = sorted(path.name.removesuffix(".train.csv") for path in folder.glob("*.train.csv"))
    fetch_weights(*[catalogue.LARGE] * ("best" in given.presets))
    with tempfile.TemporaryDirectory(prefix="textclf-wheel-") as name:
        installed = wheel.install(Path(name))
        for corpus in given.corpora or [*NAMES, POOL, *fetched]:
            for preset in given.presets:
                plain = preset == SCRIPT
                measured = (
                    measure_plain(corpus, folder)
                    if plain
                    else measure(corpus, preset, folder, installed)
                )
                add(corpus, preset, measured)
                results.tell(
                    f"{corpus} {preset}: {measured['cpu_minutes']:.2f} minutes, "
                    f"{measured['accuracy'][0]:.3f}"
                )


if __name__ == "__main__":
    main()
