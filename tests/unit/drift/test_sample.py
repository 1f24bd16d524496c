"""Distinct texts and their samples."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core.arrow import fingerprints
from textclf.drift.pool import CHARACTERS, sample_texts, text_keys

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
def test_texts_that_differ_in_case_digits_and_punctuation_are_the_same(
    first: str, second: str, same: bool
) -> None:
    keys = text_keys([first, second], seed=3)
    assert (keys[0] == keys[1]) == same


@given(TEXTS, st.integers(1, 5))
def test_a_sample_has_the_texts_with_the_smallest_hashes_and_counts_all_rows(
    texts: list[str], size: int
) -> None:
    sample = sample_texts([(part, None) for part in (texts[:7], [], texts[7:])], seed=2, size=size)
    keys = text_keys(texts, 2).tolist() if texts else []
    counted = Counter(keys)
    assert dict(zip(sample.keys.tolist(), sample.copies.tolist(), strict=True)) == counted
    assert sample.rows == len(texts)
    chosen = sorted(counted)[:size]
    assert sample.texts == {
        (key, key): min(t for t, k in zip(texts, keys, strict=True) if k == key) for key in chosen
    }
    assert not sample.grouped


@given(
    st.lists(st.tuples(st.text("ab", max_size=3), st.sampled_from("pqrst"))),
    st.integers(1, 9),
    st.randoms(),
)
def test_a_sample_has_the_groups_with_the_smallest_hashes_and_a_part_of_a_large_group(
    rows: list[tuple[str, str]], size: int, random: Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.drift.pool.MOST", 4)
        whole = sample_texts([([text for text, _ in rows], [group for _, group in rows])], 1, size)
        random.shuffle(rows)
        assert (
            whole.texts == sample_texts([([text], [group]) for text, group in rows], 1, size).texts
        )
    expected: list[tuple[int, int]] = []
    for key, group in sorted(
        (int(fingerprints([group], 1)[0]), group) for group in {group for _, group in rows}
    ):
        if len(expected) < size:
            texts = {int(text_keys([text], 1)[0]) for text, other in rows if other == group}
            expected += [(key, text) for text in sorted(texts)[:4]]
    assert sorted(whole.texts) == expected


def test_a_text_without_a_group_is_a_group_of_its_own() -> None:
    texts = ["one", "two", "three", "four", "Four!"]
    sample = sample_texts([(texts[:2], ["", "a"]), (texts[2:], ["a", " ", ""])], seed=1)
    groups = {text: group for (group, _), text in sample.texts.items()}
    assert groups["two"] == groups["three"]
    assert len(sample.texts) == 4  # the last two texts are the same
    assert len(set(groups.values())) == 3
