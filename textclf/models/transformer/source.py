"""The pretrained weights that the training starts from, and the rows that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.artifacts.tokens import Tokens
from textclf.core.errors import UserError
from textclf.pretrained import bert, catalogue, safetensors
from textclf.pretrained.bert import Config
from textclf.pretrained.weights import Chosen


@dataclass(frozen=True)
class Source:
    """Pretrained weights: their name, the sizes of the encoder, and its arrays by their names."""

    name: str
    config: Config
    arrays: Mapping[str, NDArray[np.float32]]


def read_source(folder: Path, chosen: Chosen) -> Source:
    """Return the pretrained weights that settings name, verified; `UserError` if they are missing or damaged.

    `folder` is that of all pretrained weights.
    """
    config = bert.read_config(chosen.require(folder, catalogue.CONFIG))
    path = chosen.require(folder, catalogue.WEIGHTS)
    return Source(chosen.name, config, bert.select_weights(safetensors.read(path), config, path))


def tokens_of(part: Features, source: Source) -> Tokens:
    """Return the tokens of the rows; `UserError` unless they can be of the tokenizer of these weights."""
    X: Tokens = part.X
    config = source.config
    rule = f"features must name features of the method wordpieces, made for {source.name}"
    if (X.vocabulary, X.padding) != (config.vocabulary, "post"):
        raise UserError(
            f"{rule}: {config.vocabulary:,} ids, padded at the end (post); "
            f"got {X.vocabulary:,} ids, padded by {X.padding}"
        )
    if X.length > config.positions:
        raise UserError(
            f"the length of the features must be at most {config.positions} for {source.name}; got {X.length}"
        )
    return X
