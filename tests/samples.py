"""Rows made up for the tests of the models."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests.settings import TEXT
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.models import Model
from textclf.params import parse
from textclf.vectorize.features import Features

TERMS = 12


def rows(classes: int = 2, count: int = 60, seed: int = 0) -> Features:
    """Rows of random counts, five of each class at least, and fewer of the later ones.

    Each class has more of some terms than the others have; the first row has no term at all.
    """
    generator = np.random.default_rng(seed)
    shares = np.arange(classes, 0, -1) / np.arange(1, classes + 1).sum()
    y = np.concatenate([np.tile(np.arange(classes), 5), generator.choice(classes, count - 5 * classes, p=shares)])
    rates = 0.3 + 0.8 * (np.arange(TERMS) % classes == y[:, None])
    X = generator.poisson(rates)
    X[0] = 0
    return Features(np.arange(count).astype(str), csr_array(X), y, np.array([f"class {n}" for n in range(classes)]))


def taken(part: Features, chosen: NDArray[np.int64]) -> Features:
    """The rows of these numbers, in that order."""
    return dataclasses.replace(part, ids=part.ids[chosen], X=part.X[chosen], y=part.y[chosen])


def settings(model: str, **changes: object) -> Any:
    """The section of a model in params.yaml with other values."""
    section = getattr(parse(TEXT).train, model)
    return type(section).model_validate(section.model_dump() | changes)


def saved(model: Model, folder: Path) -> Portable:
    """The model made anew from what it writes, which is that of `portable.write` and the same bytes the second time."""
    model.save(folder)
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(written) == {portable.WEIGHTS, portable.DESCRIPTION}
    model.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written
    return portable.read(folder)
