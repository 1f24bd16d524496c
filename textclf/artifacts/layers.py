"""Every trained model in one form: layers of numbers over the vector of a text, which numpy alone can apply.

A model of any kind here is a function of the kernel's rows of the terms that are there, so that it predicts without
the library that trained it, is explained by taking terms out, and is written as ONNX, all in one way.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.core.files import read_json, reading, write_json

Array = NDArray[np.float64]

WEIGHTS, DESCRIPTION = "model.npz", "model.json"  # the files of a model
CELLS = 2**22  # numbers in an array of an explanation
LEAKY_SLOPE = 0.2  # of leaky_relu, as Keras has it
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. (2017), NeurIPS 30:971-980


@dataclass(frozen=True)
class Layer:
    """activation(inputs @ kernel + bias): `kernel` (inputs, units) and `bias` (units,), both float64.

    A kernel without rows belongs to a model that does not look at the text. The last layer's activation makes
    probabilities: `sigmoid` of one unit, the log odds of the second of two classes; `softmax`; or `sigmoid_shares`,
    each class's sigmoid as a share of their sum.
    """

    kernel: Array
    bias: Array
    activation: str


@dataclass(frozen=True)
class Portable:
    """A fitted classifier of vectors: its layers, and the names of the classes in order.

    `presence` says that the layers take whether a term is there, whatever its weight.
    """

    classes: tuple[str, ...]
    layers: tuple[Layer, ...]
    presence: bool = False

    def predict_proba(self, X: csr_array) -> Array:
        """Probabilities (rows, classes) of the rows (rows, features); each row sums to 1."""
        return OUTPUT[self.layers[-1].activation](self._last(self._first(X)))

    def occlusion(self, X: csr_array) -> Array:
        """By how much each class's log odds fall when a term is taken out of its row: (nonzeros of X, classes).

        In the order of X's nonzeros. Of a linear model of two classes it is the term's weight times its value. The
        other terms keep their values, as if tf-idf's rows were not scaled anew.
        """
        kernel, counts = self.layers[0].kernel, np.diff(X.indptr)
        first = self._first(X)
        fall = np.zeros((X.nnz, len(self.classes)))
        if not len(kernel):
            return fall
        whole = self._log_odds(first)
        rows = np.repeat(np.arange(X.shape[0]), counts)
        values = np.ones(X.nnz) if self.presence else X.data
        step = max(1, CELLS // kernel.shape[1])
        for start in range(0, X.nnz, step):
            some = slice(start, start + step)
            without = first[rows[some]] - values[some, None] * kernel[X.indices[some]]
            fall[some] = whole[rows[some]] - self._log_odds(without)
        return fall

    def linear_weights(self) -> Array | None:
        """Weights (features, classes) of each term in each class's score, or None if the model is not linear.

        With one layer of one unit the positive class's weights and their negatives; of more units each less their
        mean, since only differences between the classes count.
        """
        if len(self.layers) > 1 or not len(kernel := self.layers[0].kernel):
            return None
        if kernel.shape[1] == 1:
            return np.hstack([-kernel, kernel])
        centred: Array = kernel - kernel.mean(axis=1, keepdims=True)
        return centred

    def _first(self, X: csr_array) -> Array:
        """What the first layer's activation is given, (rows, units)."""
        layer = self.layers[0]
        if not len(layer.kernel):
            return np.tile(layer.bias, (X.shape[0], 1))
        terms = csr_array((np.ones(X.nnz), X.indices, X.indptr), shape=X.shape) if self.presence else X
        sums: Array = terms @ layer.kernel + layer.bias
        return sums

    def _last(self, first: Array) -> Array:
        """What the last layer's activation is given, from what the first one's is."""
        values = first
        for layer, following in itertools.pairwise(self.layers):
            values = HIDDEN[layer.activation](values) @ following.kernel + following.bias
        return values

    def _log_odds(self, first: Array) -> Array:
        return log_odds(LOGARITHMS[self.layers[-1].activation](self._last(first)))


def log_odds(logarithms: Array) -> Array:
    """Each class's log odds against all others, (rows, classes), where its probability is nearly 0 or 1 too.

    `logarithms` (rows, classes) are those of the probabilities, all of a row less any one number.
    """
    top = logarithms.argmax(axis=1, keepdims=True)
    highest = np.take_along_axis(logarithms, top, axis=1)
    rest = logarithms.copy()  # of the top one the others are added up on their own: taken from the sum, little is left
    np.put_along_axis(rest, top, -np.inf, axis=1)
    second = rest.max(axis=1, keepdims=True)
    powers = np.exp(logarithms - highest)
    others = powers.sum(axis=1, keepdims=True) - powers
    np.put_along_axis(others, top, np.exp(rest - second).sum(axis=1, keepdims=True), axis=1)
    scales = np.broadcast_to(highest, rest.shape).copy()
    np.put_along_axis(scales, top, second, axis=1)
    odds: Array = logarithms - scales - np.log(others)
    return odds


