"""The layers of a network over token ids, with an arithmetic that does not depend on the CPU.

Their weights are the same. A product of matrices in Eigen adds in an order that follows the CPU,
even over 50 numbers. Here it is a loop that adds one outer product after the other, which XLA
compiles for AVX2.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def exact_network(network: "keras.Sequential") -> "keras.Model":
    """Return a network of the same layers over token ids (rows, length)."""
    import keras

    length = network.input_shape[-1]

    class ExactEmbedding(keras.layers.Embedding):
        """An embedding whose gradient is dense."""

        def call(self, inputs: Any) -> Any:
            return keras.ops.take(with_dense_gradient(self.embeddings), inputs, axis=0)

    class ExactDense(keras.layers.Dense):
        """A dense layer."""

        # Keras passes it.
        def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002
            return self.activation(multiply(inputs, self.kernel) + self.bias)

    class ExactConv1D(keras.layers.Conv1D):
        """A convolution as the product of all windows with the kernel."""

        def call(self, inputs: Any) -> Any:
            taps, dimensions, filters = self.kernel.shape
            positions = length - taps + 1
            windows = [inputs[:, tap : tap + positions] for tap in range(taps)]
            rows = keras.ops.reshape(
                keras.ops.concatenate(windows, axis=-1), (-1, taps * dimensions)
            )
            sums = multiply(rows, keras.ops.reshape(self.kernel, (taps * dimensions, filters)))
            return self.activation(keras.ops.reshape(sums, (-1, positions, filters)) + self.bias)

    exact = {
        keras.layers.Conv1D: ExactConv1D,
        keras.layers.Dense: ExactDense,
        keras.layers.Embedding: ExactEmbedding,
    }
    inputs = output = keras.Input((length,), dtype="int32")
    for layer in network.layers:
        kind = layer.__class__
        output = exact.get(kind, kind).from_config(layer.get_config())(output)
    return keras.Model((inputs,), output)


def with_dense_gradient(kernel: Any) -> Any:
    """Return the kernel, unchanged; its gradient from take() is made dense.

    It has one part per row with an id, and Keras's optimizers would square the parts instead of
    their sum.
    """
    import tensorflow as tf

    return tf.custom_gradient(lambda values: (tf.identity(values), tf.convert_to_tensor))(kernel)


def multiply(values: Any, kernel: Any) -> Any:
    """Return values @ kernel, (rows, units), with its gradients, as sums of outer products."""
    import tensorflow as tf

    @tf.custom_gradient
    def product(values: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            return (
                add_outer_products(tf.transpose(upstream), tf.transpose(kernel)),
                add_outer_products(values, upstream),
            )

        return add_outer_products(tf.transpose(values), kernel), gradient

    return product(values, kernel)


def add_outer_products(left: Any, right: Any) -> Any:
    """Return the sum over n of the outer products of left[n] and right[n].

    Its shape is (columns of left, columns of right).
    """
    import tensorflow as tf

    def add(number: Any, total: Any) -> Any:
        return number + 1, total + left[number][:, None] * right[number]

    start = tf.zeros((tf.shape(left)[1], tf.shape(right)[1]))
    shape = tf.TensorShape((left.shape[1], right.shape[1]))
    invariants = (tf.TensorShape(()), shape)
    _, total = tf.while_loop(
        lambda number, _: number < tf.shape(left)[0], add, (0, start), shape_invariants=invariants
    )
    return total
