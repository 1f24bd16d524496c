"""Words that tell the sides apart, and words that a model does not know."""

from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats

from tests.unit.drift.texts import draw_texts, pool_of, rejected
from textclf.drift.features import count_unknown, splitter, vocabulary_of
from textclf.drift.two_sample import word_test
from textclf.vectorize.representation import Block, Union
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings

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
        (Union([Block("letters", 1.0, terms(analyzer="char_wb")), Block("words", 1.0, terms())]), 1, 3),
    ],
)
def test_words_outside_the_vocabulary_are_unknown(representation: object, unknown: int, words: int) -> None:
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
    assert splitter(representation)("A good one") == ["a", "good", "one"]


def brute_force(reference: list[str], new: list[str], word: str) -> float:
    """Return the difference of the shares of texts that have a word, divided by its scale."""
    has = [[word in text.split() for text in side] for side in (reference, new)]
    share = np.mean([*has[0], *has[1]])
    return float((np.mean(has[1]) - np.mean(has[0])) / np.sqrt(share * (1 - share)))


def test_words_are_ordered_by_the_difference_of_their_shares() -> None:
    reference = [f"common w{number} food" for number in "abcdefghij"]
    new = [f"common w{number} {'film' if number in 'klmnop' else 'food'}" for number in "klmnopqrst"]
    found = word_test(pool_of(reference, new), str.split, 99, seed=0)
    assert [word.word for word in found] == ["film", "food"]  # others are in one text, or in all
    by_word = {word.word: word for word in found}
    assert (by_word["food"].reference, by_word["food"].new) == pytest.approx((1, 0.4))
    assert abs(brute_force(reference, new, "film")) == pytest.approx(abs(brute_force(reference, new, "food")))
    assert by_word["film"].p <= 0.05


def test_no_word_in_several_texts_is_no_drift() -> None:
    assert word_test(pool_of(["a", "b", "c"], ["d", "e", "f"]), str.split, 9, seed=0) == []


@pytest.mark.parametrize("copies", [False, True], ids=["distinct", "copies"])
def test_without_drift_any_word_is_found_as_often_as_alpha_says(copies: bool) -> None:
    p_values = []
    for seed in range(300):
        generator = np.random.default_rng(seed)
        sides = [draw_texts(generator, count) for count in (40, 20)]
        if copies:  # all copies of a text are on one side
            sides = [[text for text in side for _ in range(generator.integers(1, 6))] for side in sides]
        p_values.append(word_test(pool_of(sides[0], sides[1], seed), str.split, 19, seed)[0].p)
    low, high = stats.binom.interval(0.999, len(p_values), 0.1)
    assert rejected(p_values, 0.1)[0] <= high
    assert rejected(p_values, 0.5)[0] >= stats.binom.interval(0.999, len(p_values), 0.4)[0]
    assert low > 0
