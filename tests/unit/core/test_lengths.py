"""The lengths of texts are those that Python counts."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import lengths

SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
TEXTS = st.lists(st.text(st.sampled_from(SPACES + "ab\x00\x08\x0e\x1b\x7f\u200bé中😀")) | st.text())


@given(st.lists(TEXTS))
def test_lengths_are_those_of_split_and_len(chunks: list[list[str]]) -> None:
    words, characters = lengths.count_lengths(pa.chunked_array(chunks, pa.string()))
    texts = [text for chunk in chunks for text in chunk]
    assert words.tolist() == [len(text.split()) for text in texts]
    assert characters.tolist() == list(map(len, texts))
    assert words.dtype == characters.dtype == np.int32


@given(TEXTS, st.integers(0, 9), st.integers(0, 9))
def test_lengths_of_a_part_are_those_of_the_part(texts: list[str], start: int, end: int) -> None:
    part = pa.chunked_array([texts], pa.string())[start:end]
    assert lengths.count_lengths(part)[0].tolist() == [len(text.split()) for text in texts[start:end]]


def test_lengths_do_not_depend_on_blocks() -> None:
    texts = [f"word {'x ' * (n % 7)}" for n in range(2 * lengths.BLOCK + 3)]
    assert lengths.count_lengths(pa.chunked_array([texts]))[0].tolist() == [len(text.split()) for text in texts]
