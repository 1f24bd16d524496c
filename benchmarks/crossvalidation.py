"""Cross-validate models on the built-in corpora, by the stage of `make studies` and its folds.

    python -m benchmarks.crossvalidation studies-yelp representations-yelp choices-pool

`studies` is what `make studies` says of each corpus. `representations` compares representations and models, `choices`
ways to classify from word counts to sentence vectors; pool is the three corpora as one. Their results have the mean
accuracy and the interval of the difference to logistic regression on word counts, by Nadeau and Bengio's corrected
resampled t test.
"""

from functools import partial
from typing import Any

import pandas as pd

from benchmarks import project, results
from benchmarks.inputs import NAMES, fetch_weights
from textclf.core import files
from textclf.evaluate.comparisons import corrected_t
from textclf.studies.settings import CrossValidate

STAGE = "studies/dvc.yaml:crossvalidate"
POOL = "pool"
MODELS = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
# By name: settings of the terms, and the C of logistic regression that suits them.
REPRESENTATIONS: dict[str, tuple[dict[str, Any], float]] = {
    "counts": ({}, 1.0),
    "binary": ({"weighting": "binary"}, 1.0),
    "binary, words (1,2)": ({"weighting": "binary", "ngram_range": [1, 2]}, 1.0),
    "tf-idf, words (1,2)": ({"weighting": "tfidf", "ngram_range": [1, 2]}, 10.0),
    "tf-idf, letters char_wb (2,5)": ({"weighting": "tfidf", "analyzer": "char_wb"}, 10.0),
    "tf-idf, words (1,2) + char_wb (2,5)": (
        {"weighting": "tfidf", "analyzer": "word+char_wb", "ngram_range": [1, 2]},
        10.0,
    ),
    "tf-idf, hashed into 262,144": ({"weighting": "tfidf", "ngram_range": [1, 2], "hashing": 2**18}, 10.0),
}
LETTERS = {"analyzer": "word+char_wb", "ngram_range": [1, 2]}
VECTORIZE: dict[str, dict[str, Any]] = {
    "counts": {},
    "tfidf": {**LETTERS, "weighting": "tfidf"},
    "presence": {**LETTERS, "weighting": "binary"},
    "sentences": {"method": "encoder"},
}
COMBINE = {"both": {"first": "tfidf", "second": "sentences"}}
# By name: the model with its settings.
CHOICES: dict[str, dict[str, Any]] = {
    "logistic regression on counts": {"kind": "logistic_regression", "features": "counts"},
    "the lesson's network, 25 epochs": {"kind": "keras", "features": "counts", "epochs": 25},
    "NB-SVM on words and letters": {"kind": "nb_svm", "features": "presence"},
    "logistic regression on tf-idf of words and letters": {
        "kind": "logistic_regression",
        "features": "tfidf",
        "C": 10.0,
    },
    "logistic regression on sentence vectors": {"kind": "logistic_regression", "features": "sentences", "C": 10.0},
    "logistic regression on tf-idf beside sentence vectors": {
        "kind": "logistic_regression",
        "features": "both",
        "C": 10.0,
    },
}


def studies(corpus: str) -> dict[str, Any]:
    """Return the means, deviations and tests of `make studies` on a corpus."""
    with project.repro({"fetch.corpus": corpus}, STAGE) as folder:
        report: dict[str, Any] = files.read_json(folder / "metrics" / "crossvalidation.json")
        return report


def representations(corpus: str) -> dict[str, Any]:
    """Return the accuracy of each representation and model."""
    vectorize = {f"terms_{number}": terms for number, (terms, _) in enumerate(REPRESENTATIONS.values())}
    train: dict[str, dict[str, Any]] = {}
    for name, (_, C) in zip(vectorize, REPRESENTATIONS.values(), strict=True):
        for model in MODELS:
            own = {"C": C} if model == "logistic_regression" else {}
            train[f"{name}_{model}"] = {"kind": model, "features": name, **own}
    measured = compare(corpus, {"vectorize": vectorize}, train, "terms_0_logistic_regression")
    return {
        "representations": [
            {"representation": title, "models": {model: measured[f"{name}_{model}"] for model in MODELS}}
            for name, title in zip(vectorize, REPRESENTATIONS, strict=True)
        ]
    }


def choices(corpus: str) -> dict[str, Any]:
    """Return the accuracy of each way to classify a corpus, or all as one, and the number of rows."""
    fetch_weights()
    train = {f"choice_{number}": settings for number, settings in enumerate(CHOICES.values())}
    measured = compare(corpus, {"vectorize": VECTORIZE, "combine": COMBINE}, train, "choice_0")
    named = [{"name": title, **measured[name]} for name, title in zip(train, CHOICES, strict=True)]
    return {"rows": 3000 if corpus == POOL else 1000, "choices": named}


def compare(
    corpus: str, features: dict[str, Any], train: dict[str, dict[str, Any]], baseline: str
) -> dict[str, dict[str, float]]:
    """Return the mean accuracy of each model and the interval of its difference to the baseline, which has none."""
    corpora = {"fetch.corpus": list(NAMES) if corpus == POOL else corpus}
    changes = features | project.train(**train) | corpora | {"crossvalidate.seeds": 1}
    with project.repro(changes, STAGE) as folder:
        trainings = pd.read_csv(folder / "plots" / "crossvalidation.csv")
    accuracies = {str(name): rows["accuracy"].to_numpy() for name, rows in trainings.groupby("model")}
    measured = {}
    for name, accuracy in accuracies.items():
        measured[name] = {"accuracy": float(accuracy.mean())}
        if name != baseline:
            test = corrected_t(accuracy - accuracies[baseline], 1 / (CrossValidate().folds - 1))
            measured[name] |= {"low": test.low, "high": test.high}
    return measured


CASES = {
    f"{measure.__name__}-{name}": partial(measure, name) for measure in (studies, representations) for name in NAMES
}
CASES |= {f"choices-{name}": partial(choices, name) for name in (*NAMES, POOL)}

if __name__ == "__main__":
    results.main(CASES)
