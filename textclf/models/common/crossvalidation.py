"""Models of some of the training rows: in a cross-validation, and of fewer labels.

The held-out rows of a cross-validation take the place of validation rows.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts import features, predictions
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, Matrix
from textclf.artifacts.label_sets import rarest
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.shards import Shards
from textclf.artifacts.splits import Rounds
from textclf.artifacts.unknown import fit_means, scores_of
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import predict
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings

# Fewer than `FEW` rows are held out in more folds, because each fold's model misses more of the
# texts.
FOLDS = 3
MORE_FOLDS = 5
FEW = 1000
# Most training rows that take part, so that the time is bounded: `PER_CLASS` for each class, but at
# least `FEWEST_ROWS` and at most `MOST_ROWS` in all.
PER_CLASS = 100
FEWEST_ROWS = 3000
MOST_ROWS = 20_000
# Draws the rows that take part and their folds: the same for all models.
SEED = 0
# Stands in place of a fold.
NEVER_HELD_OUT = -1
# Kinds of models that are fitted in seconds.
LINEAR = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
# Most numbers of labels for which models are fitted, and draws of suggested texts.
SIZES = 10
DRAWS = 10
# Relative difference up to which lengths of rows are equal.
CLOSE = 1e-6


def crossvalidate(
    name: str,
    rows: Features,
    settings: ModelSettings,
    folders: Folders,
    clusters: NDArray[np.uint64] | None = None,
    unknown: bool = False,
    added: Features | None = None,
    suggested: NDArray[np.bool_] | None = None,
) -> Predictions | None:
    """Return predictions for training rows by models that were fitted on the other folds.

    The `split` of a row is its fold: "fold 1" and so on. Every model gets the same rows, those of
    `sample_rows`, and the same folds, those of `assign_folds`; those `suggested` (rows,), which are
    no random sample, are in none. None if the folds have too few rows of a class for this model, or
    there are more rows than it is cross-validated on: see `ModelPackage`. With `unknown` the
    predictions have the scores of `textclf.artifacts.unknown`. Every model is fitted on the rows
    `added` as well.
    """
    if len(rows.y) > getattr(load_model(name), "CROSSVALIDATED", len(rows.y)):
        return None
    sample = sample_rows(rows.y)
    rows = rows.take(sample)
    folds = assign_folds(rows.y, np.arange(len(rows.y)) if clusters is None else clusters[sample])
    if suggested is not None:
        folds[suggested[sample]] = NEVER_HELD_OUT
    parts = []
    for fold in np.unique(folds[folds != NEVER_HELD_OUT]).tolist():
        fitted, held_out = rows.take(folds != fold), rows.take(folds == fold)
        train = Dataset.of_rows(fitted)
        if train.fewest < settings.rows_per_class():
            return None
        model = load_model(name).fit(train.plus(added), None, settings, folders).layers
        scores = partial(scores_of, model, fit_means(train)) if unknown else None
        new = replace(held_out, X=as_new_texts(fitted.X, held_out.X))
        parts.append(predict(model, f"fold {fold + 1}", new, scores))
    return predictions.concatenate(parts) if parts else None


def predict_fewer(
    datasets: Mapping[str, Dataset],
    labelled: Rounds,
    settings: Any,
    folders: Folders,
    added: Features | None,
) -> Iterator[Predictions]:
    """Yield predictions for the test rows by models of fewer labels, the `subsets` of `labelled`.

    The `split` is the name and the number of labels. Subsets with too few rows of a class are left
    out, and all of a model that is not `LINEAR` or of more than `MOST_ROWS` rows.
    """
    if settings.kind not in LINEAR or datasets["train"].rows > MOST_ROWS:
        return
    rows, test = (datasets[name].all(settings.kind) for name in ("train", "test"))
    package = load_model(settings.kind)
    for name, subset in subsets(labelled.rounds, labelled.chosen):
        train = Dataset.of_rows(rows.take(subset))
        if train.fewest >= settings.rows_per_class():
            with warnings.catch_warnings(action="ignore"):  # the fit on all rows has warned
                fitted = package.fit(train.plus(added), None, settings, folders)
            yield predict(fitted.layers, f"{name} {train.rows}", test)


def subsets(
    rounds: NDArray[np.int32], chosen: NDArray[Any]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield named sets of training rows (rows,): `history`, then `random` and `suggested`.

    Those of `history` have the rows up to a round but the last. The others have the rows of the
    table, round 0, and either all random texts or as many suggested ones of each round.
    """
    numbers, random = np.unique(rounds), chosen == "random"
    for position in np.unique(np.linspace(0, len(numbers) - 1, SIZES).astype(int))[:-1]:
        yield "history", rounds <= numbers[position]
    if not random.any():
        return
    yield "random", (rounds == 0) | random
    others = random | (chosen == "")
    random_counts = np.bincount(rounds[random], minlength=numbers[-1] + 1)
    starts = np.searchsorted(np.sort(rounds), rounds)
    for seed in range(DRAWS):
        order = np.lexsort((np.random.default_rng(seed).random(len(rounds)), others, rounds))
        # The rank of a row in its round, where suggested texts come first.
        rank = np.argsort(order) - starts
        yield "suggested", (rounds == 0) | ~others & (rank < random_counts[rounds])


