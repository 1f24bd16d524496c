"""What comes before the dense layers of a model of token ids: embedding, convolution, pooling.

A text gets the same vector alone and among others: all sums are over one text, in a fixed order.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.tokens import Tokens

Array = NDArray[np.float64]
Activations = Mapping[str, Callable[[Array], Array]]  # by their names
Pooling = Literal["flatten", "max", "average"]

CELLS = 2**22  # numbers in an array at most, beyond those of one text


@dataclass(frozen=True)
class Convolution:
    """A one-dimensional convolution without padding.

    The shapes are `kernel` (taps, dimensions, filters) and `bias` (filters,).
    """

    kernel: Array
    bias: Array
    activation: str


@dataclass(frozen=True)
class TokenFront:
    """The vectors of texts of padded token ids."""

    embedding: Array  # (ids, dimensions), padding among the ids
    length: int  # ids per text
    # Of the vectors at all positions, padding among them as in Keras without a mask.
    pooling: Pooling
    convolution: Convolution | None = None

    @property
    def columns(self) -> int:
        """Return the length of the vector of a text."""
        width = self.embedding.shape[1] if self.convolution is None else len(self.convolution.bias)
        return width * (self.positions if self.pooling == "flatten" else 1)

    @property
    def positions(self) -> int:
        """Return the number of positions of a text that are pooled."""
        return self.length - (0 if self.convolution is None else len(self.convolution.kernel) - 1)

    def chunks(self, X: Tokens, activations: Activations) -> Iterator[Array]:
        """Yield the vectors of some rows at a time, (rows, columns).

        Raises `ValueError` if rows have another length.
        """
        if X.length != self.length:
            raise ValueError(f"texts must have {self.length} ids; got {X.length}")
        width = self.embedding.shape[1]
        if self.convolution is not None:
            width = len(self.convolution.kernel) * len(self.convolution.bias)
        step = max(1, CELLS // (self.length * width))
        for start in range(0, X.shape[0], step):
            ids = X[start : start + step].padded()
            yield self._pool(self._at_positions(ids, activations), len(ids))

    def _at_positions(self, ids: NDArray[np.int32], activations: Activations) -> Iterator[Array]:
        """Yield the vectors at each position, (rows, width)."""
        if self.convolution is None:
            yield from (self.embedding[column] for column in ids.T)
            return
        # Each id is multiplied by each tap of the kernel once, however often it occurs.
        kernel, activate = self.convolution.kernel, activations[self.convolution.activation]
        known, places = np.unique(ids, return_inverse=True)
        products = [product(self.embedding[known], tap) for tap in kernel]
        columns = places.reshape(ids.shape).T
        for position in range(self.positions):
            sums = np.tile(self.convolution.bias, (len(ids), 1))
            for offset, of_tap in enumerate(products):
                sums += of_tap[columns[position + offset]]
            yield activate(sums)

    def _pool(self, vectors: Iterator[Array], rows: int) -> Array:
        if self.pooling == "flatten":
            return np.concatenate(list(vectors), axis=1)
        if self.pooling == "max":
            pooled = next(vectors).copy()
            for vector in vectors:
                np.maximum(pooled, vector, out=pooled)
            return pooled
        pooled = np.zeros((rows, self.columns))
        for vector in vectors:
            pooled += vector
        return pooled / self.positions

    def description(self) -> dict[str, Any]:
        """Return what `from_parts` needs beside the arrays, as JSON."""
        activation = None if self.convolution is None else self.convolution.activation
        return {"activation": activation, "length": self.length, "pooling": self.pooling}

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by their names in an npz."""
        if self.convolution is None:
            return {"embedding": self.embedding}
        return {"embedding": self.embedding} | {
            "convolution_kernel": self.convolution.kernel,
            "convolution_bias": self.convolution.bias,
        }


def from_parts(description: Mapping[str, Any], stored: Mapping[str, Any]) -> TokenFront:
    """Return the front of a `description` and its `arrays`; `LookupError` if one is missing."""
    convolution = None
    activation = description["activation"]
    if activation is not None:
        convolution = Convolution(
            stored["convolution_kernel"], stored["convolution_bias"], activation
        )
    length, pooling = description["length"], description["pooling"]
    return TokenFront(stored["embedding"], length, pooling, convolution)


def product(values: Array, kernel: Array) -> Array:
    """Return values @ kernel, (rows, units), with sums that do not depend on the number of rows.

    BLAS adds in an order that depends on it, so that a text would get other digits alone than among
    others.
    """
    sums = np.zeros((len(values), kernel.shape[1]))
    for column, weights in zip(values.T, kernel, strict=True):
        sums += column[:, None] * weights
    return sums
