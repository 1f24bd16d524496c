"""A tiny BERT with random weights, as an encoder's files, and its numbers by numpy."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from textclf.core.files import sha256, sha256_of_file
from textclf.pretrained import pieces
from textclf.pretrained.bert import Config
from textclf.pretrained.catalogue import CATALOGUE, WEIGHTS, File
from textclf.pretrained.catalogue import CONFIG as CONFIG_FILE
from textclf.pretrained.catalogue import PIECES as PIECES_FILE

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "good",
    "bad",
    "food",
    "serv",
    "##ice",
    ".",
    "[",
    "]",
    "pad",
    "sep",
]
CONFIG = Config(
    layers=2,
    hidden=8,
    heads=2,
    inner=12,
    positions=16,
    vocabulary=len(PIECES),
    types=2,
    epsilon=1e-12,
    activation="gelu",
)
CONFIG_JSON: dict[str, Any] = {
    "model_type": "bert",
    "num_hidden_layers": 2,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
    "vocab_size": len(PIECES),
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}


def weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return {
        name: random.normal(size=shape).astype(np.float32)
        for name, shape in CONFIG.shapes().items()
    }


def safetensors(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a file in the format safetensors, with metadata as published files have them."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, array in arrays.items():
        data = array.astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + body


def tokenizer_json() -> dict[str, Any]:
    """Return a tokenizer.json that pads and truncates by itself, as published ones do."""
    content: dict[str, Any] = json.loads(
        Path(__file__).with_name("tiny_tokenizer.json").read_text(encoding="utf-8")
    )
    return content


def write_folder(folder: Path) -> Path:
    """Write config.json, tokenizer.json and model.safetensors to a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG_JSON), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json()), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors(weights()))
    return folder


def write_static(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write static vectors to the folder of a name in the catalogue, and return `root`.

    The catalogue then says that these are its files.
    """
    folder = write_folder(root / name)
    pieces.write({path.name: path for path in folder.iterdir()}, folder / PIECES_FILE)
    for unused in (CONFIG_FILE, WEIGHTS):
        (folder / unused).unlink()
    files = tuple(
        File(path.name, path.stat().st_size, sha256_of_file(path)) for path in folder.iterdir()
    )
    entry = replace(CATALOGUE[name], files=files)
    monkeypatch.setitem(cast(dict[str, Any], CATALOGUE), name, entry)
    return root


def checksum(path: Path) -> str:
    """Return the checksum of a folder, or of an ONNX file with its data and tokenizer."""
    names = ["config.json", "model.onnx*", "model.safetensors", "tokenizer.json"]
    if path.is_file():
        path, names = path.parent, [f"{path.name}*", "tokenizer.json"]
    files = sorted(file for name in names for file in path.glob(name))
    return sha256("".join(f"{sha256_of_file(file)}  {file.name}\n" for file in files).encode())


def token_vectors(
    arrays: Mapping[str, NDArray[np.float32]], ids: Sequence[int], added: Any = (0, 0)
) -> NDArray[np.float64]:
    """Return a text's token vectors, (tokens, hidden), in float64; `added` goes to the scores."""
    w = {name: array.astype(np.float64) for name, array in arrays.items()}

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(
            x.var(-1, keepdims=True) + CONFIG.epsilon
        )
        result: NDArray[np.float64] = scaled * w[f"{name}.weight"] + w[f"{name}.bias"]
        return result

    def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        result: NDArray[np.float64] = x @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        return result

    x = (
        w["embeddings.word_embeddings.weight"][list(ids)]
        + w["embeddings.position_embeddings.weight"][: len(ids)]
    )
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = CONFIG.hidden // CONFIG.heads
    for number in range(CONFIG.layers):
        layer = f"encoder.layer.{number}"
        q, k, v = (
            linear(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")
        )
        heads = []
        for start in range(0, CONFIG.hidden, size):
            part = slice(start, start + size)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(size) + added[start // size])
            heads.append(scores / scores.sum(-1, keepdims=True) @ v[:, part])
        attended = linear(np.concatenate(heads, axis=1), f"{layer}.attention.output.dense")
        x = norm(x + attended, f"{layer}.attention.output.LayerNorm")
        inner = linear(x, f"{layer}.intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x
