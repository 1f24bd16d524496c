"""Time and memory of texts with several labels beside texts of one class, and the tables of these.

    python -m benchmarks.several_labels
    python -m benchmarks.several_labels --table tickets tickets.csv

`tickets` are 5,000 made texts with up to a few of 28 labels, of which some are rare; `lesson` are the sentences of the
three built-in corpora, labelled by what they review (their source) and by whether they are positive. Without --table,
`ROWS` texts with 50 labels are run through the whole pipeline, and the same texts with the first of their labels as
their class of 50: what differs is the kind of the task.
"""

import argparse
import csv
import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results, scale
from benchmarks.inputs import NAMES, read_rows

ROWS, LABELS = 1_000_000, 50
TOPICS = 6  # labels of one topic occur together
WORDS, COMMON = 40, 2000  # words of each label alone, and those that all texts share
LENGTH = 12  # words of a text, on average
SEPARATOR = "|"
BATCH = 50_000
RESULT = "several_labels"
Row = tuple[str, str]  # text and labels


def make(rows: int, labels: int, seed: int = 0) -> Iterator[Row]:
    """Yield texts whose words tell their labels with noise, and these labels; 8% of the texts have none.

    Label k is drawn with a share that falls from 20% to .4%, more often if the topic of the text is its own.
    """
    shares = 0.2 * (0.004 / 0.2) ** (np.arange(labels) / (labels - 1))
    for start in range(0, rows, BATCH):
        generator = np.random.default_rng([seed, start])
        size = min(BATCH, rows - start)
        topics = generator.integers(TOPICS, size=size)
        odds = np.where(np.arange(labels) % TOPICS == topics[:, None], 3.0, 0.6)
        has = generator.random((size, labels)) < np.minimum(shares * odds, 0.9)
        has[generator.random(size) < 0.08] = False
        lengths = 3 + generator.poisson(LENGTH - 3, size=size)
        for row in range(size):
            own = np.flatnonzero(has[row])
            words = [f"w{int(word * word * COMMON)}" for word in generator.random(lengths[row])]
            strays = generator.integers(labels, size=generator.integers(3))  # words of labels that the text has not
            for label in [*own, *strays]:
                words += [f"l{label}x{int(word * word * WORDS)}" for word in generator.random(1 + (label in own))]
            generator.shuffle(words)
            yield " ".join(words), SEPARATOR.join(f"label{label:02d}" for label in own)


def lesson() -> Iterator[Row]:
    """Yield the sentences of the built-in corpora with their source and, if they are positive, that."""
    for name in NAMES:
        for text, label in read_rows(name):
            yield text, SEPARATOR.join([*(["positive"] if label == "1" else []), name])


def first_label(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows with the first of their labels; a row without labels gets one in turn."""
    for number, (text, labels) in enumerate(rows):
        yield text, labels.partition(SEPARATOR)[0] or f"label{number % LABELS:02d}"


def write(rows: Iterator[Row], path: Path) -> None:
    """Write the rows as CSV with the columns text and label."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["text", "label"])
        lines.writerows(rows)


def measure(rows: int = ROWS) -> dict[str, Any]:
    """Return seconds and memory of both runs, whole and by stage, and the ratios of labels to classes."""
    with tempfile.TemporaryDirectory(prefix="textclf-labels-") as name:
        folder, runs = Path(name), {}
        tables = {"classes": first_label(make(rows, LABELS)), "labels": make(rows, LABELS)}
        task = {"data.task": "multilabel", "data.label_separator": SEPARATOR}
        for kind, made in tables.items():
            write(made, table := folder / f"{kind}.csv")
            results.tell(f"{rows:,} rows with {LABELS} {kind}")
            runs[kind] = scale.run_pipeline(folder / kind, table, task if kind == "labels" else {})
    whole = {kind: run["pipeline"] for kind, run in runs.items()}
    ratios = {key: whole["labels"][key] / whole["classes"][key] for key in ("seconds", "largest", "together")}
    return {"rows": rows, "labels": LABELS, "ratios": ratios, **runs}


TABLES: dict[str, Callable[[], Iterator[Row]]] = {"tickets": functools.partial(make, 5000, 28), "lesson": lesson}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure texts with several labels, or write a table of them.")
    parser.add_argument("--table", nargs=2, metavar=("NAME", "CSV"), help=f"{' or '.join(TABLES)}, and the file")
    if given := parser.parse_args().table:
        write(TABLES[given[0]](), Path(given[1]))
    else:
        results.write(RESULT, measure())
