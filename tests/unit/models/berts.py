"""A tiny BERT with random weights, in the files of pretrained ones, for the tests of the model transformer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import bert
from textclf.artifacts.bert import Config
from textclf.artifacts.tokens import Tokens

CONFIG: dict[str, Any] = {
    "hidden_act": "gelu",
    "hidden_size": 8,
    "intermediate_size": 12,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 10,
    "model_type": "bert",
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "type_vocab_size": 2,
    "vocab_size": 20,
}
LENGTH = 9


def config(folder: Path, **changes: object) -> Config:
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIG | changes))
    return bert.read_config(path)


def arrays(sizes: Config) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    return {name: (0.5 * generator.standard_normal(shape)).astype(np.float32) for name, shape in sizes.shapes().items()}


def safetensors(content: dict[str, NDArray[np.float32]]) -> bytes:
    header, start = {}, 0
    for name, array in content.items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [start, start + array.nbytes]}
        start += array.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in content.values())


def tokens(count: int = 30, seed: int = 0) -> Tokens:
    """Return rows of 2 to `LENGTH` random ids."""
    generator = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(generator.integers(2, LENGTH + 1, count))])
    ids = generator.integers(1, CONFIG["vocab_size"], starts[-1])
    return Tokens(ids.astype(np.int32), starts, CONFIG["vocab_size"], LENGTH)
