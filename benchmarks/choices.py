"""Time ways to classify the lesson's split, from word counts to sentence vectors: `CHOICES` of crossvalidation.py.

    python -m benchmarks.choices

Seconds are those of the CPU. The size is that of the files in models/ that predicting needs.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import textclf
from benchmarks import project, results
from benchmarks.crossvalidation import CHOICES, COMBINE, VECTORIZE
from benchmarks.inputs import WEIGHTS, fetch_weights
from textclf.artifacts import splits
from textclf.artifacts.dataset import Dataset
from textclf.evaluate.settings import Evaluate
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.pretrained.catalogue import SHARED
from textclf.split.settings import Split
from textclf.studies.measure import Setup, make_features
from textclf.vectorize import in_memory
from textclf.vectorize.settings import Combine, Vectorize, leaves

FEW = 40  # rows of the first training, so that no choice pays for the imports of a library
SPEED_ROWS = 250  # test rows of the lesson's split, which are predicted to measure the speed


def measure() -> dict[str, Any]:
    """Return for each choice, on the lesson's split: seconds of CPU to train, texts per second, megabytes."""
    fetch_weights()
    train = {f"choice_{number}": settings for number, settings in enumerate(CHOICES.values())}
    setup = Setup(
        Split(),
        Vectorize.model_validate(VECTORIZE),
        Combine.model_validate(COMBINE),
        Train.model_validate(train),
        Evaluate(),
        WEIGHTS,
    )
    changes = {"fetch.corpus": "yelp", "vectorize": VECTORIZE, "combine": COMBINE} | project.train(**train)
    with project.repro(changes, "export") as folder:
        rows, classes = splits.read(folder / "data" / "splits"), splits.read_classes(folder / "data" / "splits")
        texts = rows["test"]["text"].tolist()[:SPEED_ROWS]
        choices = []
        for title, name in zip(CHOICES, train, strict=True):
            fit(name, {split: part[:FEW] for split, part in rows.items()}, classes, setup)
            in_memory._remembering.cache_clear()  # the training includes the encoding of its texts
            choices.append(
                {
                    "name": title,
                    "cpu_seconds": fit(name, {"train": rows["train"], "test": rows["test"][:1]}, classes, setup),
                    "texts_per_cpu_second": speed(folder / "models" / name, texts),
                    "megabytes": size(folder / "models", name, setup) / 1e6,
                }
            )
    return {"choices": choices}


def fit(name: str, rows: Mapping[str, pd.DataFrame], classes: Sequence[str], setup: Setup) -> float:
    """Return the CPU seconds of making the features of a model and fitting it."""
    started = time.process_time()
    settings = setup.model(name)
    features = make_features(rows, classes, settings.features, setup, bool(settings.validation_choices()))
    datasets = {split: Dataset.of_rows(part) for split, part in features.items()}
    fit_model(settings.kind, datasets, settings, Folders(setup.pretrained))
    return time.process_time() - started


def speed(model: Path, texts: list[str]) -> float:
    """Return how many texts an exported model classifies per CPU second."""
    predictor = textclf.load(model)
    predictor.predict_proba(texts[:1])
    started = time.process_time()
    predictor.predict_proba(texts)
    return len(texts) / (time.process_time() - started)


def size(models: Path, name: str, setup: Setup) -> int:
    """Return the bytes of the files that predicting with a model reads."""
    used = [models / name / file for file in ("model.npz", "vectorizer.json")]
    if any(hasattr(setup.vectorize[leaf], "frozen") for leaf in leaves(setup.model(name).features, setup.combine)):
        used += [path for path in (models / SHARED).rglob("*") if path.is_file()]  # of the only encoder
    return sum(path.stat().st_size for path in used)


if __name__ == "__main__":
    results.main({"choices-timings": measure})
