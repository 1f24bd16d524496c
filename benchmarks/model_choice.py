"""How often the default model is the best one, and what it loses on average, on resampled splits.

    python -m benchmarks.model_choice [FOLDER]

Corpora are the built-in ones, their pool, and FOLDER/*.csv with the columns text and label, of which a.train.csv and
a.test.csv are one corpus. Each split draws the training rows anew. The models are chosen by their predictions for
held-out training rows, or for validation rows that are drawn beside them, and measured on the rest of the rows. What
the models predicted is kept in `SPLITS` and not measured again.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import results
from benchmarks.inputs import NAMES, WEIGHTS, read_rows
from benchmarks.results import ROOT
from textclf.artifacts.dataset import Dataset
from textclf.evaluate.metrics import log_losses
from textclf.evaluate.model_choice import choose, compare_candidates, score_after_choice
from textclf.evaluate.rows import Rows
from textclf.models.common import crossvalidation
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import predict
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

SPLITS = ROOT / "data" / "model_choice"
POOL, MANY = "pool", "clinc"  # the corpus with many classes
TRAIN = dict.fromkeys(NAMES, 400) | {MANY: 4500}  # training rows
OTHERS = 1000  # training rows of the other corpora
REPEATS = dict.fromkeys((*NAMES, POOL), 50) | {MANY: 5}  # splits
OTHER_REPEATS = 25
VALIDATION = 0.18  # of the training rows, so that 15% of both are validation rows
REST = 2000  # rows at most on which the models are measured
BEFORE, AFTER = 3000, 20_000  # training rows that are cross-validated at most
WORDS = {"weighting": "tfidf", "ngram_range": [1, 2]}
LETTERS = {**WORDS, "analyzer": "word+char_wb", "min_df": 2}
VECTORIZE = Vectorize.model_validate({"counts": {}, "words": WORDS, "letters": LETTERS})
MODELS = Train.model_validate(  # from the fastest to the slowest
    {
        "naive_bayes": {"kind": "naive_bayes", "features": "counts"},
        "regression_counts": {"kind": "logistic_regression", "features": "counts"},
        "regression_words": {"kind": "logistic_regression", "features": "words", "C": 10.0},
        "linear_svm": {"kind": "linear_svm", "features": "words"},
        "nb_svm": {"kind": "nb_svm", "features": "words"},
        "regression_letters": {"kind": "logistic_regression", "features": "letters", "C": 10.0},
    }
)
SLOW = ("regression_words", "regression_letters")  # with many classes: minutes per split

Arrays = Mapping[str, Any]
Compared = Mapping[str, Mapping[str, float]]


def corpora(folder: Path | None) -> dict[str, pd.DataFrame]:
    """Return the rows of each corpus, without those that repeat a text: text, label, id."""
    parts: defaultdict[str, list[pd.DataFrame]] = defaultdict(list)
    for name in NAMES:
        rows = pd.DataFrame(read_rows(name), columns=["text", "label"])
        parts[name].append(rows)
        parts[POOL].append(rows)
    for path in sorted(folder.glob("*.csv")) if folder else ():
        parts[path.name.split(".")[0]].append(pd.read_csv(path, dtype=str, keep_default_na=False))
    read = {name: pd.concat(rows).drop_duplicates("text", ignore_index=True) for name, rows in parts.items()}
    return {name: rows.assign(id=rows.index.astype(str)) for name, rows in read.items()}


def measure_split(rows: pd.DataFrame, models: Sequence[str], size: int, seed: int) -> dict[str, Any]:
    """Return what the models predict for the rows that choose, and their accuracy and log loss on the rest."""
    order = np.random.default_rng(seed).permutation(len(rows))
    validated = round(VALIDATION * size)
    cuts = {"train": order[:size], "validation": order[size : size + validated]}
    cuts["rest"] = order[size + validated :][:REST]
    splits = {split: rows.iloc[places] for split, places in cuts.items()}
    classes = sorted(rows["label"].unique())
    folders, found, features = Folders(WEIGHTS), dict[str, Any](), dict[str, Any]()
    for name in models:
        settings = MODELS[name]
        if settings.features not in features:
            made = vectorize_splits(splits, settings.features, VECTORIZE, Combine(), classes, WEIGHTS)
            features[settings.features] = made
        read = features[settings.features]
        model = load_model(settings.kind).fit(Dataset.of_rows(read["train"]), None, settings, folders).layers
        rest, validation = (predict(model, split, read[split]) for split in ("rest", "validation"))
        found["y_validation"], found[f"validation {name}"] = validation.y, validation.probabilities
        right = rest.probabilities.argmax(axis=1) == rest.y
        found[f"rest {name}"] = np.array([right.mean(), log_losses(rest.y, rest.probabilities).mean()])
        for most, per_class in ((BEFORE, 0), (AFTER, 100)):
            if most > BEFORE and size <= BEFORE:  # the same rows
                continue
            crossvalidation.PER_CLASS = per_class
            held_out = crossvalidation.crossvalidate(settings.kind, read["train"], settings, folders)
            if held_out is None:
                raise ValueError(f"{name} cannot be cross-validated")
            found[f"y_{most}"], found[f"{most} {name}"] = held_out.y, held_out.probabilities
    return found


def measure(folder: Path | None) -> dict[str, Any]:
    """Return what each rule loses, by the rows that choose; and how well the accuracy of the choice is known."""
    SPLITS.mkdir(parents=True, exist_ok=True)
    splits: defaultdict[str, list[Arrays]] = defaultdict(list)
    for name, rows in corpora(folder).items():
        models = [each for each in MODELS.names() if name != MANY or each not in SLOW]
        for seed in range(REPEATS.get(name, OTHER_REPEATS)):
            path = SPLITS / f"{name}-{seed}.npz"
            if not path.exists():
                np.savez_compressed(path, **measure_split(rows, models, TRAIN.get(name, OTHERS), seed))
            splits[name].append(dict(np.load(path)))
    return {
        "splits": {name: len(each) for name, each in splits.items()},
        "validation": {rule: lost(splits, rule, "validation", "validation") for rule in RULES},
        "held_out": {rule: lost(splits, rule, BEFORE, BEFORE if rule == "before" else AFTER) for rule in RULES},
        "optimism": optimism(splits),
    }


def lost(splits: Mapping[str, Sequence[Arrays]], rule: str, few: object, many: object) -> dict[str, Any]:
    """Return the mean over the corpora of what the model that a rule chooses lacks to the best on the rest.

    `accuracy` and `log_loss` are what is lost, `error` the standard error of the first over the splits, `best` the
    share of the splits in which nothing is lost, `place` the mean place from the fastest, 0, to the slowest, 1.
    """
    by_corpus = {}
    for corpus, each in splits.items():
        numbers = []
        for split in each:
            rows = candidates(split, many if f"y_{many}" in split else few)
            models = list(rows.decided)
            rest = np.array([split[f"rest {name}"] for name in models])
            place = models.index(RULES[rule](rows, models))
            accuracy, loss = rest[:, 0].max() - rest[place, 0], rest[place, 1] - rest[:, 1].min()
            numbers.append((accuracy, loss, accuracy == 0, place / (len(models) - 1)))
        by_corpus[corpus] = np.array(numbers, dtype=np.float64)
    means = np.array([numbers.mean(axis=0) for numbers in by_corpus.values()])
    variances = [numbers[:, 0].var(ddof=1) / len(numbers) for numbers in by_corpus.values()]
    return {
        **dict(zip(("accuracy", "log_loss", "best", "place"), means.mean(axis=0).tolist(), strict=True)),
        "error": math.sqrt(sum(variances)) / len(variances),
        "corpora": dict(zip(by_corpus, means[:, 0].tolist(), strict=True)),
    }


def optimism(splits: Mapping[str, Sequence[Arrays]]) -> dict[str, float]:
    """Return by how much the accuracy of the chosen model is too high: on the validation rows, and as corrected.

    Both are means over the corpora, of differences to its accuracy on the rest.
    """
    by_corpus = []
    for each in splits.values():
        numbers = []
        for split in each:
            rows = candidates(split, "validation")
            models = list(rows.decided)
            chosen = choose(compare_candidates(rows, models))
            there, expected = 1 - rows.wrong(chosen).mean(), score_after_choice(rows, models)
            numbers.append(np.array([there, expected]) - split[f"rest {chosen}"][0])
        by_corpus.append(np.mean(numbers, axis=0))
    there, expected = np.mean(by_corpus, axis=0).tolist()
    return {"on_the_rows_that_chose": there, "corrected": expected}


def candidates(split: Arrays, rows: object) -> Rows:
    """Return what the models predict for the rows of this name that choose."""
    start = f"{rows} "
    probabilities = {key.removeprefix(start): each for key, each in split.items() if key.startswith(start)}
    decided = {name: each.argmax(axis=1) for name, each in probabilities.items()}
    y = split[f"y_{rows}"]
    return Rows(y, probabilities, decided, None, False, next(iter(probabilities.values())).shape[1])


def _scores(rows: Rows, models: Sequence[str]) -> dict[str, tuple[float, float]]:
    losses = {name: float(log_losses(rows.y, rows.probabilities[name]).mean()) for name in models}
    return {name: (1 - float(rows.wrong(name).mean()), losses[name]) for name in models}


def before(rows: Rows, models: Sequence[str]) -> str:
    """Return the lowest log loss of those within one standard error of the highest accuracy, not a paired one."""
    scores = _scores(rows, models)
    highest = max(accuracy for accuracy, _ in scores.values())
    least = highest - math.sqrt(highest * (1 - highest) / len(rows))
    close = [name for name in models if scores[name][0] >= least]
    return min(close, key=lambda name: (scores[name][1], -scores[name][0]))


def paired(errors: float, then: str) -> Callable[[Rows, Sequence[str]], str]:
    """Return the rule that takes, of models tied in accuracy, the lowest log loss or the fastest of the tied ones."""

    def rule(rows: Rows, models: Sequence[str]) -> str:
        scores, compared = _scores(rows, models), compare_candidates(rows, models)
        close = [
            name
            for name in models
            if -compared[name]["accuracy_difference"] <= errors * compared[name]["accuracy_error"]
        ]
        if then == "log loss":
            return min(close, key=lambda name: scores[name][1])
        if then == "fastest":
            return close[0]
        best = min(close, key=lambda name: scores[name][1])
        losses = {name: log_losses(rows.y, rows.probabilities[name]) for name in close}
        return next(
            name
            for name in close
            if (gaps := losses[name] - losses[best]).mean() <= errors * gaps.std(ddof=1) / math.sqrt(len(rows))
        )

    return rule


RULES: dict[str, Callable[[Rows, Sequence[str]], str]] = {
    "before": before,
    "highest accuracy": lambda rows, models: max(models, key=lambda name: _scores(rows, models)[name][0]),
    "lowest log loss": lambda rows, models: min(models, key=lambda name: _scores(rows, models)[name][1]),
    "accuracy within 1, lowest log loss": paired(1.0, "log loss"),
    "accuracy within 1, fastest": paired(1.0, "fastest"),
    "both within 1, fastest": paired(1.0, "both"),
    "accuracy within 0.5, lowest log loss": paired(0.5, "log loss"),
    "after: both within 0.5, fastest": lambda rows, models: choose(compare_candidates(rows, models)),
}


def table() -> str:
    """Return what each rule loses."""
    content = results.read("model_choice")
    rows = [
        [rule]
        + [
            text
            for found in (content[kind][rule] for kind in ("validation", "held_out"))
            for text in (
                f"{100 * found['accuracy']:.2f} ± {200 * found['error']:.2f}",
                f"{found['log_loss']:.3f}",
                f"{found['best']:.0%}",
                f"{found['place']:.2f}",
            )
        ]
        for rule in RULES
    ]
    numbers = ["points lost", "log loss lost", "the best", "place"]
    header = ["rule", *(f"{kind}: {number}" for kind in ("validation", "held out") for number in numbers)]
    named = [f"{name} {count}" for name, count in content["splits"].items()]
    there, corrected = (100 * content["optimism"][key] for key in ("on_the_rows_that_chose", "corrected"))
    note = (
        f"Means over the corpora; ± two standard errors over the splits: {', '.join(named)}. On the validation rows "
        f"that chose it, the accuracy of the model is {there:+.1f} points from that on the rest; `choice.accuracy` is "
        f"{corrected:+.1f} points from it."
    )
    return f"{results.markdown(header, rows)}\n\n{note}"


TABLES = {"model-choice": table}

if __name__ == "__main__":
    results.write("model_choice", measure(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
