"""Measure how many wrong labels an audit finds: labels of a corpus are flipped, and looked for.

    python -m benchmarks.audit audit-yelp audit-hard-yelp

Each seed flips other labels; the result has means over the seeds with 95% intervals (Student's t). Labels that were
wrong already count as right, so a row that is flagged for one of them counts as a false alarm. `audit` flips at random;
besides, it has the ids of the most suspicious rows of the corpus as published, and audit-verdicts.json says what two
readers found in each. `audit-hard` flips hard texts: with a probability proportional to 1 minus the highest probability
that a model which is none of the judges gives a class.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import results
from benchmarks.inputs import CORPORA, NAMES, WEIGHTS, fetch_corpora, fetch_weights
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.settings import Evaluate
from textclf.fetch.catalogue import CORPORA as CATALOGUE
from textclf.models.settings import Train
from textclf.split.settings import Split
from textclf.studies.audit.issues import Issues, combine, held_out_probabilities
from textclf.studies.audit.summary import noise_of
from textclf.studies.measure import Setup
from textclf.studies.settings import Audit
from textclf.tables import corpus
from textclf.tables.settings import Data
from textclf.vectorize.in_memory import encode_labels
from textclf.vectorize.settings import Combine, Vectorize

# By name: a representation, and the C of the logistic regression on it that suits it.
MODELS: dict[str, tuple[dict[str, Any], float]] = {
    "words": ({}, 1.0),
    "letters": ({"weighting": "tfidf", "analyzer": "word+char_wb", "ngram_range": (1, 2)}, 10.0),
    "sentences": ({"method": "encoder"}, 10.0),
}
JUDGES = (("words",), ("letters",), ("words", "letters"), ("sentences",))  # models that judge together
DOUBTERS = {("words",): "sentences", ("letters",): "sentences", ("words", "letters"): "sentences"}
DOUBTERS |= {("sentences",): "letters"}  # the model that tells for these judges how hard a text is
SHARES = (0.05, 0.1)  # of the labels that are flipped
SEEDS = 10
READ = 30  # of the most suspicious rows of the corpus as published


def make_setup() -> Setup:
    """Return the default settings with a logistic regression per representation in `MODELS`."""
    vectorize = {name: representation for name, (representation, _) in MODELS.items()}
    models = {name: {"kind": "logistic_regression", "features": name, "C": C} for name, (_, C) in MODELS.items()}
    sections = Vectorize.model_validate(vectorize), Combine(), Train.model_validate(models)
    return Setup(Split(), *sections, Evaluate(), WEIGHTS)


def find_issues(
    rows: pd.DataFrame, classes: list[str], setup: Setup, panels: Sequence[Sequence[str]] = JUDGES
) -> dict[str, Issues]:
    """Return the issues that the models of each panel find, by their names."""
    y = encode_labels(rows["label"], classes)
    models = [name for name in MODELS if any(name in panel for panel in panels)]
    found = dict(held_out_probabilities(rows, classes, models, setup, Audit()))
    return {title(judges): combine(y, [(name, found[name]) for name in judges]) for judges in panels}


def title(judges: Sequence[str]) -> str:
    """Return the name of models that judge together."""
    return " and ".join(judges)


def measure(issues: Issues, flipped: NDArray[np.bool_]) -> dict[str, float]:
    """Return how well the flipped labels are found: by all models together, and in the first rows of the list."""
    number, models = int(flipped.sum()), len(issues.judgements)
    flagged = issues.votes == models
    first = np.lexsort((issues.scores, -issues.votes))[:number]  # the order of the page
    found = {
        "flagged": float(flagged.sum()),
        "precision": float(flipped[flagged].mean()),
        "recall": float(flagged[flipped].mean()),
        "at_k": float(flipped[first].mean()),
    }
    if models == 1:
        found |= describe(issues)
    return found


def describe(issues: Issues) -> dict[str, float]:
    """Return the held-out accuracy of the only model, and the share of wrong labels that it estimates."""
    (judgement,) = issues.judgements.values()
    return {"accuracy": judgement.right / len(issues.votes), "noise": noise_of(judgement.joint)}


def summarize(values: list[float]) -> dict[str, float]:
    """Return the mean of a value over the seeds, with its 95% interval."""
    test = corrected_t(np.array(values), 0)
    return {"mean": test.mean, "low": test.low, "high": test.high}


def flip(
    rows: pd.DataFrame, classes: list[str], share: float, seed: int, doubt: NDArray[np.float64] | None = None
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the rows with the other of two labels in a random share of them, and which those are.

    `doubt` (rows,) makes rows likelier to be drawn, in proportion.
    """
    flipped, rng, count = np.zeros(len(rows), dtype=bool), np.random.default_rng(seed), round(share * len(rows))
    if doubt is None:
        flipped[rng.permutation(len(rows))[:count]] = True
    else:
        flipped[rng.choice(len(rows), count, replace=False, p=doubt / doubt.sum())] = True
    other = dict(zip(classes, reversed(classes), strict=True))
    return rows.assign(label=rows["label"].where(~flipped, rows["label"].map(other))), flipped


