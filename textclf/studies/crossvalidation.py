"""Cross-validation: how metrics depend on split and seed, and which of two models is better."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from sklearn.model_selection import StratifiedGroupKFold

from textclf.artifacts.label_sets import rarest
from textclf.core.errors import TooRareError
from textclf.core.files import DIGITS
from textclf.core.formatting import round_significant
from textclf.core.progress import track
from textclf.evaluate.comparisons import CorrectedT, corrected_t, holm
from textclf.evaluate.registry import METRICS, pair_name
from textclf.models.settings import CONSTANT, Train
from textclf.split.draw import Positions, assign_groups
from textclf.studies import measure as training
from textclf.studies.measure import STUDY_METRICS, Setup
from textclf.studies.settings import CrossValidate
from textclf.vectorize.in_memory import encode_labels

FEWEST_FOLDS = 2
# Differences in accuracy up to this one are of no practical importance.
POINT = 0.01
# The least standard deviation: that of equal differences, whose posterior is a point, is taken as
# this.
SMALLEST = 1e-9


def make_folds(
    rows: pd.DataFrame, settings: CrossValidate, setting: str = "crossvalidate.folds"
) -> Iterator[tuple[int, int, dict[str, pd.DataFrame]]]:
    """Yield the repeat, the fold, both counted from 1, and its splits `train` and `test`.

    Each repeat tests every row once; if the table gives splits, every training row, and no other
    row is used. Folds are stratified, by the rarest label if there are several, and rows with the
    same normalised text or group stay together. Raise `TooRareError`, which names the `setting`, if
    a class has fewer texts or groups than folds, or all in one.
    """
    if "split" in rows:
        rows = rows[rows["split"] == "train"]
    groups = assign_groups(rows, duplicates=True)
    unit = "groups" if "group" in rows else "texts"
    labels = _labels(rows)
    counts = _count_groups(labels, groups)
    fewest = counts.min()
    if fewest < settings.folds:
        change = f"set a smaller {setting}"
        if fewest < FEWEST_FOLDS:
            change = "add rows of it, or take its rows out of the table"
        line = (
            f"each class must have at least {settings.folds} {unit} for {settings.folds} folds; "
            f"{counts.idxmin()} has {fewest}; {change}"
        )
        raise TooRareError(line, counts.index[counts < settings.folds], counts.index)
    strata = rarest(encode_labels(rows["label"], counts.index.tolist()))
    for repeat in range(settings.repeats):
        splitter = StratifiedGroupKFold(
            settings.folds, shuffle=True, random_state=settings.seed + repeat
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a label that is seldom the rarest
            folds = list(splitter.split(rows["text"], strata, groups))
        for fold, (train, test) in enumerate(folds, start=1):
            if missing := set(labels[test].dropna()) - set(labels[train]):
                line = (
                    f"the training rows of every fold must hold every class; {min(missing)} has "
                    f"all {unit} in one of {settings.folds} folds; "
                    f"set another {setting.partition('.')[0]}.seed, or more folds"
                )
                raise TooRareError(line, missing, counts.index)
            yield repeat + 1, fold, {"train": rows.iloc[train], "test": rows.iloc[test]}


def most_folds(rows: pd.DataFrame) -> tuple[int, str]:
    """Return the most folds that `make_folds` makes of all rows, and the class that allows them."""
    counts = _count_groups(_labels(rows), assign_groups(rows, duplicates=True))
    return int(counts.min()), str(counts.idxmin())


def _labels(rows: pd.DataFrame) -> "pd.Series[Any]":
    """Return the labels by position of the row; a text with several has one entry for each."""
    return rows["label"].reset_index(drop=True).explode()


def _count_groups(labels: "pd.Series[Any]", groups: Positions) -> "pd.Series[int]":
    """Return the number of groups (rows,) in which each label is; a group is in one fold."""
    return pd.Series(groups)[labels.index].groupby(labels.to_numpy()).nunique()


def crossvalidate(
    rows: pd.DataFrame, classes: Sequence[str], setup: Setup, settings: CrossValidate
) -> pd.DataFrame:
    """Return a row per model, repeat and fold, with their names, `seed` and `STUDY_METRICS`.

    The columns of the former are `model`, `repeat` and `fold`. Of a model with a seed, each fold of
    each repeat has another seed, counted up from `settings.seed`; its own is not used. On the first
    fold it is also trained with the seeds that follow; these rows have repeat 0.
    """
    trainings = []
    folds = make_folds(rows, settings)
    tracked = track(folds, "cross-validate", settings.folds * settings.repeats, "fold")
    for repeat, fold, splits in tracked:
        first = settings.seed + (repeat - 1) * settings.folds + fold - 1
        for name in setup.train.names():
            has_seed = hasattr(setup.model(name), "seed")
            count = settings.seeds if has_seed and (repeat, fold) == (1, 1) else 1
            for seed in range(first, first + count):
                changes = {"seed": seed} if has_seed else {}
                trainings.append(
                    {
                        "model": name,
                        "repeat": repeat if seed == first else 0,
                        "fold": fold,
                        "seed": seed if has_seed else 0,
                        **training.measure(splits, classes, name, setup, **changes),
                    }
                )
    return pd.DataFrame(trainings)


def summarize(
    trainings: pd.DataFrame, settings: CrossValidate, confidence: float
) -> dict[str, Any]:
    """Return the statistics of the table that `crossvalidate` returns, rounded.

    `<model>.<metric>.mean` and `.sd` over the folds of all repeats, `.sd_of_seeds` over the seeds
    on one fold. `<later>_vs_<earlier>` compares the accuracy of two models by the corrected
    resampled t test of Nadeau and Bengio: `mean`, `sd`, `low`, `high`, `t`, `p`, and `p_holm`,
    corrected for the number of pairs; and the probabilities of `posterior` that the later one is
    `better` by more than a point, `alike`, `worse`, and more accurate on a new draw, `wins`.
    """
    folds = trainings[trainings["repeat"] > 0]
    report: dict[str, Any] = {}
    by_model = {str(name): rows for name, rows in folds.groupby("model", sort=False)}
    for name, rows in by_model.items():
        on_first_fold = (trainings["repeat"] <= 1) & (trainings["fold"] == 1)
        seeds = trainings[(trainings["model"] == name) & on_first_fold]
        report[name] = {}
        for metric in STUDY_METRICS:
            statistics = {"mean": rows[metric].mean(), "sd": rows[metric].std()}
            if len(seeds) > 1:
                statistics["sd_of_seeds"] = seeds[metric].std()
            report[name][metric] = statistics
    accuracy = {name: rows["accuracy"].to_numpy() for name, rows in by_model.items()}
    ratio = 1 / (settings.folds - 1)  # test rows per training row
    tests: dict[str, dict[str, float]] = {}
    for earlier, later in combinations(accuracy, 2):
        corrected = corrected_t(accuracy[later] - accuracy[earlier], ratio, confidence)
        chances = posterior(corrected, len(accuracy[later]), ratio)
        tests[pair_name(later, earlier)] = asdict(corrected) | chances
    adjusted = holm(np.array([test["p"] for test in tests.values()]))
    for (pair, test), p in zip(tests.items(), adjusted, strict=True):
        report[pair] = test | {"p_holm": float(p)}
    return round_numbers(report)


def round_numbers(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the finite of nested numbers rounded to `DIGITS`, p-values to significant digits."""
    rounded: dict[str, Any] = {}
    for key, value in report.items():
        if isinstance(value, Mapping):
            rounded[key] = round_numbers(value)
        elif np.isfinite(value):
            is_p = key in {"p", "p_holm"}
            rounded[key] = round_significant(value) if is_p else round(float(value), DIGITS)
    return rounded


