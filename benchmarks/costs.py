"""Mean cost of the decisions of logistic regression on an imbalanced table: at 0.5, by a threshold, by costs.

    python -m benchmarks.costs

The table has made-up texts, of which 8% are positive; a missed positive costs 10, a false alarm 1, and no answer 0.4.
All decisions are chosen on the validation rows. `first` has the mean costs on the test rows of the first table, with
95% intervals and paired differences from `costs`; `tables` the mean over all tables, and the share of the tables in
which the decisions cost more than those of `costs`.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks import results
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.costs import cheapest_constant, cost_interval
from textclf.evaluate.influence import compare_metric
from textclf.evaluate.metrics import row_costs
from textclf.evaluate.rows import Rows
from textclf.evaluate.settings import Evaluate
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, predict
from textclf.models.settings import Train
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

RESULT = "costs"
TABLES, SIZES, POSITIVE = 20, {"train": 3000, "validation": 1000, "test": 1500}, 0.08
WORDS, LEANING, LENGTHS = 3000, 0.8, (4, 16)
MISSED, ALARM, NONE = 10.0, 1.0, 0.4
MATRIX = ((0.0, ALARM, NONE), (MISSED, 0.0, NONE))
ANSWERS = tuple(row[:2] for row in MATRIX)
COSTS: dict[str, Any] = {"1": {"0": MISSED}}
POLICIES: dict[str, dict[str, Any]] = {
    "0.5": {},
    "accuracy": {"threshold": "accuracy"},
    "f1": {"threshold": "f1"},
    "costs": {"costs": COSTS},
    "costs, calibrated": {"costs": COSTS, "calibration": "platt"},
    "costs, calibrated, no answer": {"costs": COSTS | {"abstain": NONE}, "calibration": "platt"},
}


def make_table(seed: int) -> dict[str, pd.DataFrame]:
    """Return the rows of each split: words with Zipf's frequencies, each more frequent in one of the classes."""
    generator = np.random.default_rng(seed)
    frequency, leaning = 1 / np.arange(10, WORDS + 10), generator.normal(0, LEANING, WORDS)
    splits = {}
    for split, count in SIZES.items():
        y = (generator.random(count) < POSITIVE).astype(int)
        shares = [frequency * np.exp(sign * leaning / 2) for sign in (-1, 1)]
        words = [generator.choice(WORDS, generator.integers(*LENGTHS), p=shares[k] / shares[k].sum()) for k in y]
        texts = [" ".join(f"w{word}" for word in row) for row in words]
        ids = [f"{split}:{n}" for n in range(count)]
        splits[split] = pd.DataFrame({"id": ids, "text": texts, "label": y.astype(str), "y": y})
    return splits


def predictions(splits: dict[str, pd.DataFrame]) -> dict[str, Predictions]:
    """Return the predictions of logistic regression for the validation and the test rows."""
    vectorize = Vectorize.model_validate({"words": {"method": "terms", "weighting": "tfidf", "sublinear_tf": True}})
    train = Train.model_validate({"model": {"kind": "logistic_regression", "features": "words", "C": [1.0, 10.0]}})
    folders = Folders(results.ROOT)
    features = vectorize_splits(splits, "words", vectorize, Combine(), ("0", "1"), results.ROOT)
    datasets = {split: Dataset.of_rows(part) for split, part in features.items()}
    model = fit_model("logistic_regression", datasets, train["model"], folders).layers
    return {split: predict(model, split, features[split]) for split in ("validation", "test")}


def decide(rows: dict[str, Predictions]) -> Rows:
    """Return the test rows as each policy decides them, chosen on the validation rows."""
    test = rows["test"]
    decided = {}
    for name, settings in POLICIES.items():
        decision: Decision = choose_decision(rows["validation"], Evaluate.model_validate(settings))
        decided[name] = decision.decide(decision.calibrate(test.probabilities))
    return Rows(test.y, dict.fromkeys(POLICIES, test.probabilities), decided, None, False, 2, MATRIX)


def measure() -> dict[str, Any]:
    """Return the numbers of all tables."""
    costs, first = [], {}
    for seed in range(TABLES):
        splits = make_table(seed)
        rows = decide(predictions(splits))
        counts = [np.bincount(splits[split]["y"], minlength=2) for split in ("train", "test")]
        means = {name: float(row_costs(MATRIX, rows.y, rows.decided[name]).mean()) for name in POLICIES}
        costs.append(means | {"cheapest constant": cheapest_constant(ANSWERS, *counts)[1]})
        if not seed:
            compared = compare_metric(rows, "cost", means, [(name, "costs") for name in means], 0.95)
            first = {
                name: {
                    "cost": mean,
                    **cost_interval(rows, name, 0.95)._asdict(),
                    "more_than_costs": (more := compared[name, "costs"]) and more.rounded(),
                    "answered": float((rows.decided[name] >= 0).mean()),
                }
                for name, mean in means.items()
            }
    table = pd.DataFrame(costs)
    dearer = table.gt(table["costs"], axis=0).mean()
    of_all = {name: {"cost": float(table[name].mean()), "dearer": float(dearer[name])} for name in costs[0]}
    return {"first": first, "tables": of_all, "rows": SIZES, "positive": POSITIVE, "number": TABLES}


def table() -> str:
    """Return the mean cost of each kind of decision, over all tables and with its interval on the first one."""
    content = results.read(RESULT)
    names = {"0.5": "above 0.5", **{name: f"threshold by {name}" for name in ("accuracy", "f1")}}
    rows = []
    for name in ("cheapest constant", *POLICIES):
        mean, first = content["tables"][name], content["first"].get(name)
        shown = f"{first['cost']:.3f} ({first['low']:.3f} to {first['high']:.3f})" if first else ""
        more = first and first["more_than_costs"]
        difference = "{difference:+.3f} ({low:+.3f} to {high:+.3f})".format(**more) if more else ""
        compared = ["", ""] if name == "costs" else [difference, f"{mean['dearer']:.0%}"]
        rows.append([names.get(name, name), f"{mean['cost']:.3f}", shown, *compared])
    header = ["decisions", "mean of all tables", "first table, 95% interval", "against costs", "tables that cost more"]
    return results.markdown(header, rows)


if __name__ == "__main__":
    results.main({RESULT: measure})
