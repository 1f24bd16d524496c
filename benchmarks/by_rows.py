"""Accuracy by the number of training rows: `fast`, `fast` beside static vectors, and `good`.

    python -m benchmarks.by_rows [--corpora NAME ...]

Of the lesson's corpora and their pool a quarter of the rows is for the test, another quarter in
each of five draws; of the others 8 per class, 50 per class and all train. `good` is the model that
init names for so few rows, otherwise words, letters and sentence vectors together. Seconds are
those of the CPU for a fit with all that its features take, in the first draw; making the static
vectors, once for a project, is measured apart.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks import results
from benchmarks.inputs import NAMES, POOL, WEIGHTS, fetch_weights, read_rows
from textclf.artifacts.dataset import Dataset
from textclf.evaluate.registry import compute
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.pretrained import pieces
from textclf.pretrained.catalogue import ENGLISH
from textclf.project.init.presets import OF_FEW, STRENGTHS, choose_models
from textclf.project.init.survey import Survey
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize
from textclf.vectorize.static.settings import Settings as Static

RESULT = "by_rows"
# Training rows of a class; None: all.
SIZES = (8, 50, None)
DRAWS, TESTED = 5, 0.25
# Fewest rows of a class with which `good` is not the tuned model.
MANY = 20
FAST, STATIC, GOOD = "fast", "fast with static", "good"


def measure(corpus: str) -> dict[str, Any]:
    """Return accuracy and log loss by size, preset and draw, and CPU seconds by size and preset."""
    names = NAMES if corpus == POOL else [corpus]
    table = pd.DataFrame(
        [row for name in names for row in read_rows(name)], columns=["text", "label"]
    )
    table["id"] = [f"row {number}" for number in range(len(table))]
    measured: dict[str, Any] = {}
    for size in SIZES:
        scores: dict[str, list[list[float]]] = {FAST: [], STATIC: [], GOOD: []}
        seconds: dict[str, list[float]] = {FAST: [], STATIC: [], GOOD: []}
        for draw in range(DRAWS):
            train, test = train_test_split(
                table, test_size=TESTED, random_state=draw, stratify=table["label"]
            )
            if size is not None:
                train = train.groupby("label").sample(size, random_state=draw)
            splits = {"train": train.sample(frac=1, random_state=draw), "test": test}
            for name, score in scores.items():
                start = time.process_time()
                score.append(fit(name, splits))
                seconds[name].append(time.process_time() - start)
        measured[str(size or "all")] = {
            "rows": len(splits["train"]),
            "scores": scores,
            "seconds": {name: of_draws[0] for name, of_draws in seconds.items()},
        }
    return measured


def fit(preset: str, splits: dict[str, pd.DataFrame]) -> list[float]:
    """Return accuracy and log loss on test rows of a preset's model that training rows fit."""
    counts = {str(label): rows for label, rows in splits["train"]["label"].value_counts().items()}
    characters = int(splits["train"]["text"].str.len().sum())
    fixed = {"characters": characters, "given": {"test": 0}, "language": "English"}
    survey = Survey(counts, counts, 0, 0, 0, 10, 20, **fixed)  # type: ignore[arg-type]
    sections = choose_models(GOOD if preset == GOOD else FAST, survey).sections
    if preset == FAST:
        chosen = "logistic_regression"
    elif preset == STATIC:
        chosen = "combined"
        sections["vectorize"]["static"] = {"method": "static"}
        sections["combine"]["both"] = {"first": "words", "second": "static"}
        strength = OF_FEW[1] if survey.has_few else STRENGTHS["both"][1]
        sections["train"][chosen] = {
            **sections["train"]["logistic_regression"],
            "features": "both",
            "C": strength,
        }
    else:
        chosen = "contrastive" if min(counts.values()) < MANY else "combined"
    settings = Train.model_validate(sections["train"])[chosen]
    vectorize = Vectorize.model_validate(sections["vectorize"])
    combine = Combine.model_validate(sections["combine"])
    classes = sorted(counts)
    parts = vectorize_splits(splits, settings.features, vectorize, combine, classes, WEIGHTS)
    datasets = {split: Dataset.of_rows(part) for split, part in parts.items()}
    layers = fit_model(settings.kind, datasets, settings, Folders(WEIGHTS)).layers
    probabilities = layers.predict_proba(parts["test"].X)
    numbers = compute(parts["test"].y, probabilities, probabilities.argmax(axis=1))
    return [numbers["accuracy"], numbers["log_loss"]]


def seconds_of_pieces() -> float:
    """Return the CPU seconds that making the static vectors takes."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        files = {path.name: path for path in (WEIGHTS / ENGLISH).iterdir()}
        pieces.write(files, Path(name, "pieces.npy"))
    return time.process_time() - start


def table() -> str:
    """Return accuracies in %, gains over `fast` in points with their deviation, and seconds."""
    lines = []
    for corpus, sizes in results.read(RESULT)["corpora"].items():
        for each in sorted(sizes.values(), key=lambda of_size: of_size["rows"]):
            accuracy = {
                name: 100 * np.array(of_draws)[:, 0] for name, of_draws in each["scores"].items()
            }
            cells = [f"{accuracy[FAST].mean():.1f}"]
            for name in (STATIC, GOOD):
                gain = accuracy[name] - accuracy[FAST]
                cells.append(
                    f"{accuracy[name].mean():.1f} ({gain.mean():+.1f} ± {gain.std(ddof=1):.1f})"
                )
            seconds = " / ".join(f"{value:.1f}" for value in each["seconds"].values())
            lines.append([corpus, f"{each['rows']:,}", *cells, seconds])
    return results.markdown(["corpus", "training rows", FAST, STATIC, GOOD, "CPU s"], lines)


def main() -> None:
    """Measure the corpora that the command line names, by default all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpora", nargs="*", default=[*NAMES, POOL])
    given = parser.parse_args()
    fetch_weights(Static().pretrained)
    corpora = {}
    # Elsewhere, no vectors are kept in files from one draw to the next.
    with tempfile.TemporaryDirectory() as elsewhere, contextlib.chdir(elsewhere):
        for corpus in given.corpora:
            corpora[corpus] = measure(corpus)
            means = {
                size: {
                    name: round(float(np.mean(of_draws, axis=0)[0]), 3)
                    for name, of_draws in each["scores"].items()
                }
                for size, each in corpora[corpus].items()
            }
            results.tell(f"{corpus}: {means}")
        content = {"corpora": corpora, "seconds_of_static_vectors": seconds_of_pieces()}
    results.write(RESULT, content)


if __name__ == "__main__":
    main()
