"""The model's own layers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from textclf.models.cnn import Settings


def own_layers(settings: "Settings") -> list["keras.Layer"]:
    """Return the convolution, with the activation of the hidden layers, and the maximum of each filter."""
    import keras

    return [
        keras.layers.Conv1D(settings.filters, settings.kernel_size, activation=settings.activation, name="convolution"),
        keras.layers.GlobalMaxPooling1D(name="pooling"),
    ]
