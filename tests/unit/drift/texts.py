"""Made-up texts, and pools of them."""

from collections.abc import Iterable, Sequence

import numpy as np

from textclf.drift.pool import PooledTexts, pool_texts, sample_texts

LETTERS = "bdfgklmnprst"


def draw_texts(generator: np.random.Generator, count: int, words: int = 6) -> list[str]:
    """Return texts of a few three-letter words, such as "buk dul"; some are frequent."""
    ranks = generator.zipf(1.3, (count, words))
    return [" ".join(word(rank) for rank in row) for row in ranks.tolist()]


def word(rank: int) -> str:
    """Return the word of this rank, the first of which are different."""
    first, second = divmod(rank % len(LETTERS) ** 2, len(LETTERS))
    return f"{LETTERS[first]}u{LETTERS[second]}"


def pool_of(reference: Sequence[str], new: Sequence[str], seed: int = 0) -> PooledTexts:
    return pool_texts(*(sample_texts([(texts, None)], seed) for texts in (reference, new)))


def rejected(p_values: Iterable[float], alpha: float = 0.1) -> tuple[int, int]:
    """Return how many p-values are at most alpha, and how many there are."""
    values = list(p_values)
    return sum(p <= alpha + 1e-12 for p in values), len(values)
