"""Time ways to classify the lesson's split, from word counts to sentence vectors: `CHOICES` of crossvalidation.py.

python -m benchmarks.choices
"""

import json
import time
from typing import Any

from benchmarks import results
from benchmarks.crossvalidation import CHOICES, VECTORIZE
from benchmarks.inputs import CORPORA, WEIGHTS, fetch_corpora, fetch_weights
from textclf.artifacts import layers
from textclf.core.settings import PARAMS_FILE, load_params
from textclf.evaluate.settings import Evaluate
from textclf.fetch.catalogue import CORPORA as CATALOGUE
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.split.draw import draw_splits
from textclf.split.settings import Split
from textclf.studies.measure import Setup
from textclf.tables import corpus
from textclf.tables.settings import Data
from textclf.vectorize import in_memory, representation
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Vectorize

SPEED_ROWS = 250  # test rows of the lesson's split, which are predicted to measure the speed
SECTIONS = {"data": Data, "evaluate": Evaluate, "split": Split}


def measure() -> dict[str, Any]:
    """Return for each choice, on the lesson's split: seconds of CPU to train, texts per second, megabytes."""
    fetch_corpora()
    fetch_weights()
    params = load_params(SECTIONS, results.ROOT / PARAMS_FILE)
    rows = corpus.read(CORPORA / CATALOGUE["yelp"].file, params["data"])
    names = {choice: f"choice_{number}" for number, choice in enumerate(CHOICES)}
    entries = {names[choice]: settings for choice, settings in CHOICES.items()}
    train = Train.model_validate({"models": list(entries), **entries})
    setup = Setup(params["split"], Vectorize.model_validate(VECTORIZE), train, params["evaluate"], WEIGHTS)
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
    return {"choices": content}


if __name__ == "__main__":
    results.main({"choices-timings": measure})
