"""The preset good of `textclf init` with 8 training rows per class.

It is measured without and with sentence vectors, beside tuned encoders of two sizes.

    python -m benchmarks.few_rows FOLDER [--corpora NAME ...]

FOLDER has pairs <name>.train.csv and <name>.test.csv, with the columns text and label; the lesson's
corpora and their pool are added. Ten draws of the training rows; at most 1,000 test rows, the same
for all draws. `good` is the model that init names or held-out training rows choose; `counts` is
logistic regression on counts of words, with C = 1. `larger_vectors` and `larger_tuned` are sentence
vectors and tuning of the larger encoder; `average` and `larger_average` have the mean of the
probabilities of the tuned encoder and of its vectors. Corpora that are not named keep their stored
results.
"""

import argparse
import multiprocessing
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from benchmarks import results
from benchmarks.inputs import NAMES, POOL, WEIGHTS, fetch_weights, split_lesson
from benchmarks.presets import read
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, squared_norms, stack_columns, unit_scale
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.model_choice import choose, compare_candidates
from textclf.evaluate.registry import compute
from textclf.evaluate.rows import JudgedRows
from textclf.models.common.crossvalidation import crossvalidate
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, settled
from textclf.models.settings import Train
from textclf.project.init.presets import choose_models, tuned_settings
from textclf.project.init.protocol import choose_settings
from textclf.project.init.survey import Survey
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

Array = NDArray[np.float64]

RESULT = "few_rows"
PER_CLASS, DRAWS, TESTED, SEED = 8, 10, 1000, 0
OTHERS = ("counts", "logistic_regression", "sentence_vectors", "combined")
LARGER = "all-mpnet-base-v2"
# The mean of the probabilities of two models.
AVERAGES = {
    "average": ("sentence_vectors", "contrastive"),
    "larger_average": ("larger_vectors", "larger_tuned"),
}
FITTED = (*OTHERS, "contrastive", "larger_vectors", "larger_tuned")
MODELS = (*FITTED, *AVERAGES, "good")
# The columns of the table.
SHOWN = {
    "logistic_regression": "words and letters",
    "sentence_vectors": "sentence vectors",
    "combined": "both",
    "contrastive": "contrastive",
    "average": "average",
}
SHOWN_LARGER = {
    "larger_vectors": "sentence vectors",
    "larger_tuned": "contrastive",
    "larger_average": "average",
}


