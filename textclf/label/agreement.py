"""How far people agree on labels: the share of equal answers, Cohen's kappa and Krippendorff's alpha."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textclf.core.formatting import join_names
from textclf.evaluate.intervals import wilson
from textclf.label.rows import Row, labels_of

FEWEST = 10  # texts from which agreement is measured
DRAWS, SEED = 1000, 0  # of the bootstrap
Statistic = Callable[[NDArray[np.float64]], float]  # of labels (people, decisions), NaN where there is no answer


def describe_agreement(files: Mapping[str, Sequence[Row]], multilabel: bool) -> Iterator[str]:
    """Yield lines on the texts that two people or more have labelled; each file has the answers of one person.

    With several labels per text, whether it has a label is one decision; intervals draw whole texts.
    """
    if len(files) < 2:
        return
    given = [
        {row.id: frozenset(labels_of(row.label, multilabel)) for row in rows if row.label} for rows in files.values()
    ]
    ids = [name for name in dict.fromkeys(chain(*given)) if sum(name in labels for labels in given) > 1]
    names = sorted(set(chain(*chain(*(labels.values() for labels in given)))))
    who = f"texts that {join_names(list(files)) if len(files) == 2 else 'two people or more'} have labelled"
    if len(ids) < FEWEST:
        yield f"agreement cannot be computed from {len(ids)} {who}; it takes {FEWEST}"
        return
    equal = sum(len({labels[name] for labels in given if name in labels}) == 1 for name in ids)
    low, high = wilson(equal, len(ids))
    yield f"{len(ids)} {who}: equal labels for {equal}, {equal / len(ids):.1%} (95%: {low:.1%} to {high:.1%})"
    answers = np.full((len(files), len(ids), len(names) if multilabel else 1), np.nan)
    for person, labels in enumerate(given):
        for place, name in enumerate(ids):
            if name in labels:
                has = [float(each in labels[name]) for each in names]
                answers[person, place] = has if multilabel else [has.index(1.0)]
    if len(files) == 2:
        yield f"Cohen's kappa: {_describe(answers, _kappa)}"
    yield f"Krippendorff's alpha: {_describe(answers, _alpha)}"


def _describe(answers: NDArray[np.float64], statistic: Statistic) -> str:
    """Return a statistic of answers (people, texts, decisions) with its percentile interval by bootstrap over texts."""
    people, texts, _ = answers.shape
    draws = np.random.default_rng(SEED).integers(texts, size=(DRAWS, texts))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of answers that are all the same
        value = statistic(answers.reshape(people, -1))
        if np.isnan(value):
            return "cannot be computed, as all labels are the same"
        drawn = [statistic(answers[:, draw].reshape(people, -1)) for draw in draws]
    if value == 1:
        return "1.00, without an interval, as all labels are equal"
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return f"{value:.2f} (95%: {low:.2f} to {high:.2f})"


def _kappa(labels: NDArray[np.float64]) -> float:
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(*labels))


def _alpha(labels: NDArray[np.float64]) -> float:
    """Return alpha of nominal labels, as Krippendorff (2011), Computing Krippendorff's Alpha-Reliability."""
    values = np.unique(labels[~np.isnan(labels)])  # each decision has two or more
    counts = (labels[:, :, None] == values).sum(axis=0)  # (decisions, values)
    given, total, of_value = counts.sum(axis=1), counts.sum(), counts.sum(axis=0)
    observed = ((given**2 - (counts**2).sum(axis=1)) / (given - 1)).sum() / total
    expected = (total**2 - (of_value**2).sum()) / (total * (total - 1))
    return float(1 - observed / expected)
