"""Cross-validate ways to classify a corpus, from word counts to sentence vectors, or time them.

    python -m benchmarks.choices --corpus pool --result benchmarks/results/choices-pool.json
    python -m benchmarks.choices --timings --result benchmarks/results/choices-timings.json

All use the folds of `make studies` (section crossvalidate of params.yaml); pool is the three corpora as one. The result
has the mean accuracy and the interval of the difference to logistic regression on word counts, by Nadeau and Bengio's
corrected resampled t test. The pretrained weights are fetched into data/weights.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.representations import ROOT, SECTIONS
from benchmarks.runs import CORPORA as RAW
from benchmarks.runs import WEIGHTS, rounded
from benchmarks.weights import fetch_weights
from textclf.artifacts import layers
from textclf.core import files
from textclf.core.settings import PARAMS_FILE, load_params
from textclf.evaluate.comparisons import corrected_t
from textclf.fetch.catalogue import CORPORA
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.split.draw import draw_splits
from textclf.studies.crossvalidation import crossvalidate
from textclf.studies.measure import Setup
from textclf.tables import corpus
from textclf.vectorize import in_memory, representation
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Vectorize

POOL = "pool"
SPEED_ROWS = 250  # test rows of the lesson's split, which are predicted to measure the speed
LETTERS = {"analyzer": "word+char_wb", "ngram_range": (1, 2)}
VECTORIZE = {
    "counts": {},
    "tfidf": {**LETTERS, "weighting": "tfidf"},
    "presence": {**LETTERS, "weighting": "binary"},
    "sentences": {"method": "encoder"},
}
# By name: the model with its settings.
CHOICES: dict[str, dict[str, Any]] = {
    "logistic regression on counts": {"model": "logistic_regression", "features": "counts"},
    "the lesson's network, 25 epochs": {"model": "keras", "features": "counts", "epochs": 25},
    "NB-SVM on words and letters": {"model": "nb_svm", "features": "presence"},
    "logistic regression on tf-idf of words and letters": {
        "model": "logistic_regression",
        "features": "tfidf",
        "C": 10.0,
    },
    "logistic regression on sentence vectors": {"model": "logistic_regression", "features": "sentences", "C": 10.0},
    "logistic regression on tf-idf beside sentence vectors": {
        "model": "logistic_regression",
        "features": ["tfidf", "sentences"],
        "C": 10.0,
    },
}


def make_setup(params: Mapping[str, Any]) -> tuple[dict[str, str], Setup]:
    """Return the name of each choice as a model, and the settings with all of them."""
    names = {choice: f"choice_{number}" for number, choice in enumerate(CHOICES)}
    entries = {names[choice]: settings for choice, settings in CHOICES.items()}
    train = Train.model_validate({"models": list(entries), **entries})
    return names, Setup(params["split"], Vectorize.model_validate(VECTORIZE), train, params["evaluate"], WEIGHTS)


def read(name: str, params: Mapping[str, Any]) -> Any:
    """Return the rows of a corpus, or of all."""
    return corpus.read(RAW if name == POOL else RAW / CORPORA[name].file, params["data"])


def measure(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the accuracy of each choice, with the interval of the difference to the first."""
    rows, (names, setup) = read(name, params), make_setup(params)
    settings = params["crossvalidate"].model_copy(update={"seeds": 1})
    trainings = crossvalidate(rows.rows, rows.classes, setup, settings)
    folds = {model: part["accuracy"].to_numpy() for model, part in trainings.groupby("model", sort=False)}
    first = folds[next(iter(names.values()))]
    choices = []
    for choice, model in names.items():
        content = {"name": choice, "accuracy": float(np.mean(folds[model]))}
        if folds[model] is not first:
            test = corrected_t(folds[model] - first, 1 / (settings.folds - 1))
            content |= {"low": test.low, "high": test.high}
        choices.append(content)
    return {"rows": len(rows.rows), "choices": choices}


def measure_times(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each choice, on the lesson's split: seconds of CPU to train, texts per second, megabytes."""
    rows, (names, setup) = read("yelp", params), make_setup(params)
    splits = draw_splits(rows.rows, setup.split)
    for name in names.values():  # so that no choice pays for the imports of a library
        wanted = {each: setup.vectorize[each] for each in setup.model(name).features}
        few = {split: part[:40] for split, part in splits.items()}
        parts, _ = vectorize_splits(few, wanted, rows.classes, WEIGHTS)
        fit_model(setup.train.kind(name), parts, setup.model(name))
    content = []
    for choice, name in names.items():
        settings = setup.model(name)
        in_memory._remembering.cache_clear()  # the training includes the encoding of its texts
        started = time.process_time()
        wanted = {each: setup.vectorize[each] for each in settings.features}
        rows_of = {"train": splits["train"], "test": splits["test"][:1]}
        parts, fitted = vectorize_splits(rows_of, wanted, rows.classes, WEIGHTS)
        model: layers.LayerModel = fit_model(setup.train.kind(name), parts, settings).layers
        trained = time.process_time() - started
        used: list[Any] = [
            representation.fit(splits["train"]["text"], each, WEIGHTS) if hasattr(each, "frozen") else fitted[key]
            for key, each in wanted.items()
        ]
        combined = representation.combine([representation.Block("", 1.0, each) for each in used])
        texts = splits["test"]["text"].tolist()[:SPEED_ROWS]
        model.predict_proba(combined.transform(texts[:1]))
        started = time.process_time()
        model.predict_proba(combined.transform(texts))
        rate = len(texts) / (time.process_time() - started)
        size = sum(layer.kernel.nbytes + layer.bias.nbytes for layer in model.layers)
        size += len(json.dumps(combined.to_json()))
        size += sum(len(each.graph) for each in used if isinstance(getattr(each, "graph", None), bytes))
        content.append({"name": choice, "cpu_seconds": trained, "texts_per_cpu_second": rate, "megabytes": size / 1e6})
    return content


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Cross-validate or time ways to classify a corpus.")
    parser.add_argument("--corpus", choices=[*CORPORA, POOL], default=POOL)
    parser.add_argument("--timings", action="store_true", help="time the choices on the lesson's split instead")
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    fetch_weights()
    params = load_params(SECTIONS, ROOT / PARAMS_FILE)
    files.write_json(given.result, rounded(measure_times(params) if given.timings else measure(given.corpus, params)))


if __name__ == "__main__":
    main()
