"""What a search found, as a table and as numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.formatting import count_noun
from textclf.core.settings import to_yaml
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.registry import METRICS, format_interval, format_value
from textclf.studies.crossvalidation import round_numbers
from textclf.studies.search import space
from textclf.studies.search.space import Dimension, Values
from textclf.studies.search.trials import Outer, Trial
from textclf.studies.settings import CompleteSearch


def trial_table(trials: Sequence[Trial], settings: CompleteSearch) -> pd.DataFrame:
    """Return a row per trial: `trial`, its settings as in params.yaml, `score`, `fold_1` and so on.

    Trials are counted from 1. A setting that does not apply is None. Of random trials, `expected`
    is the best score of so many on average.
    """
    rows = []
    for number, trial in enumerate(trials, start=1):
        row: dict[str, Any] = {"trial": number}
        for name in settings.space:
            row[name] = to_yaml(trial.settings[name]) if name in trial.settings else None
        row["score"] = trial.score
        row |= {f"fold_{fold}": score for fold, score in enumerate(trial.scores, start=1)}
        rows.append(row)
    table = pd.DataFrame(rows)
    if settings.sampler == "random":
        scores = np.array([trial.score for trial in trials])
        table["expected"] = expected_best(scores, METRICS[settings.metric].higher_is_better)
    return table


def expected_best(scores: NDArray[np.float64], higher_is_better: bool) -> NDArray[np.float64]:
    """Return the mean of the best score over all choices of 1, 2, ... of the trials, (trials,).

    This is the expected validation performance of Dodge et al. (2019), EMNLP, arXiv:1909.03004,
    without bias: Tang et al. (2020), ACL, doi:10.18653/v1/2020.acl-main.246. It assumes that the
    order of the trials is random.
    """
    count = len(scores)
    ordered = np.sort(scores) if higher_is_better else -np.sort(-scores)
    worst, within, expected = np.arange(count + 1), np.ones(count + 1), np.empty(count)
    # `within` is the share of the choices that lie within the worst 0, 1, ... trials.
    for chosen in range(count):
        within = within * np.maximum(worst - chosen, 0) / (count - chosen)
        expected[chosen] = np.diff(within) @ ordered
    return expected


def summarize(
    best: Trial,
    trials: Sequence[Trial],
    outer: Sequence[Outer],
    settings: CompleteSearch,
    confidence: float,
) -> dict[str, Any]:
    """Return the content of search.json, numbers rounded.

    `best` has the settings, the number of the trial, and its score over the folds with an interval
    that allows for folds sharing rows: Nadeau & Bengio (2003). The score is the best of many and so
    too good; `nested` says by how much: `naive` is the mean of the best score inside the outer
    folds, `honest` that on rows that the search did not see, and `optimism` their difference.
    """
    content: dict[str, Any] = {
        "model": settings.model,
        "metric": settings.metric,
        "trials": len(trials),
        "folds": settings.folds,
        "best": {
            "trial": trials.index(best) + 1,
            "settings": _plain(best.settings),
            "score": _statistics(np.array(best.scores), settings.folds, confidence),
        },
    }
    if outer:
        naive = np.array([fold.best.score for fold in outer])
        honest = np.array([fold.honest for fold in outer])
        gain = naive - honest if METRICS[settings.metric].higher_is_better else honest - naive
        content["nested"] = {
            "folds": len(outer),
            "naive": round_numbers({"mean": naive.mean()})["mean"],
            "honest": _statistics(honest, len(outer), confidence),
            "optimism": _statistics(gain, len(outer), confidence),
            "settings": [_plain(fold.best.settings) for fold in outer],
        }
    return content


def _plain(values: Values) -> dict[str, Any]:
    """Return values as JSON has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def _statistics(scores: Any, folds: int, confidence: float) -> dict[str, Any]:
    test = corrected_t(scores, 1 / (folds - 1), confidence)
    return round_numbers({"mean": test.mean, "sd": test.sd, "low": test.low, "high": test.high})


def describe(
    content: Mapping[str, Any],
    table: pd.DataFrame,
    dimensions: Mapping[str, Dimension],
    several: bool,
) -> Iterator[str]:
    """Yield what the stage prints of search.json and its table of trials.

    `dimensions` are those of the space, `several` says whether a text has several labels.
    """
    found = content["best"]["settings"]
    best = {name: found[name] for name in dimensions if name in found}
    score, trials, metric = content["best"]["score"], len(table), METRICS[content["metric"]]
    interval = format_interval(metric.name, score["low"], score["high"])
    yield f"best of {count_noun(trials, 'trial')}: {space.describe(best)}"
    mean = format_value(metric.name, score["mean"])
    yield f"{metric.titled(several)} {mean} in cross-validation, {interval}"
    if "expected" in table and trials > 1:
        expected = format_value(metric.name, table["expected"][trials // 2 - 1])
        yield f"with half as many trials: {expected} on average"
    nested = content.get("nested")
    if nested:
        means = nested["naive"], nested["honest"]["mean"], nested["optimism"]["mean"]
        inside, unseen, optimism = (format_value(metric.name, value) for value in means)
        yield (
            f"repeated {nested['folds']} times: {inside} on the rows that chose, "
            f"{unseen} on unseen rows; too optimistic by {optimism}"
        )
    values = space.with_defaults(best, dimensions)
    yield f"to run the pipeline with them: {space.command(content['model'], values)}"
