"""Models whose dense layers have random weights."""

import itertools

import numpy as np

from tests import samples
from textclf.artifacts.layers import Layer, LayerModel


def random_model(
    classes: int = 2,
    units: tuple[int, ...] = (),
    activation: str = "tanh",
    output: str = "",
    presence: bool = False,
) -> LayerModel:
    generator = np.random.default_rng(classes)
    output = output or ("sigmoid" if classes == 2 else "softmax")
    sizes = [samples.TERMS, *units, 1 if output == "sigmoid" else classes]
    shapes = list(itertools.pairwise(sizes))
    parts = [
        Layer(generator.normal(size=shape), generator.normal(size=shape[1]), activation)
        for shape in shapes[:-1]
    ]
    parts.append(
        Layer(generator.normal(size=shapes[-1]), generator.normal(size=shapes[-1][1]), output)
    )
    return LayerModel(tuple(f"class {n}" for n in range(classes)), tuple(parts), presence)


MODELS = {
    "two classes": random_model(),
    "two classes by softmax": random_model(2, output="softmax"),
    "three classes": random_model(3),
    "six classes, shares of sigmoids": random_model(6, output="sigmoid_shares"),
    "presence": random_model(3, presence=True),
    "a network": random_model(2, (4, 3)),
    "a network of three classes": random_model(3, (5,), "gelu"),
    "a network of presence": random_model(3, (5,), "relu", presence=True),
}
