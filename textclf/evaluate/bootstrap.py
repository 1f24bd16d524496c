"""Bootstrap resamples of rows, and metrics in each of them. Everything repeats to the bit: PCG64 with a seed."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.metrics import Values, weighted

RESAMPLES = 2000  # their number alone moves an end of a 95% interval by 6% of the metric's standard error
CELLS = 2**19  # resamples times rows in memory at a time


def resamples(
    y: NDArray[np.int64],
    seed: int,
    count: int = RESAMPLES,
    stratified: bool = True,
    clusters: NDArray[np.int64] | None = None,
) -> Iterator[NDArray[np.int32]]:
    """Yield how often each row is drawn in each resample, in chunks (resamples, rows); in all (`count`, rows).

    Each resample draws as many rows as there are, with replacement. Stratified: within each actual class (Davison &
    Hinkley 1997, Bootstrap Methods and their Application, 3.2), which is right if the number of rows of each class was
    fixed, as by a stratified split. Not stratified: from all rows, which is right if it was left to chance. A chunk has
    at most `CELLS` cells, or one resample. The same `y` and seed give the same counts.

    `clusters` (rows,) has the position of the cluster of each row, None if rows are independent. Then whole clusters
    are drawn: Davison & Hinkley (1997), 3.8. Stratified: within the actual class of the first row of a cluster.
    """
    if clusters is not None:
        first_rows = np.unique(clusters, return_index=True)[1]
        together = max(1, CELLS // len(y))
        for drawn_clusters in resamples(y[first_rows], seed, count, stratified):
            for part in range(0, len(drawn_clusters), together):
                yield drawn_clusters[part : part + together, clusters]
        return
    rows = len(y)
    strata = y if stratified else np.zeros_like(y)
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    size = sizes[strata[order]]
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, CELLS // rows)
    for first in range(0, count, step):
        chunk = min(step, count - first)
        # Uniform numbers, not integers: their stream does not depend on where the chunks are cut.
        drawn = order[start + (generator.random((chunk, rows)) * size).astype(np.int64)]
        drawn += np.arange(chunk)[:, np.newaxis] * rows
        yield np.bincount(drawn.ravel(), minlength=chunk * rows).reshape(chunk, rows).astype(np.int32)


def bootstrap(
    y: NDArray[np.int64],
    models: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]],
    seed: int,
    count: int = RESAMPLES,
    stratified: bool = True,
    clusters: NDArray[np.int64] | None = None,
) -> dict[str, Values]:
    """Return each model's metrics in each resample, from its (probabilities, decided) for the same rows.

    All models are measured on the same resamples, so differences between the values of two models are paired.
    `clusters` as for `resamples`.
    """
    functions = {name: weighted(y, *outputs) for name, outputs in models.items()}
    parts: dict[str, list[Values]] = {name: [] for name in models}
    for chunk in resamples(y, seed, count, stratified, clusters):
        weights = chunk.astype(np.float64)
        for name, function in functions.items():
            parts[name].append(function(weights))
    return {name: join(chunks) for name, chunks in parts.items()}


def join(chunks: list[Values]) -> Values:
    """Return the values of all chunks of resamples as one."""
    return {metric: np.concatenate([chunk[metric] for chunk in chunks]) for metric in chunks[0]}


def resample_counts(
    table: NDArray[np.int64], seed: int, count: int = RESAMPLES, stratified: bool = True
) -> Iterator[NDArray[np.int64]]:
    """Yield a table of counts (classes, kinds), of rows by actual class and kind, in each resample of the rows.

    In chunks (resamples, classes, kinds). Rows of the same class and kind are interchangeable, so their numbers in the
    resamples of `resamples` are multinomial and can be drawn directly, in the same time for any number of rows: Efron &
    Tibshirani (1993), An Introduction to the Bootstrap, 5.2. The distribution is the same as that of `resamples`, but
    not the draws.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    strata = table if stratified else table.reshape(1, -1)
    step = max(1, CELLS // table.size)
    for first in range(0, count, step):
        drawn = np.zeros((min(step, count - first), *strata.shape), dtype=np.int64)
        for stratum, cells in enumerate(strata):
            filled = np.flatnonzero(cells)
            if len(filled):
                rows = cells.sum()
                drawn[:, stratum, filled] = generator.multinomial(rows, cells[filled] / rows, size=len(drawn))
        yield drawn.reshape(-1, *table.shape)
