"""A tiny BERT with random weights, as pretrained files, for tests of transformer."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import samples, tiny_bert
from textclf.artifacts.features import Features
from textclf.artifacts.tokens import Tokens
from textclf.models import transformer
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.transformer import Settings
from textclf.pretrained import bert, catalogue, weights
from textclf.pretrained.bert import Config

NAME = "all-minilm-l6-v2"  # the entry of the catalogue that the tiny one stands for
CONFIG = tiny_bert.CONFIG_JSON | {
    "num_hidden_layers": 1,
    "max_position_embeddings": 10,
    "vocab_size": 20,
}
LENGTH = 9
# What makes an MPNet of it, with two positions before the first token's.
MPNET = {
    "model_type": "mpnet",
    "max_position_embeddings": 12,
    "relative_attention_num_buckets": 8,
}


def config(folder: Path, **changes: object) -> Config:
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIG | changes))
    return bert.read_config(path)


def arrays(sizes: Config) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    return {
        name: (0.5 * generator.standard_normal(shape)).astype(np.float32)
        for name, shape in sizes.shapes().items()
    }


def folders(folder: Path, patch: pytest.MonkeyPatch, **changes: object) -> Folders:
    """Write the files of the tiny BERT, and let its name stand for them."""
    patch.setattr(weights, "require", lambda root, name, file: root / name / file)
    own = folder / "pretrained" / NAME
    own.mkdir(parents=True)
    (own / catalogue.WEIGHTS).write_bytes(tiny_bert.safetensors(arrays(config(own, **changes))))
    return Folders(folder / "pretrained", folder / "scratch")


def tokens(count: int = 30, seed: int = 0) -> Tokens:
    """Return rows of 2 to `LENGTH` random ids."""
    generator = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(generator.integers(2, LENGTH + 1, count))])
    ids = generator.integers(1, CONFIG["vocab_size"], starts[-1])
    return Tokens(ids.astype(np.int32), starts, CONFIG["vocab_size"], LENGTH)


def rows(count: int = 30, classes: int = 2, seed: int = 0) -> Features:
    """Return random rows; nearly all ids of a row leave the same remainder, its class."""
    X = tokens(count, seed)
    y = np.random.default_rng(seed).integers(0, classes, count)
    ids = X.ids // classes * classes + np.repeat(y, np.diff(X.starts))
    ids = np.where((ids < 1) | (ids >= CONFIG["vocab_size"]), X.ids, ids).astype(np.int32)
    names = np.array([f"class {number}" for number in range(classes)])
    return Features(np.arange(count).astype(str), replace(X, ids=ids), y, names)


def fit(train: Features, watched: Features, settings: Settings, folders: Folders) -> Fitted:
    return transformer.fit(samples.dataset(train), samples.dataset(watched), settings, folders)


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"learning_rate": 0.01, "epochs": 3, "batch_size": 8} | changes)
