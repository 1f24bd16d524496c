"""The representations of the models, and the terms that weigh most for each class of those that read terms."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.sparse import csr_array

from textclf.artifacts import inputs as model_inputs
from textclf.artifacts.checksums import verify_files
from textclf.artifacts.inputs import Inputs
from textclf.core.progress import track
from textclf.export.explanation import COLUMNS, top_terms
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER, Block


def read_vectorizer(inputs: Inputs, features: Path, shared: Path) -> Any:
    """Return the representation of a model: the one that it reads, or the union of several.

    `features` holds a folder per representation, `shared` the pretrained weights.
    """
    blocks = []
    for block in inputs.blocks:
        read = representation.read(features / block.name / VECTORIZER, shared)
        verify_files(features / block.name, [VECTORIZER])
        blocks.append(Block(block.name, block.scale, read))
    return representation.combine(blocks)


def terms_of_models(
    models: Mapping[str, Any],
    inputs: Mapping[str, Inputs],
    vectorizers: Mapping[str, Any],
    features: Path,
    count: int,
) -> pd.DataFrame:
    """Return the table of `top_terms` of all models whose features have terms, in their order.

    Models that read the same features are done together, so that these are read once.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, read in inputs.items():
        if hasattr(vectorizers[name], "terms"):
            groups.setdefault(read.names, []).append(name)
    tables = []
    for names in groups.values():
        rows = _training_rows(inputs[names[0]], features)
        tables.append(top_terms({name: models[name] for name in names}, rows, vectorizers[names[0]].terms(), count))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(tables, ignore_index=True)
    return pd.concat([together[together["model"] == name] for name in models], ignore_index=True)


def _training_rows(inputs: Inputs, features: Path) -> Iterator[csr_array]:
    """Yield the training rows of a model shard by shard."""
    shards = model_inputs.open_features(inputs, features)["train"]
    return (shard.X for shard in track(shards, "training rows read", len(shards), "shard"))
