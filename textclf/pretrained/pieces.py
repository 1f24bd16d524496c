"""Static vectors: one for each word piece, which an encoder computes from the piece alone.

The recipe is that of model2vec (Tulkens and van Dongen, 2024, https://github.com/MinishLab/model2vec)
without its principal components: [CLS], the piece and [SEP] go through a BERT encoder, and the
vector of the piece is the mean of the three.

All is computed in float64 and rounded to 8 bits. Processors differ in the last of 53 bits, which
no rounding to 8 bits shows, so the bytes are the same on all of them.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from textclf.core.files import write_npy
from textclf.core.progress import bar
from textclf.core.resources import cores
from textclf.pretrained import bert
from textclf.pretrained.catalogue import CONFIG, TOKENIZER, WEIGHTS
from textclf.pretrained.weights import read_safetensors

# Pieces that go through the encoder together.
BATCH = 256
# The largest number of 8 bits.
LARGEST = 127

Array = NDArray[np.float64]
Weights = Mapping[str, Array]


def write(files: Mapping[str, Path], target: Path) -> None:
    """Write the vectors of all pieces of a tokenizer as npy: (pieces, columns) int8.

    The files, by their names in the catalogue, are those of a BERT with the activation gelu. The
    mean of all vectors is taken off, and the largest number becomes 127 or -127.
    """
    sizes = bert.read_config(files[CONFIG])
    arrays = bert.select_weights(read_safetensors(files[WEIGHTS]), sizes, files[WEIGHTS])
    double = {name: array.astype(np.float64) for name, array in arrays.items()}
    pieces = json.loads(files[TOKENIZER].read_text("utf-8"))["model"]["vocab"]
    rows = np.empty((sizes.vocabulary, 3), dtype=np.int64)
    rows[:, 0], rows[:, 2] = pieces["[CLS]"], pieces["[SEP]"]
    rows[:, 1] = np.arange(sizes.vocabulary)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    vectors = []
    with (
        closing(bar("static vectors", len(rows))) as progress,
        ThreadPoolExecutor(cores()) as threads,
    ):
        for part in threads.map(partial(encode, weights=double, sizes=sizes), batches):
            vectors.append(part)
            progress.update(len(part))
    centered = np.concatenate(vectors)
    centered -= centered.mean(axis=0)
    with target.open("wb") as file:
        write_npy(file, np.rint(centered * (LARGEST / abs(centered).max())).astype(np.int8))


def encode(ids: NDArray[np.int64], weights: Weights, sizes: bert.Config) -> Array:
    """Return the mean vector of the tokens of each row, (rows, columns), of ids (rows, length)."""
    rows, length = ids.shape
    values = weights[bert.WORDS][ids]
    values += weights["embeddings.position_embeddings.weight"][:length]
    values += weights["embeddings.token_type_embeddings.weight"][0]
    values = values.reshape(rows * length, sizes.hidden)
    values = _normalize("embeddings.LayerNorm", values, weights, sizes)
    for number in range(sizes.layers):
        layer = f"encoder.layer.{number}"
        context = _attention(f"{layer}.attention.self", values, weights, sizes, length)
        attended = _linear(f"{layer}.attention.output.dense", context, weights) + values
        values = _normalize(f"{layer}.attention.output.LayerNorm", attended, weights, sizes)
        inner = _linear(f"{layer}.intermediate.dense", values, weights)
        inner *= (1 + erf(inner / np.sqrt(2))) / 2
        outer = _linear(f"{layer}.output.dense", inner, weights) + values
        values = _normalize(f"{layer}.output.LayerNorm", outer, weights, sizes)
    means: Array = values.reshape(rows, length, sizes.hidden).mean(axis=1)
    return means


def _attention(
    name: str, values: Array, weights: Weights, sizes: bert.Config, length: int
) -> Array:
    """Return the self-attention of all heads, (rows x length, columns)."""
    shape = (-1, length, sizes.heads, sizes.hidden // sizes.heads)

    def heads(part: str) -> Array:
        """Return queries, keys or values: (rows, heads, length, size)."""
        return _linear(f"{name}.{part}", values, weights).reshape(shape).swapaxes(1, 2)

    scores: Any = heads("query") @ heads("key").swapaxes(2, 3) / np.sqrt(shape[-1])
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    context: Array = (shares @ heads("value")).swapaxes(1, 2).reshape(values.shape)
    return context


def _linear(name: str, values: Array, weights: Weights) -> Array:
    product: Array = values @ weights[f"{name}.weight"].T
    product += weights[f"{name}.bias"]
    return product


def _normalize(name: str, values: Array, weights: Weights, sizes: bert.Config) -> Array:
    centered: Array = values - values.mean(axis=1, keepdims=True)
    variance = (centered**2).mean(axis=1, keepdims=True)
    centered *= weights[f"{name}.weight"] / np.sqrt(variance + sizes.epsilon)
    centered += weights[f"{name}.bias"]
    return centered
