"""How much the numbers depend on the split, on the seed and on the number of rows: models trained many times."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.evaluate import evaluation, statistics
from textclf.models import FOLDS
from textclf.models.fitting import train
from textclf.params import CrossValidate, Params
from textclf.split import splitting
from textclf.vectorize import features

METRICS = ("accuracy", "log_loss")


def folds(rows: pd.DataFrame, settings: CrossValidate) -> Iterator[tuple[int, int, dict[str, pd.DataFrame]]]:
    """Number of the repeat, number of the fold (both from 1), and its splits `train` and `test`.

    In each repeat every row is tested once. The folds are stratified, and rows of one `splitting.normalised`
    text, or one group, stay together. `UserError` where a class has fewer such than there are folds, or all of them
    came into one.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = splitting.groups(rows, duplicates=True)
    units = "groups" if "group" in rows else "texts"
    counts = pd.Series(groups).groupby(rows["label"].to_numpy()).nunique()
    if (fewest := counts.min()) < settings.folds:
        raise UserError(
            f"a class must have at least {settings.folds} {units} for so many folds; {counts.idxmin()} has {fewest}"
        )
    for repeat in range(settings.repeats):
        parting = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed + repeat)
        for fold, (kept, tested) in enumerate(parting.split(rows["text"], rows["label"], groups), start=1):
            train, test = rows.iloc[kept], rows.iloc[tested]
            if missing := set(test["label"]) - set(train["label"]):
                raise UserError(
                    f"the training rows of every fold must hold every class; {min(missing)} has all {units} in one of "
                    f"{settings.folds}: set another crossvalidate.seed, or more folds"
                )
            yield repeat + 1, fold, {"train": train, "test": test}


def measure(
    splits: dict[str, pd.DataFrame], classes: Sequence[str], name: str, params: Params, **changed: Any
) -> dict[str, float]:
    """`METRICS` of the test rows for a model trained on the training rows, its vocabulary theirs.

    With a `split.validation_size` so large a share of the training rows validates, unless `splits` already
    has such rows. `changed` are settings of the model.
    """
    if params.split.validation_size > 0 and "validation" not in splits:
        count = math.ceil(params.split.validation_size * len(splits["train"]))
        kept, taken = splitting.take(splits["train"], count, params.split)
        splits = {"train": kept, "validation": taken, "test": splits["test"]}
    settings = getattr(params.train, name).model_copy(update=changed)
    vectors, _ = features.vectorize(splits, params.vectorize, classes)
    trained = train(name, vectors, settings)
    decided, _ = evaluation.decisions({name: trained.predictions}, params.evaluate)
    measured = evaluation.metrics(decided[name][decided[name]["split"] == "test"])
    return {metric: measured[metric] for metric in METRICS}


def crossvalidate(rows: pd.DataFrame, classes: Sequence[str], params: Params) -> pd.DataFrame:
    """A row a model, repeat and fold: `model`, `repeat`, `fold`, `seed` and `METRICS`.

    Models with a seed are trained with other seeds too on the first fold, under repeat 0.
    """
    from tqdm import tqdm

    total = params.crossvalidate.folds * params.crossvalidate.repeats
    found = []
    for repeat, fold, splits in tqdm(
        folds(rows, params.crossvalidate), total=total, unit="fold", disable=None, leave=False
    ):
        for name in params.train.models:
            seeds = [getattr(getattr(params.train, name), "seed", None)]
            if seeds[0] is not None and (repeat, fold) == (1, 1):
                seeds += [seeds[0] + more for more in range(1, params.crossvalidate.seeds)]
            for position, seed in enumerate(seeds):
                changed = {} if seed is None else {"seed": seed}
                place = {"repeat": repeat if position == 0 else 0, "fold": fold, "seed": seed or 0}
                found.append({"model": name, **place, **measure(splits, classes, name, params, **changed)})
    return pd.DataFrame(found)


def summary(table: pd.DataFrame, settings: CrossValidate, confidence: float = statistics.CONFIDENCE) -> dict[str, Any]:
    """Numbers of the table that `crossvalidate` gives.

    `<model>.<metric>.mean` and `.sd` over the folds of all repeats, `.sd_of_seeds` over the seeds on one fold;
    `<later>_vs_<earlier>` the difference in accuracy with the corrected resampled t test of Nadeau and Bengio:
    `mean`, `sd`, `low`, `high`, `t`, `p`, and `p_holm`, corrected for the number of pairs.
    """
    over_folds = table[table["repeat"] > 0]
    report: dict[str, Any] = {}
    by_model = {str(name): measured for name, measured in over_folds.groupby("model", sort=False)}
    for name, measured in by_model.items():
        one_fold = table[(table["model"] == name) & (table["repeat"] <= 1) & (table["fold"] == 1)]
        report[name] = {
            metric: {"mean": measured[metric].mean(), "sd": measured[metric].std(ddof=1)}
            | ({"sd_of_seeds": one_fold[metric].std(ddof=1)} if len(one_fold) > 1 else {})
            for metric in METRICS
        }
    accuracy = {name: measured["accuracy"].to_numpy() for name, measured in by_model.items()}
    tests = {
        f"{later}_vs_{earlier}": asdict(
            statistics.corrected_t(
                accuracy[later] - accuracy[earlier], ratio=1 / (settings.folds - 1), confidence=confidence
            )
        )
        for earlier, later in combinations(accuracy, 2)
    }
    adjusted = statistics.holm(np.array([test["p"] for test in tests.values()]))
    for (pair, test), p in zip(tests.items(), adjusted, strict=True):
        report[pair] = test | {"p_holm": float(p)}
    return rounded(report)


def rounded(report: Mapping[str, Any]) -> dict[str, Any]:
    """The same nested numbers with `DIGITS` after the point; what is not finite is left out."""
    kept: dict[str, Any] = {}
    for key, value in report.items():
        if isinstance(value, Mapping):
            kept[key] = rounded(value)
        elif np.isfinite(value):
            kept[key] = round(float(value), DIGITS)
    return kept


def learning_curve(splits: dict[str, pd.DataFrame], classes: Sequence[str], params: Params) -> pd.DataFrame:
    """A row a model and share of the training rows: `model`, `rows`, `accuracy`, `accuracy_low`, `accuracy_high`.

    The first rows of the training split are taken, which are in random order, in ten steps; the test rows are
    always the same, and the interval is Wilson's for them. A step with too few rows of a class is left out;
    `UserError` if all are.
    """
    everything = splits["train"]
    enough = 2  # rows of a class, to calibrate by
    if isinstance(params.train.logistic_regression.C, tuple):
        enough = FOLDS  # to choose by
    found = []
    for tenth in range(1, 11):
        some = everything.iloc[: max(1, len(everything) * tenth // 10)]
        counts = some["label"].value_counts()
        if len(counts) < everything["label"].nunique() or counts.min() < enough:
            continue
        for name in params.train.models:
            accuracy = measure({**splits, "train": some}, classes, name, params)["accuracy"]
            tested = len(splits["test"])
            low, high = statistics.wilson(round(accuracy * tested), tested, params.evaluate.confidence)
            found.append(
                {"model": name, "rows": len(some), "accuracy": accuracy, "accuracy_low": low, "accuracy_high": high}
            )
    if not found:
        raise UserError(f"a class must have at least {enough} training rows; {counts.idxmin()} has {counts.min()}")
    return pd.DataFrame(found)
