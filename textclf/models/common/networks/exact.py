"""The layers of a network over token ids, with the same arithmetic in an order that does not depend on the CPU.

Eigen cuts long sums of a matrix product into pieces that follow the caches of the CPU. So no product here sums over
more than a text's positions or a layer's inputs, up to `WIDEST` of them; a wider layer adds one input after the other.
"""

from typing import TYPE_CHECKING, Any

from textclf.models.common.networks.blocks import block_model, with_dense_gradient

if TYPE_CHECKING:
    import keras

WIDEST = 256  # inputs of a product that is summed in one piece


def over_blocks(network: "keras.Sequential") -> "keras.Model":
    """Return a model of the same layers and weights that trains on blocks (steps, batch, length) of token ids."""
    import keras
    import tensorflow as tf

    length = network.input_shape[-1]

    class TakenEmbedding(keras.layers.Embedding):
        """An embedding whose gradient is dense."""

        def call(self, inputs: Any) -> Any:
            return keras.ops.take(with_dense_gradient(self.embeddings), inputs, axis=0)

    class SummedDense(keras.layers.Dense):
        """Dense for many inputs: sum_k input_k * kernel[k] + bias."""

        def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG002 (Keras passes it)
            return self.activation(keras.ops.sum(inputs[:, :, None] * self.kernel, axis=1) + self.bias)

    class TappedConv1D(keras.layers.Conv1D):
        """A convolution as a sum of products, one for each tap of the kernel."""

        def call(self, inputs: Any) -> Any:
            taps = self.kernel_size[0]
            positions = length - taps + 1
            parts = [multiply(inputs[:, tap : tap + positions], self.kernel[tap]) for tap in range(taps)]
            return self.activation(sum(parts[1:], parts[0]) + self.bias)

    @tf.custom_gradient
    def multiply(values: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            # Over the positions of each text first: over all rows at once the sum would be too long.
            by_text = tf.matmul(values, upstream, transpose_a=True)
            return tf.matmul(upstream, kernel, transpose_b=True), tf.reduce_sum(by_text, axis=0)

        return tf.matmul(values, kernel), gradient

    def exact(layer: "keras.Layer") -> "keras.Layer":
        kind = layer.__class__
        if kind is keras.layers.Embedding:
            kind = TakenEmbedding
        elif kind is keras.layers.Conv1D:
            kind = TappedConv1D
        elif kind is keras.layers.Dense and layer.kernel.shape[0] > WIDEST:
            kind = SummedDense
        return kind.from_config(layer.get_config())

    inputs = output = keras.Input((length,), dtype="int32")
    for layer in network.layers:
        output = exact(layer)(output)
    model = block_model(inputs, output)
    model.set_weights(network.get_weights())
    return model
