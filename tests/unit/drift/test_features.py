"""What representations show of texts: the kernel, and words that a model does not know."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from textclf.artifacts.tokens import Tokens
from textclf.drift import features
from textclf.drift.features import count_unknown, in_several, kernel, vocabulary_of, word_counter
from textclf.vectorize.representation import Block, Union
from textclf.vectorize.terms.counts import count_by
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings

TEXTS = [
    "good food",
    "good good place",
    "bad place bad",
    "unseen good words",
    "unseen bad words",
    "",
]


class Encoder:
    """A stand-in for a pretrained encoder."""

    def transform(self, texts: Sequence[str]) -> Any:
        return np.array([[len(text), text.count("o"), 1] for text in texts], dtype=np.float32)


class Pieces:
    """A stand-in for a pretrained tokenizer: the letters of the alphabet."""

    kind: ClassVar[str] = "tokens"

    def transform(self, texts: Sequence[str]) -> Tokens:
        ids = [[ord(letter) - 96 for letter in text if letter.isalpha()] for text in texts]
        starts = np.cumsum([0, *map(len, ids)]).astype(np.int64)
        return Tokens(
            np.array([each for row in ids for each in row], dtype=np.int32), starts, 27, 100
        )


def normalized(rows: Any) -> Any:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weighting": "binary"},
        {"weighting": "tfidf"},
        {"analyzer": "char_wb", "hashing": 8},
        {"max_features": 1},
    ],
    ids=str,
)
def test_terms_are_learned_again_from_the_texts_that_are_compared(settings: dict[str, Any]) -> None:
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    terms = Terms.model_validate(settings)
    fitted = Vectorizer.fit(["good food", "bad place"], terms)
    kind = TfidfVectorizer if terms.weighting == "tfidf" else CountVectorizer
    ranges = {"ngram_range": (1, 1) if terms.analyzer == "word" else terms.char_ngram_range}
    expected = kind(min_df=2, analyzer=terms.analyzer, binary=terms.weighting == "binary", **ranges)
    rows = normalized(expected.fit_transform(TEXTS).toarray().astype(np.float64))
    assert kernel(fitted, TEXTS) == pytest.approx(rows @ rows.T)


def test_words_of_token_ids_are_counted_again() -> None:
    settings = Settings(method="token_ids")
    fitted = TokenIds.fit(["good food"], settings, pretrained=None)  # type: ignore[arg-type]
    assert kernel(fitted, TEXTS) == pytest.approx(kernel(Vectorizer.fit(["good"], Terms()), TEXTS))


def test_vectors_of_an_encoder_are_used_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "BATCH", 4)
    rows = normalized(Encoder().transform(TEXTS).astype(np.float64))
    assert kernel(Encoder(), TEXTS) == pytest.approx(rows @ rows.T)


def test_pieces_of_a_tokenizer_are_counted() -> None:
    counts = np.array(
        [np.bincount([ord(c) - 96 for c in text if c != " "], minlength=27) for text in TEXTS]
    )
    rows = normalized(counts.astype(np.float64))
    assert kernel(Pieces(), TEXTS) == pytest.approx(rows @ rows.T)


def test_representations_side_by_side_are_added() -> None:
    words, letters = (Vectorizer.fit(TEXTS, Terms(analyzer=name)) for name in ("word", "char_wb"))
    vectors = Block("vectors", 2.0, Encoder())  # type: ignore[arg-type]
    union = Union([Block("words", 0.5, words), vectors])
    assert kernel(union, TEXTS) == pytest.approx(kernel(words, TEXTS) + kernel(Encoder(), TEXTS))
    both = Vectorizer.fit(TEXTS, Terms(analyzer="word+char_wb"))
    assert kernel(both, TEXTS) == pytest.approx(kernel(words, TEXTS) + kernel(letters, TEXTS))


def test_terms_of_a_single_text_are_left_out() -> None:
    shared = in_several(count_by(["b a a", "c a", "d d"], str.split))
    assert shared.terms == ["a"]
    assert shared.counts.toarray().tolist() == [[2], [1], [0]]


TRAINING = ["good food", "bad place"]


def terms(**settings: object) -> Vectorizer:
    return Vectorizer.fit(TRAINING, Terms.model_validate(settings))


def token_ids(words: Iterable[str], **settings: object) -> TokenIds:
    return TokenIds(Settings.model_validate({"method": "token_ids", **settings}), list(words))


@pytest.mark.parametrize(
    ("representation", "unknown", "words"),
    [
        (terms(), 1, 3),
        (terms(ngram_range=[1, 2]), 1, 3),
        (terms(lowercase=False), 2, 3),
        (terms(analyzer="word+char_wb"), 1, 3),
        (token_ids(["good", "food", "bad"]), 1, 3),
        (token_ids(["good", "food", "bad"], num_words=2), 2, 3),
        (
            Union([Block("letters", 1.0, terms(analyzer="char_wb")), Block("words", 1.0, terms())]),
            1,
            3,
        ),
    ],
)
def test_words_outside_the_vocabulary_are_unknown(
    representation: object, unknown: int, words: int
) -> None:
    vocabulary = vocabulary_of(representation)
    assert vocabulary is not None
    counted = count_unknown(["Good food unseen", ""], vocabulary)
    assert [each.tolist() for each in counted] == [[unknown, 0], [words, 0]]


@pytest.mark.parametrize(
    "representation",
    [terms(analyzer="char_wb"), terms(hashing=8), terms(ngram_range=[2, 2]), object()],
    ids=["letters", "hashed", "pairs", "encoder"],
)
def test_a_representation_without_single_words_has_no_vocabulary(representation: object) -> None:
    assert vocabulary_of(representation) is None
    assert word_counter(representation)(["A good one"]).terms == ["a", "good", "one"]
