"""Made-up rows for the tests of models."""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests.settings import TEXT
from textclf.artifacts import features, layers, shards
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.shards import Shards
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.loading import entry_class, load_model
from textclf.params import Params, parse

TERMS = 12
FOLDERS = Folders(Path("pretrained"))  # for fits that need none


def rows(classes: int = 2, count: int = 60, seed: int = 0) -> Features:
    """Return rows of random counts: at least five per class, and fewer of the later classes.

    Each class has more of some terms than the others have; the first row has no term at all.
    """
    generator = np.random.default_rng(seed)
    shares = np.arange(classes, 0, -1) / np.arange(1, classes + 1).sum()
    y = np.concatenate(
        [np.tile(np.arange(classes), 5), generator.choice(classes, count - 5 * classes, p=shares)]
    )
    rates = 0.3 + 0.8 * (np.arange(TERMS) % classes == y[:, None])
    X = generator.poisson(rates)
    X[0] = 0
    return Features(
        np.arange(count).astype(str),
        csr_array(X),
        y,
        np.array([f"class {n}" for n in range(classes)]),
    )


def label_rows(labels: int = 3, count: int = 60, seed: int = 0) -> Features:
    """Return rows of random counts with sets of labels: later labels are rarer, some sets empty.

    A row with a label has more of some terms; the first row has no term at all.
    """
    generator = np.random.default_rng(seed)
    y = (generator.random((count, labels)) < 0.6 / np.arange(1, labels + 1)).astype(np.int8)
    y[:5], y[5:10] = 0, 1
    rates = 0.3 + 0.8 * (y @ (np.arange(TERMS) % labels == np.arange(labels)[:, None]))
    X = generator.poisson(rates)
    X[0] = 0
    return Features(
        np.arange(count).astype(str),
        csr_array(X),
        y,
        np.array([f"label {n}" for n in range(labels)]),
    )


def take(part: Features, positions: NDArray[np.int64]) -> Features:
    """Return the rows at these positions, in that order."""
    return dataclasses.replace(
        part, ids=part.ids[positions], X=part.X[positions], y=part.y[positions]
    )


def write_shards(
    part: Features, folder: Path, sizes: int | Sequence[int], name: str = "train"
) -> Shards[Features]:
    """Write the rows of a split as shards of these sizes, or of this size each."""
    count = len(part.y)
    borders = (
        [*range(0, count, sizes), count]
        if isinstance(sizes, int)
        else np.cumsum((0, *sizes)).tolist()
    )
    pieces = [take(part, np.arange(start, end)) for start, end in itertools.pairwise(borders)]
    folder.mkdir(parents=True, exist_ok=True)
    return Shards(
        shards.write(pieces, folder, name, features.SUFFIX, features.write), features.read_shard
    )


def write_splits(folder: Path, classes: int = 2, **sizes: int) -> dict[str, Shards[Features]]:
    """Write sixty rows of each split in shards of these sizes, by default of 25, 20 and 15 rows."""
    for seed, (name, size) in enumerate(
        ({"train": 25, "validation": 20, "test": 15} | sizes).items()
    ):
        write_shards(rows(classes, seed=seed), folder, size, name)
    return features.open_shards(folder)


@functools.cache
def params() -> Params:
    return parse(TEXT)


def settings(model: str, **changes: object) -> Any:
    """Return the settings of a model of that kind, all others than these as by default."""
    return entry_class(model).model_validate({"kind": model, "features": "words"} | changes)


def dataset(rows: Features | Shards[Features]) -> Dataset:
    """Return rows in memory, or shards, as a model gets them."""
    return Dataset.of_shards(rows) if isinstance(rows, Shards) else Dataset.of_rows(rows)


def fit(model: str, rows: Features | Shards[Features], **changes: object) -> Fitted:
    """Return a model fitted on these rows, which it also watches."""
    fitted: Fitted = load_model(model).fit(
        dataset(rows), dataset(rows), settings(model, **changes), FOLDERS
    )
    return fitted


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_and_read(model: LayerModel, folder: Path) -> LayerModel:
    """Return the model read from its files, after a check that it writes the same bytes."""
    layers.write(model, folder)
    written = contents(folder)
    assert set(written) == {layers.WEIGHTS, layers.DESCRIPTION}
    layers.write(model, folder)
    assert contents(folder) == written
    return layers.read(folder)
