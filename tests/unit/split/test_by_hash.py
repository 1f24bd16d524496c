"""Splits by hash: what the split of a row depends on, and the rows that are written."""

from pathlib import Path

import mmh3
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.leaks import count_leaks
from tests.unit.split.rows import batch_of, in_order, numbered, write_csv
from textclf.artifacts import splits
from textclf.core.arrow import hash_normalized, normalize_text
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.result_files import to_json
from textclf.core.settings import MAX_SEED
from textclf.split.by_hash import assign_splits
from textclf.split.settings import Split
from textclf.split.write import write_splits
from textclf.tables.settings import Data


def by_hash(test_size: float = 0.25, validation_size: float = 0.0, seed: int = 1) -> Split:
    return Split(
        method="hash",
        test_size=test_size,
        validation_size=validation_size,
        seed=seed,
        stratify=False,
    )


def splits_of(texts: list[str], split: Split) -> list[int]:
    return [int(number) for number in assign_splits(hash_normalized(texts, split.seed), split)]


# The split of a row


def test_a_split_is_the_hash_of_the_normalised_text_by_its_seed() -> None:
    texts = [text for text, _ in numbered(200)] + [
        "  Straße\tNo 1 ",
        "\uff27\uff4f\uff4f\uff44",
        "a\nb",
    ]
    expected = []
    for text in texts:
        digest = mmh3.mmh3_x64_128_digest(normalize_text(text).encode(), 7)
        uniform = (int.from_bytes(digest[:8], "little") >> 11) / 2**53
        expected.append("test" if uniform < 0.25 else "validation" if uniform < 0.4 else "train")
    assert [SPLITS[number] for number in splits_of(texts, by_hash(0.25, 0.15, seed=7))] == expected


def test_splits_never_change() -> None:
    # Literal values: the splits of a corpus must be the same in every version and on every machine.
    texts = ["good", "bad", "Wow... Loved this place.", "Crust is not good.", "é", "中"]
    assert splits_of(texts, by_hash(0.25, 0.25, seed=1000)) == [2, 0, 0, 2, 0, 1]


def test_the_borders_of_the_shares_are_exact() -> None:
    keys = np.array([0, 2**62 - 1, 2**62, 3 * 2**62 - 1, 3 * 2**62, 2**64 - 1], np.uint64)
    names = [SPLITS[number] for number in assign_splits(keys, by_hash(0.25, 0.5))]
    assert names == ["test", "test", "validation", "validation", "train", "train"]


# What is written


@pytest.mark.usefixtures("small")
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([*"abcdefgh", "A", " a", "É", "e\u0301"]), st.sampled_from("xyz")
        ),
        min_size=20,
        max_size=130,
    ),
    validation_size=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, MAX_SEED),
)
def test_every_row_is_written_once_to_its_split_and_counted(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    validation_size: float,
    seed: int,
) -> None:
    folder, split = tmp_path_factory.mktemp("splits"), by_hash(0.3, validation_size, seed)
    table = tmp_path_factory.mktemp("table") / "c"
    try:
        _, report = write_splits(write_csv(table, rows), Data(format="csv"), split, folder)
    except UserError:
        assume(False)
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".json"}
    parts = splits.read(folder)
    assert in_order(parts).to_dict("list") == batch_of(rows, 2).to_pydict()
    for name, part in parts.items():
        assert splits_of(part["text"].tolist(), split) == [SPLITS.index(name)] * len(part)
    for pieces in splits.open_shards(folder).values():
        sizes = [pq.read_metadata(path).num_rows for path in pieces.paths]
        assert len(sizes) == -(-sum(sizes) // 10)
        assert max(sizes) <= 10
    assert to_json(report) == count_leaks(parts) | {"dropped": report.dropped}
    assert not any(report.leaks.normalised.values())


def test_no_validation_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"the validation rows must be one at least; got none: set a larger"
    ):
        write_splits(
            write_csv(tmp_path / "c.csv", numbered(60)), Data(), by_hash(0.3, 1e-9), tmp_path
        )