def posterior(test: CorrectedT, splits: int, ratio: float) -> dict[str, float]:
    """Return the probabilities that a is `better` than b by more than `POINT`, `alike`, `worse`.

    Also the probability that a `wins`. `test` is of the differences in accuracy, a's minus b's,
    over `splits` splits; `ratio` is test rows / training rows. This is the correlated Bayesian t
    test: the posterior of the mean difference is Student's t with splits - 1 degrees of freedom,
    location `mean` and variance (1 / splits + ratio) sd^2 (Corani & Benavoli 2015, Machine Learning
    100:285-304, doi:10.1007/s10994-015-5486-z), divided at +-`POINT` (Benavoli et al. 2017, J.
    Mach. Learn. Res. 18(77)). `wins` is the posterior predictive probability of a difference above
    0 on a new draw of rows and seed.
    """
    sd = max(test.sd, SMALLEST)

    def below(limit: float, variance: float) -> float:
        return float(special.stdtr(splits - 1, (limit - test.mean) / (sd * variance**0.5)))

    of_mean = 1 / splits + ratio
    worse, not_better = below(-POINT, of_mean), below(POINT, of_mean)
    # sd^2 estimates the variance of a draw times 1 / (1 + ratio).
    wins = 1 - below(0, of_mean + 1 + ratio)
    return {"better": 1 - not_better, "alike": not_better - worse, "worse": worse, "wins": wins}


def verdict(
    test: Mapping[str, float], later: str, earlier: str, confidence: float, accuracy: str
) -> str:
    """Return what holds of a pair with this probability, by its entry in crossvalidation.json.

    `accuracy` is the name of the metric.
    """
    likeliest = max(("better", "alike", "worse"), key=lambda name: test[name])
    if test[likeliest] < confidence:
        says = f"too close to tell whether {later} or {earlier} is better"
    elif likeliest == "alike":
        says = f"{later} and {earlier} are alike within a point of {accuracy}"
    else:
        first, second = (later, earlier) if likeliest == "better" else (earlier, later)
        says = f"{first} is better than {second} by more than a point of {accuracy}"
    shares = ", ".join(f"{name} {test[name]:.2f}" for name in ("better", "alike", "worse"))
    return f"{says} (chances of {later}: {shares}; ahead on another split {test['wins']:.2f})"


def describe(
    summary: Mapping[str, Any], train: Train, confidence: float, several: bool
) -> Iterator[str]:
    """Yield a line per model of crossvalidation.json, and per pair of models that read the texts.

    `several` says whether a text has several labels.
    """
    title = METRICS["accuracy"].titled(several)
    for name in train.names():
        accuracy = summary[name]["accuracy"]
        yield (
            f"{name}: {title} {accuracy['mean']:.3f} on average, "
            f"differing by about {accuracy['sd']:.3f} from fold to fold"
        )
    reading = [name for name in train.names() if train[name].kind != CONSTANT]
    for earlier, later in combinations(reading, 2):
        yield verdict(summary[pair_name(later, earlier)], later, earlier, confidence, title)
