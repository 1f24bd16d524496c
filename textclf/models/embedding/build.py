"""The model's own layers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from textclf.models.embedding import Settings


def own_layers(settings: "Settings") -> list["keras.Layer"]:
    """Return the pooling."""
    import keras

    pooling = {
        "average": keras.layers.GlobalAveragePooling1D,
        "flatten": keras.layers.Flatten,
        "max": keras.layers.GlobalMaxPooling1D,
    }
    return [pooling[settings.pooling](name="pooling")]