def read(name: str) -> tuple[pd.DataFrame, list[str], Setup]:
    """Return the rows of a corpus, its classes and the settings of the models."""
    fetch_corpora()
    fetch_weights()
    table = corpus.read(CORPORA / CATALOGUE[name].file, Data())
    rows = pd.DataFrame(table.table.to_pydict()).drop(columns="split", errors="ignore")
    return rows, list(table.classes), make_setup()


def plant(
    rows: pd.DataFrame,
    classes: list[str],
    setup: Setup,
    doubts: Sequence[tuple[Sequence[Sequence[str]], NDArray[np.float64] | None]],
) -> list[dict[str, Any]]:
    """Return how well flipped labels are found, by share; `doubts` has panels of judges with the doubt that flips."""
    planted = []
    for share in SHARES:
        measured: dict[str, list[dict[str, float]]] = {}
        for seed in range(SEEDS):
            for panels, doubt in doubts:
                changed, flipped = flip(rows, classes, share, seed, doubt)
                for who, issues in find_issues(changed, classes, setup, panels).items():
                    measured.setdefault(who, []).append(measure(issues, flipped))
        found = {
            who: {key: summarize([each[key] for each in all_]) for key in all_[0]} for who, all_ in measured.items()
        }
        planted.append({"share": share, "flipped": int(flipped.sum()), "found": found})
    return planted


def audit_hard(name: str) -> dict[str, Any]:
    """Return the result for a corpus whose hard texts are likelier to have a wrong label."""
    rows, classes, setup = read(name)
    doubters = dict.fromkeys(DOUBTERS.values())
    probabilities = dict(held_out_probabilities(rows, classes, list(doubters), setup, Audit()))
    doubts = [
        ([panel for panel in DOUBTERS if DOUBTERS[panel] == who], 1 - probabilities[who].max(axis=1))
        for who in doubters
    ]
    return {"rows": len(rows), "seeds": SEEDS, "planted": plant(rows, classes, setup, doubts)}


def audit(name: str) -> dict[str, Any]:
    """Return the result for a corpus."""
    rows, classes, setup = read(name)
    planted = plant(rows, classes, setup, [(JUDGES, None)])
    published = {
        who: {"flagged": int((issues.votes == len(issues.judgements)).sum())}
        | (describe(issues) if len(issues.judgements) == 1 else {})
        | {"suspects": rows["id"].to_numpy()[issues.order[:READ]].tolist()}
        for who, issues in find_issues(rows, classes, setup).items()
    }
    return {"rows": len(rows), "seeds": SEEDS, "planted": planted, "published": published}


if __name__ == "__main__":
    cases = {f"audit-{name}": partial(audit, name) for name in NAMES}
    results.main(cases | {f"audit-hard-{name}": partial(audit_hard, name) for name in NAMES})
