import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from textclf.artifacts.splits import ReadColumns
from textclf.report.data import first_conflicting
from textclf.report.run import open_rows


@given(st.lists(st.text(max_size=3), min_size=1), st.integers(1, 4), st.sets(st.integers(0, 30)))
def test_rows_at_positions_are_read_from_their_pieces_alone(texts: list[str], size: int, places: set[int]) -> None:
    table = pa.table({"id": [f"r{n}" for n in range(len(texts))], "text": texts})
    starts = range(0, len(texts), size)
    seen: list[tuple[int, str]] = []

    def reader(start: int) -> ReadColumns:
        def read(columns: list[str]) -> pa.Table:
            seen.extend((start, name) for name in columns)
            return table[start : start + size].select(columns)

        return read

    split = open_rows([reader(start) for start in starts])
    assert len(split) == len(texts)
    seen.clear()
    wanted = {place for place in places if place < len(texts)}
    shown = split.at(wanted, "text").itertuples(name=None)
    assert list(shown) == [(place, texts[place]) for place in sorted(wanted)]
    assert seen == [(start, "text") for start in sorted({place // size * size for place in wanted})]


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2**24, 2**24 + 1, 2**64 - 1]), st.integers(0, 2)), min_size=1),
    st.integers(1, 3),
)
def test_the_first_keys_with_several_labels_are_found(pairs: list[tuple[int, int]], limit: int) -> None:
    rows = pd.DataFrame({"key": np.array([key for key, _ in pairs], dtype=np.uint64), "label": [n for _, n in pairs]})
    several = [key for key in dict.fromkeys(rows["key"]) if rows["label"][rows["key"] == key].nunique() > 1]
    found = first_conflicting(rows, limit)
    assert found.equals(rows[rows["key"].isin(several[:limit])])
