"""Models of token ids with random weights."""

import numpy as np

from textclf.artifacts.layers import Layer, LayerModel
from textclf.artifacts.token_front import Convolution, Pooling, TokenFront
from textclf.artifacts.tokens import Side, Tokens

IDS, LENGTH, DIMENSIONS, FILTERS, TAPS = 9, 6, 3, 4, 2
POOLINGS: list[Pooling] = ["average", "flatten", "max"]


def rows(*texts: list[int], padding: Side = "post") -> Tokens:
    ids = np.array([number for text in texts for number in text], dtype=np.int32)
    return Tokens(ids, np.cumsum([0, *map(len, texts)], dtype=np.int64), IDS, LENGTH, padding)


def front(
    pooling: Pooling = "max", convolved: bool = False, activation: str = "relu"
) -> TokenFront:
    numbers = np.random.default_rng(1)
    convolution = Convolution(
        numbers.normal(size=(TAPS, DIMENSIONS, FILTERS)), numbers.normal(size=FILTERS), activation
    )
    return TokenFront(
        numbers.normal(size=(IDS, DIMENSIONS)), LENGTH, pooling, convolution if convolved else None
    )


def model(
    pooling: Pooling = "max", convolved: bool = False, classes: int = 3, activation: str = "relu"
) -> LayerModel:
    """Return a model of random weights, with a hidden layer."""
    numbers = np.random.default_rng(2)
    made = front(pooling, convolved, activation)
    own = (
        Layer(numbers.normal(size=(made.columns, 5)), numbers.normal(size=5), "relu"),
        Layer(numbers.normal(size=(5, classes)), numbers.normal(size=classes), "softmax"),
    )
    return LayerModel(tuple(f"class {n}" for n in range(classes)), own, front=made)
