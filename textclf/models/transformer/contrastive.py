"""The objective for few rows: a contrastive loss, and logistic regression on the vectors.

The encoder learns to bring the vectors of a class together. Supervised contrastive learning: Khosla
et al. (2020), NeurIPS 33, 18661-18673, arXiv:2004.11362.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.tokens import Tokens
from textclf.models.transformer.batches import pad, sorted_batches
from textclf.models.transformer.network import HEAD

if TYPE_CHECKING:
    import keras

TEMPERATURE = 0.1  # by which cosine similarities are divided
# Settings of logistic regression: C as for sentence vectors without a choice, and the most steps of
# the solver. Both were chosen on other corpora.
C = 10.0
ITERATIONS = 1000
MASKED = 1e9  # subtracted from the similarity of a row to itself


def without_head(network: "keras.Model") -> "keras.Model":
    """Return the network up to the pooled vectors, (rows, hidden)."""
    import keras

    return keras.Model(network.input, network.get_layer(HEAD).input, name=network.name)


def objective(vectors: Any, y: Any) -> tuple[Any, Any]:
    """Return the supervised contrastive loss of each row, and whether its nearest row is correct.

    A nearest row is correct if it is of the same class. `vectors` is (rows, hidden), `y` (rows,). A
    row that is alone in its class has the loss 0, and the others of the batch are still compared
    with it.
    """
    import tensorflow as tf

    unit = tf.math.l2_normalize(vectors, axis=1)
    itself = tf.eye(tf.shape(y)[0])
    similarity = tf.matmul(unit, unit, transpose_b=True) / TEMPERATURE - MASKED * itself
    logarithms = similarity - tf.reduce_logsumexp(similarity, axis=1, keepdims=True)
    partners = tf.cast(y[:, None] == y[None], vectors.dtype) - itself
    count = tf.maximum(tf.reduce_sum(partners, axis=1), 1.0)
    losses = -tf.reduce_sum(logarithms * partners, axis=1) / count
    return losses, tf.gather(y, tf.argmax(similarity, axis=1)) == y


def fit_head(
    network: "keras.Model", tokens: Tokens, y: NDArray[np.int64], weights: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return logistic regression on the vectors of the rows, scaled to length 1.

    It is returned as the arrays of the new layer.
    """
    from sklearn.linear_model import LogisticRegression

    vectors = np.empty((len(y), network.output_shape[-1]))
    for batch in sorted_batches(tokens):
        vectors[batch] = network(pad(tokens[batch]), training=False)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    fitted = LogisticRegression(C=C, max_iter=ITERATIONS).fit(vectors, y, sample_weight=weights)
    head = {"weight": fitted.coef_, "bias": fitted.intercept_}
    return {f"{HEAD}.{name}": array.astype(np.float32) for name, array in head.items()}
