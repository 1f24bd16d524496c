"""Features of texts for the tests, by the model's representation: a kernel, and words.

A vocabulary of the training rows has all of their words and lacks words of any other texts, which
alone would tell them apart. So what is learned from texts is learned again from both samples
together.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from textclf.artifacts.features import squared_norms
from textclf.artifacts.tokens import Tokens, concatenate
from textclf.vectorize.terms.counts import Counted, count_by, count_terms, tfidf
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer, inverse_document_frequency
from textclf.vectorize.token_ids.representation import TokenIds, split_words

Floats = NDArray[np.float64]
Count = Callable[[Sequence[str]], Counted]

# Runs of letters are the words where a representation has none.
RUNS = r"\w+"
# Texts that an encoder gets at a time.
BATCH = 256


def kernel(representation: Any, texts: Sequence[str]) -> Floats:
    """Return the inner products (texts, texts) of the vectors of all texts, scaled to length 1.

    The length of the texts is a check of its own. Those of several representations are added.
    """
    total = np.zeros((len(texts), len(texts)))
    for part in _parts(representation):
        for vectors in _vectors(part, texts):
            products: Any = vectors @ vectors.T
            total += products if isinstance(products, np.ndarray) else products.toarray()
    return total


def _parts(representation: Any) -> list[Any]:
    """Return the representations that stand side by side, mostly one."""
    blocks = getattr(representation, "blocks", ())
    return [part for block in blocks for part in _parts(block.representation)] or [representation]


def _vectors(representation: Any, texts: Sequence[str]) -> Iterable[csr_array | Floats]:
    """Yield the vectors of one representation, those of several analyzers one by one."""
    match representation:
        case Vectorizer(settings=settings):
            for name in settings.analyzers:
                counts = in_several(_counter(name, settings)(texts)).counts
                yield unit_rows(_weighted(counts, settings))
        case TokenIds(settings=chosen):
            yield unit_rows(in_several(_word_counter(chosen)(texts)).counts)
        case _:
            yield _fixed(representation, texts)


def _fixed(representation: Any, texts: Sequence[str]) -> csr_array | Floats:
    """Return the vectors of a representation that learned nothing: token counts or embeddings."""
    parts = [
        representation.transform(list(texts[start : start + BATCH]))
        for start in range(0, len(texts), BATCH)
    ]
    vectors: Any
    if isinstance(parts[0], Tokens):
        tokens = concatenate(parts)
        vectors = csr_array((np.ones(tokens.nnz), tokens.ids, tokens.starts), shape=tokens.shape)
        vectors.sum_duplicates()
    elif isinstance(parts[0], np.ndarray):
        vectors = np.concatenate(parts)
    else:
        vectors = csr_array(vstack(parts, format="csr"))
    scaled: csr_array | Floats = unit_rows(vectors.astype(np.float64))
    return scaled


def _counter(analyzer: str, settings: Terms, **changes: object) -> Count:
    """Return how terms are counted by these settings with changes; terms are never hashed."""
    changed = settings.model_copy(update={"hashing": None, **changes})
    return partial(count_terms, analyzer=analyzer, settings=changed)


def _word_counter(settings: Any) -> Count:
    """Return how the words of token ids are counted."""
    return partial(count_by, analyze=partial(split_words, settings=settings))


def in_several(counted: Counted) -> Counted:
    """Return the terms that several texts have: those of one tell nothing about other texts."""
    terms, counts = counted
    several = np.flatnonzero(np.bincount(counts.indices, minlength=len(terms)) > 1)
    names = [terms[position] for position in several.tolist()]
    return Counted(names, counts[:, several].astype(np.float64))


def _weighted(counts: csr_array, settings: Terms) -> csr_array:
    """Return the weights of the counts of terms by the settings, with the idf of these texts."""
    if settings.weighting == "tfidf":
        frequencies = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = inverse_document_frequency(frequencies, counts.shape[0])
        return tfidf(counts, np.array(idf), settings.sublinear_tf)
    return counts


def unit_rows(vectors: Any) -> Any:
    """Return the rows scaled to length 1; those of zeros stay."""
    lengths = np.maximum(np.sqrt(squared_norms(vectors)), np.finfo(np.float64).tiny)
    if isinstance(vectors, np.ndarray):
        vectors /= lengths[:, None]
    else:
        vectors.data /= np.repeat(lengths, np.diff(vectors.indptr))
    return vectors


class Vocabulary(NamedTuple):
    """How the words of texts are counted, and the words that a representation knows."""

    counter: Count
    words: frozenset[str]


def vocabulary_of(representation: Any) -> Vocabulary | None:
    """Return the words that a representation learned from the training rows; None without any."""
    for part in _parts(representation):
        match part:
            case Vectorizer(parts=parts, settings=settings) if settings.ngram_range[0] == 1:
                known = [
                    fitted.vocabulary
                    for fitted in parts
                    if fitted.analyzer == "word" and fitted.vocabulary is not None
                ]
                if known:
                    count = _counter("word", settings, ngram_range=(1, 1), weighting="counts")
                    return Vocabulary(count, frozenset(known[0]))
            case TokenIds(settings=chosen, words=learned):
                # One less than `num_words`, as 0 is padding.
                most = None if chosen.num_words is None else chosen.num_words - 1
                return Vocabulary(_word_counter(chosen), frozenset(learned[:most]))
    return None


def count_unknown(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[Floats, Floats]:
    """Return per text the number of words that the vocabulary lacks, and of all: (texts,) each."""
    terms, counts = vocabulary.counter(texts)
    is_unknown = np.array([term not in vocabulary.words for term in terms], dtype=np.float64)
    return counts @ is_unknown, counts @ np.ones(len(terms))


def word_counter(representation: Any) -> Count:
    """Return how to count the words of `word_test`: as the representation does, or as `RUNS`."""
    vocabulary = vocabulary_of(representation)
    if vocabulary is not None:
        return vocabulary.counter
    return _counter("word", Terms(token_pattern=RUNS))
