"""The one form of every trained model: dense layers over the vector of a text, in numpy and scipy.

So each model predicts without the library that trained it, and occlusion and ONNX work in the same
way for all.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy  # which imports scipy.sparse and scipy.special when they are used
from numpy.typing import NDArray

from textclf.artifacts import token_front
from textclf.artifacts.features import Matrix
from textclf.artifacts.token_front import TokenFront, product
from textclf.artifacts.tokens import Tokens
from textclf.core.files import (
    read_versioned_json,
    reading,
    require_known,
    write_npz,
    write_versioned_json,
)

Array = NDArray[np.float64]

WEIGHTS, DESCRIPTION = "model.npz", "model.json"  # the files of a model
SIGMOIDS = "sigmoids"  # activation of a model of several labels
CELLS = 2**22  # numbers in an array of an occlusion at most
LEAKY_SLOPE = 0.2  # of leaky_relu, as Keras has it
# Klambauer et al. (2017), NeurIPS 30:971-980.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class Layer:
    """A dense layer, activation(inputs @ kernel + bias)."""

    kernel: Array  # (inputs, units); without rows, the model ignores the text
    bias: Array  # (units,)
    activation: str  # of the last layer a key of `OUTPUT`, of others one of `HIDDEN`


@dataclass(frozen=True)
class LayerModel:
    """A fitted classifier of vectors."""

    classes: tuple[str, ...]
    layers: tuple[Layer, ...]
    presence: bool = False  # whether the input is 1 for each term that occurs, whatever its weight
    front: TokenFront | None = None  # makes vectors of token ids, which the model then takes

    @property
    def multilabel(self) -> bool:
        """Return whether each class is a label of its own, of which a text may have several."""
        return self.layers[-1].activation == SIGMOIDS

    @property
    def ignores_text(self) -> bool:
        """Return whether the model predicts the same for every text: its kernel has no rows."""
        return not len(self.layers[0].kernel)

    def predict_proba(self, X: Matrix) -> Array:
        """Return probabilities (rows, classes) for `X` (rows, features).

        Those of a row sum to 1, except for `SIGMOIDS`.
        """
        return OUTPUT[self.layers[-1].activation](self.logits(X))

    def logits(self, X: Matrix) -> Array:
        """Return the input of the last activation, (rows, units)."""
        return self._last(self._first(X))

    def log_sum(self, X: Matrix) -> Array:
        """Return the log of the sum of the exponentials of the last scores, (rows,).

        One unit counts as two.
        """
        scores = self.logits(X)
        pairs = scores if scores.shape[1] > 1 else np.hstack([-scores, scores]) / 2
        return np.asarray(scipy.special.logsumexp(pairs, axis=1))

    def occlusion(self, X: "scipy.sparse.csr_array") -> Array:
        """Return how much the log odds of each class fall when a term is removed.

        The array is (nonzeros of X, classes), in the order of the nonzeros of `X`. For a linear
        binary model this is the term's weight times its value. The other terms keep their values:
        rows of tf-idf are not normalised again.
        """
        kernel, counts = self.layers[0].kernel, np.diff(X.indptr)
        first = self._first(X)
        fall = np.zeros((X.nnz, len(self.classes)))
        if self.ignores_text:
            return fall
        whole = self._log_odds(first)
        rows = np.repeat(np.arange(X.shape[0]), counts)
        values = np.ones(X.nnz) if self.presence else X.data
        step = max(1, CELLS // kernel.shape[1])
        for start in range(0, X.nnz, step):
            part = slice(start, start + step)
            without = first[rows[part]] - values[part, None] * kernel[X.indices[part]]
            fall[part] = whole[rows[part]] - self._log_odds(without)
        return fall

    def linear_weights(self) -> Array | None:
        """Return the weight of each term in each class's score, (features, classes).

        None if the model is not linear. Those of several classes are centred, since only
        differences between classes matter; those of labels are not.
        """
        if len(self.layers) > 1 or self.ignores_text or self.front is not None:
            return None
        kernel = self.layers[0].kernel
        if kernel.shape[1] == 1:
            return np.hstack([-kernel, kernel])
        if self.multilabel:
            return kernel
        return np.asarray(kernel - kernel.mean(axis=1, keepdims=True))

    def _first(self, X: Matrix) -> Array:
        """Return the input of the first activation, (rows, units)."""
        layer = self.layers[0]
        if self.ignores_text:
            return np.tile(layer.bias, (X.shape[0], 1))
        if isinstance(X, Tokens):
            if self.front is None:
                raise TypeError("a model without a front takes no token ids")
            parts = [product(part, layer.kernel) for part in self.front.chunks(X, HIDDEN)]
            return np.concatenate([np.zeros((0, len(layer.bias))), *parts]) + layer.bias
        if isinstance(X, np.ndarray):
            return product(X.astype(np.float64), layer.kernel) + layer.bias
        terms = X
        if self.presence:
            terms = scipy.sparse.csr_array((np.ones(X.nnz), X.indices, X.indptr), shape=X.shape)
        return terms @ layer.kernel + layer.bias

    def _last(self, first: Array) -> Array:
        """Return the input of the last activation, from that of the first."""
        values = first
        for layer, following in itertools.pairwise(self.layers):
            values = product(HIDDEN[layer.activation](values), following.kernel) + following.bias
        return values

    def _log_odds(self, first: Array) -> Array:
        last = self._last(first)
        return last if self.multilabel else log_odds(LOGARITHMS[self.layers[-1].activation](last))


def log_odds(logarithms: Array) -> Array:
    """Return the log odds of each class against all others, (rows, classes).

    They are accurate for probabilities near 0 and 1. `logarithms` (rows, classes) are those of the
    probabilities, up to a constant per row.
    """
    top = logarithms.argmax(axis=1, keepdims=True)
    highest = np.take_along_axis(logarithms, top, axis=1)
    # Without the top class: subtracting it from the sum would cancel digits.
    rest = logarithms.copy()
    np.put_along_axis(rest, top, -np.inf, axis=1)
    second = rest.max(axis=1, keepdims=True)
    powers = np.exp(logarithms - highest)
    others = powers.sum(axis=1, keepdims=True) - powers
    np.put_along_axis(others, top, np.exp(rest - second).sum(axis=1, keepdims=True), axis=1)
    scales = np.broadcast_to(highest, rest.shape).copy()
    np.put_along_axis(scales, top, second, axis=1)
    return np.asarray(logarithms - scales - np.log(others))


def _sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), accurate for small values."""
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, small) / (1 + small))


