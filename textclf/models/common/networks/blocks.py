"""Blocks of rows, and a model that takes all steps of a block in one call.

So XLA compiles the loop over the steps as well, and an epoch is a few calls.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.models.common.class_weights import row_weights

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features
    from textclf.models.common.networks.settings import NetworkSettings

NO_STEP = -1.0  # label of the rows of steps that only lengthen a block
LENGTHENED = 4  # times at most that a block is made longer, so that XLA need not compile for its length
BATCH_ROWS, BATCH_CELLS = 8192, 2**27  # rows of a validation batch; 4-byte numbers in an array, at most


def block_model(inputs: Any, output: Any) -> "keras.Model":
    """Return a model from Keras tensors to another that trains on blocks (steps, batch, ...) instead of batches."""
    import keras
    import tensorflow as tf

    class BlockModel(keras.Model):
        """A model that takes all steps of a block in one call.

        `steps` is the length of the longest block so far.
        """

        steps = 0

        def train_step(self, data: Any) -> Any:
            step = super().train_step
            steps = tf.reduce_sum(tf.cast(data[1][:, 0, 0] != NO_STEP, tf.int32))

            def body(number: Any, _: Any) -> Any:
                return number + 1, step(tf.nest.map_structure(lambda array: array[number], data))

            logs = {"accuracy": tf.zeros(()), "loss": tf.zeros(())}
            return tf.while_loop(lambda number, _: number < steps, body, (0, logs))[1]

    return BlockModel(inputs, output)


def with_dense_gradient(kernel: Any) -> Any:
    """Return the kernel, unchanged; its gradient from take() is made dense.

    The gradient of take has one part for each row with an id, and Keras's optimizers square the parts one by one; they
    must square their sum, which the dense gradient is.
    """
    import tensorflow as tf

    return tf.custom_gradient(lambda values: (tf.identity(values), tf.convert_to_tensor))(kernel)


def training_blocks(
    model: "keras.Model",
    train: "Features",
    settings: "NetworkSettings",
    inputs: Callable[[NDArray[np.int64]], Any],
    dtypes: Any,
    cells: int,
) -> tuple[Any, int]:
    """Return a dataset of the training rows, each epoch in an order of its own, and the number of blocks of an epoch.

    A block is the inputs (steps, batch, ...), labels (steps, batch, 1) and, if classes are weighted, the weights of
    the rows (steps, batch, 1). `inputs` returns the arrays of the rows at some positions, of these types; `cells` is
    how many numbers a row takes. The blocks are for the model, of `block_model`: if it has trained on longer ones,
    theirs is the length of these too, with steps at the end that are not taken. XLA compiles the loop for each length
    anew, and a fold of a cross-validation has fewer rows than the training before.
    """
    import tensorflow as tf

    labels = [as_column(train.y)]
    if (weights := row_weights(train, settings.class_weight)) is not None:
        labels.append(weights.astype(np.float32)[:, None])
    rows = len(train.y)
    shapes = block_shapes(rows, settings.batch_size, cells)
    borders = np.cumsum([steps * batch for steps, batch in shapes])[:-1]
    model.steps = max(model.steps, shapes[0][0])
    lengths = [model.steps if steps > 1 and LENGTHENED * steps >= model.steps else steps for steps, _ in shapes]

    def blocks() -> Iterator[Any]:
        for epoch in range(settings.epochs):
            seed = np.array([settings.seed, epoch])
            order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seed).numpy()
            for shape, length, block_rows in zip(shapes, lengths, np.split(order, borders), strict=True):
                arrays = (inputs(block_rows), *(array[block_rows] for array in labels))
                yield tf.nest.map_structure(
                    lambda array, shape=shape, length=length: lengthen(array.reshape(*shape, -1), length), arrays
                )

    dataset = make_dataset(blocks, settings.epochs * len(shapes), dtypes, dimensions=3, labels=len(labels))
    return dataset, len(shapes)


def lengthen(array: NDArray[Any], steps: int) -> NDArray[Any]:
    """Return an array (steps, batch, ...) with that many steps; what is added is `NO_STEP`, or id 0."""
    if len(array) == steps:
        return array
    longer = np.full((steps, *array.shape[1:]), 0 if array.dtype.kind == "i" else NO_STEP, array.dtype)
    longer[: len(array)] = array
    return longer


def block_shapes(rows: int, batch: int, cells: int) -> list[tuple[int, int]]:
    """Return steps and batch size of each block: full batches in as few blocks as memory allows, then the rows left."""
    steps, left = divmod(rows, batch)
    most = max(1, BATCH_CELLS // (batch * cells))
    full = [(min(most, steps - start), batch) for start in range(0, steps, most)]
    return full + [(1, left)] * (left > 0)


def validation_batches(y: NDArray[np.int64], inputs: Callable[[slice], Any], dtypes: Any, cells: int) -> Any:
    """Return a dataset of the rows in their order: inputs (B, ...) and labels (B, 1).

    `inputs` returns the arrays of a slice of the rows. A batch has as many rows as memory allows, of `cells` numbers.
    """
    size = max(1, min(BATCH_ROWS, BATCH_CELLS // cells))

    def parts() -> Iterator[Any]:
        for start in range(0, len(y), size):
            rows = slice(start, start + size)
            yield inputs(rows), as_column(y[rows])

    return make_dataset(parts, -(-len(y) // size), dtypes, dimensions=2, labels=1)


def make_dataset(generator: Callable[[], Iterator[Any]], number: int, dtypes: Any, dimensions: int, labels: int) -> Any:
    """Return the `number` elements that the generator yields as a dataset: inputs, then arrays of floats.

    Rows are made when they are needed: all of them together could be many times the size of the features. `dtypes` has
    the structure of the inputs, with the type of each array.
    """
    import tensorflow as tf

    inputs = tf.nest.map_structure(lambda dtype: tf.TensorSpec((None,) * dimensions, dtype), dtypes)
    label = tf.TensorSpec((*(None,) * (dimensions - 1), 1), tf.float32)
    elements = tf.data.Dataset.from_generator(generator, output_signature=(inputs, *[label] * labels))
    return elements.apply(tf.data.experimental.assert_cardinality(number))  # Keras warns if it has to find out


def as_column(y: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return labels in the form that Keras's losses expect, (rows, 1)."""
    return y.astype(np.float32)[:, None]