def _sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), its small values to their last digits."""
    small = np.exp(-np.abs(z))
    values: Array = np.where(z >= 0, 1.0, small) / (1 + small)
    return values


def _of_two(z: Array) -> Array:
    return _sigmoid(np.hstack([-z, z]))


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _sigmoid_shares(z: Array) -> Array:
    # A row that no class wants, so that all are 0, is anybody's.
    values = np.maximum(_sigmoid(z), np.finfo(np.float64).tiny)
    shares: Array = values / values.sum(axis=1, keepdims=True)
    return shares


def _gelu(z: Array) -> Array:
    from scipy.special import erf

    values: Array = z * (1 + erf(z / np.sqrt(2))) / 2
    return values


def _elu(z: Array) -> Array:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


# As Keras has them under these names.
HIDDEN: dict[str, Callable[[Array], Array]] = {
    "elu": _elu,
    "gelu": _gelu,
    "leaky_relu": lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
    "sigmoid": _sigmoid,
    "softplus": lambda z: np.logaddexp(0, z),
    "tanh": np.tanh,
}
OUTPUT: dict[str, Callable[[Array], Array]] = {
    "sigmoid": _of_two,
    "sigmoid_shares": _sigmoid_shares,
    "softmax": _softmax,
}
# The logarithms of the same, all of a row less one number.
LOGARITHMS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: np.hstack([np.zeros_like(z), z]),
    "sigmoid_shares": lambda z: np.maximum(-np.logaddexp(0, -z), np.log(np.finfo(np.float64).tiny)),
    "softmax": lambda z: z,
}


def linear(
    classes: Sequence[str] | NDArray[np.str_], coef: Array, intercept: Array, activation: str, presence: bool = False
) -> Portable:
    """A linear classifier, of `coef` (scores, features) and `intercept` (scores,) as scikit-learn has them."""
    layer = Layer(np.ascontiguousarray(coef.T), np.asarray(intercept), activation)
    return Portable(tuple(map(str, classes)), (layer,), presence)


def write(model: Portable, folder: Path) -> None:
    """Write model.json (`classes`, `presence`, `activations`) and model.npz (`kernel_1`, `bias_1`, ...)."""
    description = {
        "activations": [layer.activation for layer in model.layers],
        "classes": model.classes,
        "presence": model.presence,
    }
    write_json(folder / DESCRIPTION, description)
    arrays: dict[str, Array] = {}
    for number, layer in enumerate(model.layers, start=1):
        arrays |= {f"kernel_{number}": layer.kernel, f"bias_{number}": layer.bias}
    with (folder / WEIGHTS).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read(folder: Path) -> Portable:
    """The model that `write` wrote; `UserError` if it is missing or damaged."""
    content = read_json(folder / DESCRIPTION)
    with reading(folder / DESCRIPTION):
        classes, presence, activations = (content[key] for key in ("classes", "presence", "activations"))
        known = [*[name in HIDDEN for name in activations[:-1]], activations[-1] in OUTPUT]
        if not all(known) or not all(isinstance(name, str) for name in classes):
            raise ValueError
    path = folder / WEIGHTS
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        layers = tuple(
            Layer(stored[f"kernel_{number}"], stored[f"bias_{number}"], activation)
            for number, activation in enumerate(activations, start=1)
        )
        _check(layers, len(classes))
    return Portable(tuple(classes), layers, bool(presence))


def _check(layers: Sequence[Layer], classes: int) -> None:
    """`ValueError` unless the layers fit each other and the classes, and all numbers are finite."""
    for layer in layers:
        kernel, bias = layer.kernel, layer.bias
        good = kernel.ndim == 2 and bias.shape == kernel.shape[1:] and {kernel.dtype, bias.dtype} == {np.dtype(float)}
        if not (good and np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError
    if any(len(layer.bias) != len(following.kernel) for layer, following in itertools.pairwise(layers)):
        raise ValueError
    if (len(layers[-1].bias), classes) != ((1, 2) if layers[-1].activation == "sigmoid" else (classes, classes)):
        raise ValueError