def _sigmoid_shares(z: Array) -> Array:
    # All sigmoids of a row may underflow to 0; its classes are then equally probable.
    values = np.maximum(_sigmoid(z), np.finfo(np.float64).tiny)
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def _softmax(z: Array) -> Array:
    """Return what `scipy.special.softmax` does, which takes long to import."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


# Named and defined as in Keras.
HIDDEN: dict[str, Callable[[Array], Array]] = {
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * (1 + scipy.special.erf(z / np.sqrt(2))) / 2,
    "leaky_relu": lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
    "sigmoid": _sigmoid,
    "softplus": lambda z: np.logaddexp(0, z),
    "tanh": np.tanh,
}
OUTPUT: dict[str, Callable[[Array], Array]] = {
    # Of one unit, the log odds of the positive class.
    "sigmoid": lambda z: _sigmoid(np.hstack([-z, z])),
    "sigmoid_shares": _sigmoid_shares,  # the sigmoid of each class divided by their sum
    SIGMOIDS: _sigmoid,  # one for each of several labels of a text
    "softmax": _softmax,
}
# Logarithms of the output probabilities, up to a constant per row.
LOGARITHMS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: np.hstack([np.zeros_like(z), z]),
    "sigmoid_shares": lambda z: np.maximum(-np.logaddexp(0, -z), np.log(np.finfo(np.float64).tiny)),
    "softmax": lambda z: z,
}


def linear(
    classes: Sequence[str] | NDArray[np.str_],
    coef: Array,
    intercept: Array,
    activation: str,
    presence: bool = False,
) -> LayerModel:
    """Return a linear classifier from scikit-learn's `coef` and `intercept`.

    They have the shapes (scores, features) and (scores,).
    """
    layer = Layer(np.ascontiguousarray(coef.T), np.asarray(intercept), activation)
    return LayerModel(tuple(map(str, classes)), (layer,), presence)


def write(model: LayerModel, folder: Path) -> None:
    """Write model.json and model.npz, each with its part of the front if there is one."""
    description: dict[str, Any] = {
        "activations": [layer.activation for layer in model.layers],
        "classes": model.classes,
        "presence": model.presence,
    }
    arrays: dict[str, Array] = {}
    if model.front is not None:
        description["front"] = model.front.description()
        arrays |= model.front.arrays()
    write_versioned_json(folder / DESCRIPTION, description)
    for number, layer in enumerate(model.layers, start=1):
        arrays |= {f"kernel_{number}": layer.kernel, f"bias_{number}": layer.bias}
    with (folder / WEIGHTS).open("wb") as file:
        write_npz(file, **arrays)


def read(folder: Path) -> LayerModel:
    """Return the model that `write` wrote, whose manifest the caller has verified.

    Raises `UserError` if it is missing.
    """
    content = read_versioned_json(folder / DESCRIPTION)
    with reading(folder / DESCRIPTION):
        classes, presence = content["classes"], content["presence"]
        activations = content["activations"]
        require_known(folder / DESCRIPTION, activations, {*HIDDEN, *OUTPUT})
    path = folder / WEIGHTS
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        layers = tuple(
            Layer(stored[f"kernel_{number}"], stored[f"bias_{number}"], activation)
            for number, activation in enumerate(activations, start=1)
        )
        front = content.get("front")
        if front is not None:
            front = token_front.from_parts(front, stored)
    return LayerModel(tuple(classes), layers, presence, front)
