"""The network over sparse rows: the same arithmetic and weights as Dense layers over a bag of words.

A dense layer over a bag of words sums the kernel's rows of the words that occur, times their counts. Doing just that,
instead of multiplying by a row of zeros, is faster, never needs a dense matrix and, compiled by XLA for AVX2, gives the
same bits on every x86-64 CPU.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.models.common.class_weights import row_weights

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features
    from textclf.models.keras import Settings

BATCH_ROWS, BATCH_CELLS = 8192, 2**27  # rows of a validation batch; 4-byte numbers in a padded array, at most
NARROWEST, NARROWING = 256, 16  # padding is not narrowed below 256 columns, and by a factor of 16 each time


def over_sparse_rows(network: "keras.Sequential") -> "keras.Model":
    """Return a model of the same layers and weights that takes rows of `pad_rows`, in blocks of batches."""
    import keras
    import tensorflow as tf

    @tf.custom_gradient
    def with_dense_gradient(kernel: Any) -> Any:
        # The gradient of take has one part for each row with a term, and Keras's optimizers square the parts one by
        # one; those of Dense square their sum. A dense gradient is that sum.
        return tf.identity(kernel), tf.convert_to_tensor

    class SparseDense(keras.layers.Dense):
        """Dense over rows given as term ids (B, K) and counts (B, K): sum_k kernel[id_k] * count_k + bias."""

        def build(self, input_shape: Any) -> None:  # noqa: ARG002 (the shape of the padded row does not matter)
            super().build((None, features))
            self.input_spec = None

        def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002 (Keras passes it)
            ids, counts = inputs
            rows = keras.ops.take(with_dense_gradient(self.kernel), ids, axis=0)
            return self.activation(keras.ops.sum(rows * counts[..., None], axis=1) + self.bias)

        def compute_output_shape(self, input_shape: Any) -> tuple[None, int]:  # noqa: ARG002
            return (None, self.units)

    class BlockModel(keras.Model):
        """A model that takes all steps of a block in one call, so that XLA compiles the loop as well."""

        def train_step(self, data: Any) -> Any:
            step = super().train_step

            def body(number: Any, _: Any) -> Any:
                return number + 1, step(tf.nest.map_structure(lambda array: array[number], data))

            logs = {"accuracy": tf.zeros(()), "loss": tf.zeros(())}
            return tf.while_loop(lambda number, _: number < tf.shape(data[1])[0], body, (0, logs))[1]

    first, *others = network.layers
    features = network.input_shape[-1]
    inputs = [keras.Input((None,), dtype="int32"), keras.Input((None,))]
    layer = SparseDense(first.units, activation=first.activation, name=first.name)
    layer.input_spec = None  # Dense expects one input
    output = layer(inputs)
    for layer in others:
        output = layer.__class__.from_config(layer.get_config())(output)
    model = BlockModel(inputs, output)
    model.set_weights(network.get_weights())
    return model


def training_blocks(train: "Features", settings: "Settings") -> Any:
    """Return a dataset of the training rows, each epoch in an order of its own, drawn from the seed.

    An epoch is the blocks of `block_shapes`: ids and counts (steps, batch, K), labels (steps, batch, 1) and, if classes
    are weighted, the weights of the rows (steps, batch, 1).
    """
    import tensorflow as tf

    labels = [as_column(train.y)]
    if (weights := row_weights(train, settings.class_weight)) is not None:
        labels.append(weights.astype(np.float32)[:, None])
    rows, width = len(train.y), most_terms(train.X)
    shapes = block_shapes(rows, settings.batch_size, width)
    borders = np.cumsum([steps * batch for steps, batch in shapes])[:-1]

    def blocks() -> Iterator[Any]:
        for epoch in range(settings.epochs):
            seed = np.array([settings.seed, epoch])
            order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seed).numpy()
            for shape, block_rows in zip(shapes, np.split(order, borders), strict=True):
                arrays = (pad_rows(train.X[block_rows], width), *(array[block_rows] for array in labels))
                yield tf.nest.map_structure(lambda array, shape=shape: array.reshape(*shape, -1), arrays)

    return make_dataset(blocks, settings.epochs * len(shapes), dimensions=3, labels=len(labels))


def block_shapes(rows: int, batch: int, terms: int) -> list[tuple[int, int]]:
    """Return steps and batch size of each block: full batches in as few blocks as memory allows, then the rows left."""
    steps, left = divmod(rows, batch)
    most = max(1, BATCH_CELLS // (2 * batch * terms))  # ids and counts
    full = [(min(most, steps - start), batch) for start in range(0, steps, most)]
    return full + [(1, left)] * (left > 0)


def validation_batches(X: csr_array, units: int, y: NDArray[np.int64]) -> Any:
    """Return a dataset of the rows in their order, for a first layer of so many units.

    A batch is ids and counts (B, K) and labels (B, 1), with as many rows as memory allows.
    """
    width = most_terms(X)
    size = max(1, min(BATCH_ROWS, BATCH_CELLS // (width * units)))

    def parts() -> Iterator[Any]:
        for start in range(0, X.shape[0], size):
            rows = slice(start, start + size)
            yield pad_rows(X[rows], width), as_column(y[rows])

    return make_dataset(parts, -(-X.shape[0] // size), dimensions=2, labels=1)


def make_dataset(generator: Callable[[], Iterator[Any]], number: int, dimensions: int, labels: int) -> Any:
    """Return the `number` elements that the generator yields as a dataset: ids and counts, then arrays of floats.

    Rows are padded when they are needed: all of them together could be many times the size of the sparse matrix.
    """
    import tensorflow as tf

    rows = tuple(tf.TensorSpec((None,) * dimensions, dtype) for dtype in (tf.int32, tf.float32))
    label = tf.TensorSpec((*(None,) * (dimensions - 1), 1), tf.float32)
    elements = tf.data.Dataset.from_generator(generator, output_signature=(rows, *[label] * labels))
    return elements.apply(tf.data.experimental.assert_cardinality(number))  # Keras warns if it has to find out


def pad_rows(X: csr_array, width: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return term ids and counts of each row, both (rows, K), 0 where a row has fewer than K terms.

    K is `width`, which no row exceeds, or a sixteenth of it, and so on, if that holds these rows as well: one long row
    must not slow all others, and XLA compiles again for each K.
    """
    terms = np.diff(X.indptr)
    columns = width
    while (narrower := -(-columns // NARROWING)) >= max(NARROWEST, terms.max(initial=0)):
        columns = narrower
    filled = np.arange(columns) < terms[:, None]
    ids, counts = np.zeros(filled.shape, np.int32), np.zeros(filled.shape, np.float32)
    ids[filled], counts[filled] = X.indices, X.data
    return ids, counts


def most_terms(X: csr_array) -> int:
    """Return the largest number of terms in a row, at least 1."""
    return int(np.diff(X.indptr).max(initial=1))


def as_column(y: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return labels in the form that Keras's losses expect, (rows, 1)."""
    return y.astype(np.float32)[:, None]
