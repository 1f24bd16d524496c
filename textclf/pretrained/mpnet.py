"""MPNet encoders: BERT's with other names, and with scores of attention for the distance between tokens.

Song et al. (2020), NeurIPS, arXiv:2004.09297. The arrays have the names of the Transformers library.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SKIPPED, FAR = 2, 128  # positions before the first token's; the distance from which all are in one bucket
SCORES = "encoder.relative_attention_bias.weight"  # by bucket of distances and head
_POSITIONS = "embeddings.position_embeddings.weight"
_NAMES = {"attn.q": "self.query", "attn.k": "self.key", "attn.v": "self.value", "attn.o": "output.dense"}
_NAMES |= {"attention.LayerNorm": "attention.output.LayerNorm"}


def as_bert(arrays: Mapping[str, NDArray[Any]], hidden: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by the names of BERT's; MPNet has no token types, whose vector is 0."""
    renamed = {"embeddings.token_type_embeddings.weight": np.zeros((1, hidden), np.float32)}
    for name, array in arrays.items():
        known = name.removeprefix("mpnet.")
        for theirs, ours in _NAMES.items():
            known = known.replace(theirs, ours)
        renamed[known] = array[SKIPPED:] if known == _POSITIONS else array
    return renamed


def scores_of_distances(scores: NDArray[Any], positions: int) -> NDArray[Any]:
    """Return what each head adds to the scores of attention: (heads, positions, positions), the attended token last.

    Half of the buckets are for tokens that follow; of each half, half are for one distance, others grow up to `FAR`.
    """
    distances = np.arange(positions) - np.arange(positions)[:, None]
    half, single = len(scores) // 2, len(scores) // 4
    growth = np.log(np.maximum(abs(distances), 1) / single) / np.log(FAR / single)
    large = np.minimum(single + (growth * (half - single)).astype(int), half - 1)
    buckets = np.where(abs(distances) < single, abs(distances), large) + half * (distances > 0)
    return np.ascontiguousarray(scores[buckets].transpose(2, 0, 1))
