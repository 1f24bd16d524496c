"""Distinct texts and their samples."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.drift.sample import CHARACTERS, pool, sample_texts, text_keys

TEXTS = st.lists(st.text("ab1. \u00e9", max_size=4), max_size=40)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Order 123 shipped.", "order  987  shipped", True),
        ("good", "GOOD!", True),
        ("\ufb01ne", "fine", True),  # a ligature
        ("good", "goods", False),
        ("1 star", "12 stars", False),
        ("!!!", "???", False),  # texts without any letter are not all one text
        ("a" * CHARACTERS + "b", "a" * CHARACTERS + "c", True),
    ],
)
def test_texts_that_differ_in_case_digits_and_punctuation_count_as_the_same(
    first: str, second: str, same: bool
) -> None:
    keys = text_keys([first, second], seed=3)
    assert (keys[0] == keys[1]) == same


@given(TEXTS, st.integers(0, 3), st.randoms())
def test_a_sample_depends_neither_on_the_order_nor_on_the_batches_of_the_rows(
    texts: list[str], size: int, random: Random
) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)
    whole = sample_texts([texts], seed=1, size=size + 1)
    single = sample_texts([[text] for text in shuffled], seed=1, size=size + 1)
    assert whole.texts == single.texts
    assert whole.keys.tolist() == single.keys.tolist()
    assert whole.copies.tolist() == single.copies.tolist()


@given(TEXTS, st.integers(1, 5))
def test_a_sample_has_the_texts_with_the_smallest_hashes_and_counts_all_rows(texts: list[str], size: int) -> None:
    sample = sample_texts([texts[:7], [], texts[7:]], seed=2, size=size)
    keys = text_keys(texts, 2).tolist() if texts else []
    counted = Counter(keys)
    assert dict(zip(sample.keys.tolist(), sample.copies.tolist(), strict=True)) == counted
    assert sample.rows == len(texts)
    chosen = sorted(counted)[:size]
    assert sample.texts == {key: min(t for t, k in zip(texts, keys, strict=True) if k == key) for key in chosen}


@given(TEXTS, TEXTS)
def test_a_pool_counts_all_copies_of_a_text_that_is_in_the_sample_of_one_side(old: list[str], new: list[str]) -> None:
    reference, other = sample_texts([old], 0, 3), sample_texts([new], 0, 2)
    both = pool(reference, other)
    for text, *counts in zip(both.texts, both.reference.tolist(), both.new.tolist(), strict=True):
        key = text_keys([text], 0)[0]
        assert counts == [int((text_keys(side, 0) == key).sum()) if side else 0 for side in (old, new)]
    assert len(both.texts) == len(reference.texts.keys() | other.texts.keys())
    assert (both.copies >= 1).all()


def test_another_seed_draws_another_sample() -> None:
    texts = [f"{letter}{other}" for letter in "abcdefgh" for other in "abcdefgh"]
    samples = [set(sample_texts([texts], seed, 5).texts.values()) for seed in (0, 1)]
    assert samples[0] != samples[1]