def measure(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Return accuracy and log loss by model and draw, and CPU seconds of contrastive fits."""
    test = test.sample(min(TESTED, len(test)), random_state=SEED)
    draws = [train.groupby("label").sample(PER_CLASS, random_state=draw) for draw in range(DRAWS)]
    counts = dict.fromkeys(sorted(train["label"].unique()), PER_CLASS)
    characters = int(draws[0]["text"].str.len().sum())
    result = Survey(
        counts,
        counts,
        0,
        0,
        0,
        10,
        20,
        characters=characters,
        given={"test": 0},
        language="English",
    )
    models_of = choose_models("good", result)
    sections, chosen = models_of.sections, choose_settings("good", result, models_of.candidates)
    named = next(choice.value for choice in chosen if choice.key == "export.model")
    vectorize = Vectorize.model_validate(
        {
            **sections["vectorize"],
            "counts": {},
            "pieces": {"method": "wordpieces"},
            "larger": {"method": "encoder", "pretrained": LARGER},
            "larger_pieces": {"method": "wordpieces", "pretrained": LARGER},
        }
    )
    tuned = tuned_settings(len(draws[0]))
    added = {
        "counts": {"kind": "logistic_regression", "features": "counts", "C": 1.0},
        "contrastive": tuned,
        "larger_vectors": {**sections["train"]["sentence_vectors"], "features": "larger"},
        "larger_tuned": {**tuned, "features": "larger_pieces", "pretrained": LARGER},
    }
    models = {**sections["train"], **added}
    # The vectors of a text depend on no other text.
    texts = pd.concat([*draws, test]).drop_duplicates("id")
    encoded = {
        name: features({"train": texts}, name, vectorize, list(counts))["train"]
        for name in ("sentences", "larger")
    }
    place = {name: row for row, name in enumerate(encoded["sentences"].ids.tolist())}
    found_scores: dict[str, list[list[float]]] = {name: [] for name in MODELS}
    seconds: dict[str, list[float]] = {"contrastive": [], "larger_tuned": []}
    for draw in draws:
        splits = {"train": draw.sample(frac=1, random_state=SEED), "test": test}
        parts = {
            name: features(splits, name, vectorize, list(counts))
            for name in ("words", "counts", "pieces", "larger_pieces")
        }
        for name, vectors in encoded.items():
            parts[name] = {
                split: vectors.take(np.array([place[row] for row in rows["id"]]))
                for split, rows in splits.items()
            }
        parts["words_and_sentences"] = combine(parts["words"], parts["sentences"])
        # A process of its own for each draw, since TensorFlow keeps the networks of all fits.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            measured, cpu = pool.apply(scores, (parts, models, named))
        for name, taken in cpu.items():
            seconds[name].append(taken)
        for name, score in measured.items():
            found_scores[name].append(score)
        results.tell(f"{len(found_scores['good'])} of {DRAWS}: {measured}; {cpu}")
    return {
        "classes": len(counts),
        "test_rows": len(test),
        "scores": found_scores,
        "seconds": seconds["contrastive"],
        "larger_seconds": seconds["larger_tuned"],
    }


def features(
    splits: Mapping[str, pd.DataFrame], name: str, vectorize: Vectorize, classes: list[str]
) -> dict[str, Features]:
    """Return the features of each split in a representation of the preset."""
    return vectorize_splits(splits, name, vectorize, Combine(), classes, WEIGHTS)


def combine(first: Mapping[str, Features], second: Mapping[str, Features]) -> dict[str, Features]:
    """Return two representations side by side, as the stage combine makes them."""
    scales = [
        unit_scale(len(each["train"].y), float(squared_norms(each["train"].X).sum()))
        for each in (first, second)
    ]
    return {
        split: Features(
            part.ids, stack_columns([part.X, second[split].X], scales), part.y, part.classes
        )
        for split, part in first.items()
    }


def scores(
    parts: Mapping[str, Mapping[str, Features]], sections: Mapping[str, Any], named: str | None
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return accuracy and log loss of each model, and of the one that is named or chosen.

    Also the CPU seconds of the tuned models; the first fit of a process compiles the network.
    """
    predicted, held_out, seconds = {}, {}, {}
    models, folders = Train.model_validate(sections), Folders(WEIGHTS)
    for name in FITTED:
        settings = models[name]
        of_model = parts[settings.features]
        datasets = {split: Dataset.of_rows(part) for split, part in of_model.items()}
        start = time.process_time()
        fitted = fit_model(settings.kind, datasets, settings, folders)
        if settings.kind == "transformer":
            seconds[name] = round(time.process_time() - start, 1)
        predicted[name] = fitted.layers.predict_proba(of_model["test"].X)
        if name in OTHERS[1:] and named is None:
            rows = crossvalidate(
                settings.kind, of_model["train"], settled(settings, fitted.record), folders
            )
            if rows is not None:
                held_out[name] = rows
    for name, (first, second) in AVERAGES.items():
        predicted[name] = (predicted[first] + predicted[second]) / 2
    y = parts["words"]["test"].y
    measured = {}
    for name, probabilities in predicted.items():
        numbers = compute(y, probabilities, probabilities.argmax(axis=1))
        measured[name] = [numbers["accuracy"], numbers["log_loss"]]
    return measured | {"good": measured[named or choose_by(held_out)]}, seconds


def choose_by(held_out: Mapping[str, Predictions]) -> str:
    """Return the model that held-out training rows choose."""
    judged = {
        name: JudgedRows(
            rows.y, rows.probabilities, rows.probabilities.argmax(axis=1), stratified=True
        )
        for name, rows in held_out.items()
    }
    return choose(compare_candidates(judged))


def table() -> str:
    """Return mean accuracy and log loss by corpus and model, with their standard deviations.

    The gain of the contrastive model is that over the sentence vectors of the same draws, in
    points. A model that is not measured has an empty cell.
    """
    lines = []
    for corpus, each in results.read(RESULT)["corpora"].items():
        scores = {name: np.array(scores) for name, scores in each["scores"].items()}
        cells = [_mean(scores.get(name)) for name in SHOWN]
        gain = _gain(scores["contrastive"], scores["sentence_vectors"])
        lines.append([corpus, str(each["classes"]), *cells, gain, f"{each['seconds'][0]:.0f}"])
    header = ["corpus", "classes", *SHOWN.values(), "gain", "CPU s"]
    return results.markdown(header, lines)


def larger_table() -> str:
    """Return the same of the larger encoder; its gain is over the contrastive smaller one."""
    lines = []
    for corpus, each in results.read(RESULT)["corpora"].items():
        if "larger_tuned" not in each["scores"]:
            continue
        scores = {name: np.array(scores) for name, scores in each["scores"].items()}
        cells = [_mean(scores[name]) for name in SHOWN_LARGER]
        gains = [_gain(scores[name], scores["contrastive"]) for name in SHOWN_LARGER]
        lines.append([corpus, *cells, *gains, f"{each['larger_seconds'][0]:.0f}"])
    gains = [f"gain of {name}" for name in SHOWN_LARGER.values()]
    return results.markdown(["corpus", *SHOWN_LARGER.values(), *gains, "CPU s"], lines)


def _mean(scores: Array | None) -> str:
    """Return mean accuracy and log loss over the draws; none if the model is not measured."""
    if scores is None:
        return ""
    accuracy, loss = scores.T
    return f"{100 * accuracy.mean():.1f} ± {100 * accuracy.std(ddof=1):.1f}; {loss.mean():.2f}"


def _gain(scores: Array, others: Array) -> str:
    """Return the mean gain in points of accuracy on the same draws, with its 95% interval."""
    gains = 100 * (scores - others)[:, 0]
    low, high = stats.ttest_1samp(gains, 0).confidence_interval()
    return f"{gains.mean():+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    """Measure the corpora that the command line names, by default all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*")
    given = parser.parse_args()
    fetch_weights(LARGER)
    fetched = sorted(
        path.name.removesuffix(".train.csv") for path in given.folder.glob("*.train.csv")
    )
    corpora = {}
    for corpus in given.corpora or [*NAMES, POOL, *fetched]:
        if corpus in (*NAMES, POOL):
            train, test = split_lesson(corpus)
        else:
            train, test = (
                read(given.folder / f"{corpus}.{split}.csv") for split in ("train", "test")
            )
        for split, rows in (("train", train), ("test", test)):
            rows["id"] = [f"{split} {number}" for number in range(len(rows))]
        corpora[corpus] = measure(train, test)
        means = {
            name: round(float(np.mean(each, axis=0)[0]), 3)
            for name, each in corpora[corpus]["scores"].items()
        }
        results.tell(f"{corpus}: {means}")
        results.write(RESULT, {"corpora": {**results.read(RESULT)["corpora"], **corpora}})


if __name__ == "__main__":
    main()
