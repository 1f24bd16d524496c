import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from textclf.artifacts.splits import ReadColumns
from textclf.report import rows
from textclf.report.conflicts import first_conflicting

SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
TEXTS = st.lists(st.text(st.sampled_from(SPACES + "ab\x00\x08\x0e\x1b\x7f\u200bé中😀")) | st.text())


@given(st.lists(TEXTS))
def test_lengths_are_those_of_split_and_len(chunks: list[list[str]]) -> None:
    words, characters = rows.count_lengths(pa.chunked_array(chunks, pa.string()))
    texts = [text for chunk in chunks for text in chunk]
    assert words.tolist() == [len(text.split()) for text in texts]
    assert characters.tolist() == list(map(len, texts))
    assert words.dtype == characters.dtype == np.int32


@given(TEXTS, st.integers(0, 9), st.integers(0, 9))
def test_lengths_of_a_part_are_those_of_the_part(texts: list[str], start: int, end: int) -> None:
    part = pa.chunked_array([texts], pa.string())[start:end]
    assert rows.count_lengths(part)[0].tolist() == [len(text.split()) for text in texts[start:end]]


def test_lengths_do_not_depend_on_blocks() -> None:
    texts = [f"word {'x ' * (n % 7)}" for n in range(2 * rows.BLOCK + 3)]
    assert rows.count_lengths(pa.chunked_array([texts]))[0].tolist() == [len(text.split()) for text in texts]


@given(st.lists(st.text(max_size=3), min_size=1), st.integers(1, 4), st.sets(st.integers(0, 30)))
def test_rows_at_positions_are_read_from_their_pieces_alone(texts: list[str], size: int, places: set[int]) -> None:
    table = pa.table({"id": [f"r{n}" for n in range(len(texts))], "text": texts})
    starts = range(0, len(texts), size)
    seen: list[int] = []

    def reader(start: int) -> ReadColumns:
        def read(columns: list[str]) -> pa.Table:
            seen.append(start)
            return table[start : start + size].select(columns)

        return read

    split = rows.open_rows([reader(start) for start in starts])
    assert len(split) == len(texts)
    seen.clear()
    wanted = {place for place in places if place < len(texts)}
    assert split.at(wanted) == {place: (f"r{place}", texts[place]) for place in wanted}
    assert seen == sorted({place // size * size for place in wanted})


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2**24, 2**24 + 1, 2**64 - 1]), st.integers(0, 2)), min_size=1),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_the_first_keys_with_several_labels_are_found_in_any_window(
    pairs: list[tuple[int, int]], limit: int, window: int
) -> None:
    keys = np.array([key for key, _ in pairs], dtype=np.uint64)
    labels = np.array([label for _, label in pairs], dtype=np.int32)
    several = [key for key in dict.fromkeys(keys.tolist()) if len(set(labels[keys == key].tolist())) > 1]
    assert first_conflicting(keys, labels, limit, window).tolist() == several[:limit]