def fold_count(rows: int) -> int:
    """Return the number of folds of so many training rows that take part."""
    return MORE_FOLDS if rows < FEW else FOLDS


def draw_rows(train: Shards[Features]) -> Features:
    """Return all training rows or, of more than take part, a random sample.

    It has at least `FOLDS` rows of each class; of a class with fewer rows it has all. Only shards
    with drawn rows are read as a whole.
    """
    labels = [features.read_arrays(path, "y")[0] for path in train.paths]
    bounds = np.cumsum([len(y) for y in labels])[:-1]
    samples = np.split(sample_rows(np.concatenate(labels)), bounds)
    drawn = [
        train.read(path).take(sample)
        for path, sample in zip(train.paths, samples, strict=True)
        if sample.any()
    ]
    return features.concatenate(drawn)


def sample_rows(y: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of all training rows take part, (rows,), by their classes or rarest labels."""
    classes = rarest(y)
    by_class, counts = _order_by_class(classes), np.bincount(classes)
    # The rank of each row in the random order of its class.
    rank = np.empty(len(y), dtype=np.int64)
    rank[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    size = max(min(max(PER_CLASS * len(counts), FEWEST_ROWS), MOST_ROWS), FOLDS * len(counts))
    drawn = np.zeros(len(y), dtype=bool)
    drawn[np.lexsort((_random(len(y)), rank >= FOLDS))[:size]] = True
    return drawn


def assign_folds(y: NDArray[np.integer], clusters: NDArray[Any]) -> NDArray[np.int64]:
    """Return the fold of each row, (rows,), from 0.

    Folds are random, with equal shares of each class or rarest label. Rows of one of the `clusters`
    (rows,), which depend on each other, share the fold that its first row gets. Those of a class
    with fewer than `FOLDS` clusters are `NEVER_HELD_OUT`, so that every model sees two rows of the
    class. So are the clusters of a fold with a label, or without it, that fewer than two other rows
    would show.
    """
    _, first, cluster = np.unique(clusters, return_index=True, return_inverse=True)
    of_cluster = rarest(y)[first]
    folds = np.empty(len(first), dtype=np.int64)
    folds[_order_by_class(of_cluster)] = np.arange(len(first)) % fold_count(len(y))
    folds[np.bincount(of_cluster)[of_cluster] < FOLDS] = NEVER_HELD_OUT
    for fold in range(fold_count(len(y)) if y.ndim == 2 else 0):
        inside = folds[cluster] == fold
        for value in (0, 1):
            needed = (y[~inside] == value).sum(axis=0) < 2
            folds[cluster[inside & (y[:, needed] == value).any(axis=1)]] = NEVER_HELD_OUT
    return np.asarray(folds[cluster])


def _order_by_class(y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the rows class by class, in random order within a class."""
    return np.lexsort((_random(len(y)), y))


def _random(count: int) -> NDArray[np.float64]:
    return np.random.default_rng(SEED).random(count)


def as_new_texts(fitted: Matrix, held_out: Matrix) -> Any:
    """Return the features (rows, columns) of held-out rows as if they were new texts.

    The vocabulary is then that of the fitted rows. A term that occurs in no fitted row has no
    weight, but takes part of the fixed length of a row of tf-idf; in a new text it would not be
    counted. So with tf-idf such terms are dropped and the row gets its length back, or held-out
    scores would be too small. Columns without zeros, such as those of sentence vectors, and counts
    stay as they are.
    """
    if not isinstance(fitted, csr_array) or not isinstance(held_out, csr_array):
        return held_out
    seen, held = (np.bincount(X.indices, minlength=X.shape[1]) for X in (fitted, held_out))
    terms = seen + held < fitted.shape[0] + held_out.shape[0]
    before = _lengths(held_out, terms)
    if not before.any() or np.ptp(before[before > 0]) > CLOSE * before.max():
        return held_out
    after = _lengths(held_out, terms & (seen > 0))
    factors = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    weights = np.where(terms[held_out.indices], np.repeat(factors, np.diff(held_out.indptr)), 1.0)
    return csr_array(
        (held_out.data * weights, held_out.indices, held_out.indptr), shape=held_out.shape
    )


def _lengths(X: csr_array, columns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the length of each row over some columns, a mask, (rows,)."""
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    return np.sqrt(np.bincount(row, X.data**2 * columns[X.indices], minlength=X.shape[0]))
