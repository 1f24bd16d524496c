"""Near copies are those that a comparison of all sets of words finds."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from textclf.tables.copies import SIMILAR, NearCopies, list_words

TEXTS = st.lists(st.text(st.sampled_from("aBcdeéx \u200b\U0001f600.<&"), max_size=20), max_size=12)


@given(TEXTS, TEXTS, TEXTS)
def test_copies_are_found_in_any_batch(
    texts: list[str], first: list[str], second: list[str]
) -> None:
    near = NearCopies(texts)
    near.compare(first)
    near.compare(pa.chunked_array([second], pa.string()))
    own = [set(words) for words in list_words(texts).to_pylist()]
    others = [set(words) for words in list_words(first + second).to_pylist()]
    expected = [
        any(len(one & other) >= SIMILAR * len(one | other) for other in others) for one in own
    ]
    assert near.is_copy.tolist() == expected


def test_markup_and_what_does_not_show_are_no_words() -> None:
    texts = [
        '<p class="a">It\u2019s\u00a0GR\u200bEAT</p>',
        "a &lt;3 <!-- no -->b",
        "1 < 2 > 0",
        "\u2764\ufe0f :)",
    ]
    assert list_words(texts).to_pylist() == [
        ["it", "s", "great"],
        ["a", "3", "b"],
        ["1", "2", "0"],
        ["\u2764", ":)"],
    ]


def test_short_texts_that_differ_are_no_copies() -> None:
    # Words without vowels, pictures, smileys, tags alone and text without spaces.
    texts = [
        "की",
        "का",
        "\u2764",
        "\U0001f44d",
        ":)",
        ":(",
        "<b>",
        "<i>",
        "?",
        "!",
        "好吃",
        "难吃",
        "5",
        "6",
        "yes",
        "no",
    ]
    for text in texts:
        near = NearCopies([text])
        near.compare([other for other in texts if other != text])
        assert not near.is_copy.any(), text
        near.compare([f" {text}\n"])
        assert near.is_copy.all(), text
