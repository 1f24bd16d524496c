"""The words of texts: which of them the model does not know, and which tell new texts from reference texts."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.drift.features import count_terms
from textclf.drift.permutations import TOLERANCE, permutations
from textclf.drift.sample import Pool

WORD = re.compile(r"\w+")
FEWEST = 5  # texts that have a word which is tested: fewer can't tell the sides apart

Floats = NDArray[np.float64]
Split = Callable[[str], Sequence[str]]


class Vocabulary(NamedTuple):
    """How a representation splits a text into words, and the words that it knows."""

    split: Split
    words: frozenset[str]


class Word(NamedTuple):
    """A word, the shares of reference and of new texts that have it, and its p-value, corrected for all words."""

    word: str
    reference: float
    new: float
    p: float


class WordTest(NamedTuple):
    """The words that are tested, the clearest first, and the p-value that none of them tells the sides apart."""

    p: float
    words: tuple[Word, ...]


def vocabulary_of(representation: Any) -> Vocabulary | None:
    """Return the words that a representation learned from the training rows; None if it has no vocabulary of words."""
    from textclf.vectorize.terms.tokens import make_analyzer
    from textclf.vectorize.terms.vectorizer import Vectorizer
    from textclf.vectorize.token_ids.representation import TokenIds, split_words

    for part in [block.representation for block in getattr(representation, "blocks", ())] or [representation]:
        match part:
            case Vectorizer(parts=parts, settings=settings) if settings.ngram_range[0] == 1:
                known = [each.vocabulary for each in parts if each.analyzer == "word" and each.vocabulary is not None]
                if known:
                    single = settings.model_copy(update={"ngram_range": (1, 1)})
                    return Vocabulary(make_analyzer("word", single), frozenset(known[0]))
            case TokenIds(settings=chosen, words=learned):
                kept = learned if chosen.num_words is None else learned[: chosen.num_words - 1]  # 0 is padding
                return Vocabulary(partial(split_words, settings=chosen), frozenset(kept))
            case _:
                pass
    return None


def count_unknown(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[Floats, Floats]:
    """Return the number of words of each text that the vocabulary lacks, and that of all its words: (texts,) each."""
    unknown, words = np.zeros(len(texts)), np.zeros(len(texts))
    for place, text in enumerate(texts):
        found = vocabulary.split(text)
        words[place] = len(found)
        unknown[place] = sum(word not in vocabulary.words for word in found)
    return unknown, words


def word_test(pool: Pool, split: Split, count: int, seed: int) -> WordTest:
    """Return the test that no word is in more of the texts of one side than chance explains.

    The statistic of a word is the difference of the shares of texts that have it, divided by its standard deviation,
    up to a factor that all words share; that of the test is the largest absolute one. Compared with the largest one of
    each permutation, the p-values of single words are corrected for all of them: the single-step maxT method of
    Westfall & Young (1993), Resampling-Based Multiple Testing, chapter 2.
    """
    has, terms = count_terms(pool.texts, split)
    shares = np.bincount(has.indices, minlength=has.shape[1]) / max(1, len(pool.texts))
    frequent = np.flatnonzero((shares * len(pool.texts) >= FEWEST - TOLERANCE) & (shares < 1))
    if not len(frequent):
        return WordTest(1.0, ())
    has, shares = has[:, frequent], shares[frequent]
    has.data[:] = 1
    by_word = has.T.tocsr()
    sides = [(side > 0) / (side > 0).sum() for side in (pool.new, pool.reference)]
    scale = 1 / np.sqrt(shares * (1 - shares))
    largest, observed = [], np.zeros(0)
    for chunk in permutations(pool.copies, count, seed):
        statistics = (by_word @ (sides[0] - sides[1])[chunk]) * scale[:, None]
        observed = observed if len(observed) else statistics[:, 0]
        largest.append(np.abs(statistics).max(axis=0))
    highest = np.sort(np.concatenate(largest))
    below = np.searchsorted(highest, np.abs(observed) - TOLERANCE)
    p_values = 1 - below / len(highest)
    new, reference = (by_word @ side for side in sides)
    order = sorted(range(len(frequent)), key=lambda place: (-abs(observed[place]), terms[frequent[place]]))
    words = [
        Word(terms[frequent[place]], float(reference[place]), float(new[place]), float(p_values[place]))
        for place in order
    ]
    return WordTest(words[0].p, tuple(words))


def splitter(representation: Any) -> Split:
    """Return how to split texts into the words of `word_test`: as the representation does, otherwise runs of letters.

    Letter n-grams and pieces of words would name the same difference many times.
    """
    vocabulary = vocabulary_of(representation)
    return vocabulary.split if vocabulary is not None else lambda text: WORD.findall(text.lower())
