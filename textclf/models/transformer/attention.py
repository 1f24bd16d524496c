"""Self-attention with numbers that are added to its scores: padding, and MPNet's distances.

Keras's own MultiHeadAttention takes a mask alone.
"""

from typing import Any

import keras
from keras import ops


class Attention(keras.layers.Layer):
    """Multi-head self-attention, whose parts have the names of Keras's MultiHeadAttention."""

    def __init__(self, hidden: int, heads: int, dropout: float, name: str) -> None:
        """Make the parts: each of the `heads` has `hidden / heads` columns."""
        super().__init__(name=name)
        self.size = hidden // heads
        shape = (None, heads, self.size)
        self.query, self.key, self.value = (
            keras.layers.EinsumDense("bth,hns->btns", shape, bias_axes="ns", name=part)
            for part in ("query", "key", "value")
        )
        self.joined = keras.layers.EinsumDense(
            "btns,nsh->bth", (None, hidden), bias_axes="h", name="attention_output"
        )
        self.dropout = keras.layers.Dropout(dropout)

    def call(self, values: Any, added: Any, training: bool | None = None) -> Any:
        """Return (rows, tokens, hidden) of values in this shape.

        `added` to the scores is (rows or 1, heads or 1, tokens or 1, attended tokens).
        """
        queries = self.query(values) / self.size**0.5
        scores = ops.einsum("bqns,bkns->bnqk", queries, self.key(values)) + added
        shares = self.dropout(ops.softmax(scores), training=training)
        return self.joined(ops.einsum("bnqk,bkns->bqns", shares, self.value(values)))
