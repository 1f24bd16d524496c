"""Which slices the test rows of a folder of splits are in."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.artifacts import shards, splits
from textclf.artifacts.splits import read_table
from textclf.core import resources
from textclf.evaluate.slices import membership
from textclf.evaluate.slices.membership import (
    FEWEST_ROWS,
    LONGEST,
    MOST_VALUES,
    Family,
    find_membership,
)
from textclf.evaluate.slices.names import FAMILIES
from textclf.evaluate.split_clusters import IdDigest, read_keys

SOME = ["good", "Bad", "not", "a1", "café", "don't", "ok.", "--", "THE", "中文", " "]
WORDS = st.lists(st.sampled_from(SOME), max_size=12)
COLUMN = st.lists(st.lists(WORDS.map(" ".join), max_size=5), max_size=3)


def write(folder: Path, name: str, rows: int, pieces: int = 1, **columns: Any) -> None:
    values: dict[str, Any] = {
        "id": [f"{name}:{n}" for n in range(rows)],
        "text": [f"word number {n}" if n % 2 else "it is not good" for n in range(rows)],
        "label": pa.array([n % 2 for n in range(rows)], pa.int32()),
        "cluster": np.arange(rows, dtype=np.uint64),
    }
    values |= {name if name in values else f"slice_{name}": each for name, each in columns.items()}
    table = pa.table(values)
    size = -(-rows // pieces)
    parts = (table.slice(start, size) for start in range(0, rows, size))
    shards.write(parts, folder, name, ".parquet", splits.write_table)
    splits.write_classes(["0", "1"], folder)


def families(folder: Path) -> dict[str, Family]:
    return {family.name: family for family in find_membership(folder).families}


@pytest.mark.parametrize("pieces", [1, 3, 12])
def test_rows_are_in_slices_of_columns_class_and_text(tmp_path: Path, pieces: int) -> None:
    write(tmp_path, "train", 40)
    platform = [("web", "ios", "")[n % 3] for n in range(60)]
    write(tmp_path, "test", 60, pieces, platform=platform)
    test_slices = find_membership(tmp_path)
    by_name = {family.name: family for family in test_slices.families}
    assert by_name["platform"].values == ("", "ios", "web")
    assert [by_name["platform"].values[code] for code in by_name["platform"].codes] == platform
    assert by_name["class"].values == ("0", "1")
    assert by_name["negation"].codes.tolist() == [1, 0] * 30
    assert [name for _, name in by_name["negation"].slices()] == ["negation=no", "negation=yes"]
    assert "words" not in by_name  # all texts have 1 to 4 words
    assert test_slices.rows == 60
    ids = IdDigest()
    ids.add([f"test:{n}" for n in range(60)])
    assert test_slices.ids == ids.digest()
    assert by_name.keys() <= {*FAMILIES, "platform"}


def test_other_processes_read_the_shards_of_large_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "train", 40)
    write(tmp_path, "test", 60, 12)
    read_here: list[Path] = []

    def recorded(path: Path, columns: list[str]) -> pa.Table:
        read_here.append(path)
        return read_table(path, columns)

    monkeypatch.setattr(resources, "cores", lambda: 2)
    monkeypatch.setattr(splits, "read_table", recorded)
    assert find_membership(tmp_path).rows == 60
    # The training rows, whose words are known, and the first shard, for its size.
    assert read_here == [tmp_path / "train.parquet", tmp_path / "test-00001.parquet"]
    assert read_keys(tmp_path, "test").tolist() == list(range(60))
    assert len(read_here) == 2


def test_rare_values_are_in_no_slice(tmp_path: Path) -> None:
    write(tmp_path, "train", 40)
    rare = ["rare"] * (FEWEST_ROWS - 1) + ["some"] * FEWEST_ROWS + ["many"] * 40
    write(
        tmp_path,
        "test",
        len(rare),
        place=rare,
        same=["x"] * len(rare),
        most=["x"] * (len(rare) - 1) + ["y"],
    )
    by_column = families(tmp_path)
    assert by_column["place"].values == ("many", "some")
    assert (by_column["place"].codes == -1).sum() == FEWEST_ROWS - 1
    assert not {"same", "most"} & by_column.keys()  # no other rows to compare with


@pytest.mark.parametrize(
    ("values", "rare", "first"),
    [(77, 0, 0), (77, 9, 0), (MOST_VALUES, 1, 0), (MOST_VALUES + 5, 2, 5)],
)
def test_frequent_values_are_slices_and_others_are_counted(
    tmp_path: Path, values: int, rare: int, first: int
) -> None:
    write(tmp_path, "train", 40)
    many = [f"v{n:03}" for n in range(values) for _ in range(FEWEST_ROWS + (n >= 5))]
    many += [f"rare{n}" for n in range(rare)]
    write(tmp_path, "test", len(many), many=many)
    test_slices = find_membership(tmp_path)
    (family,) = (family for family in test_slices.families if family.name == "many")
    assert family.values == tuple(f"v{n:03}" for n in range(first, values))
    assert [family.values[code] if code >= 0 else "" for code in family.codes] == [
        value if value in family.values else "" for value in many
    ]
    assert test_slices.left_out == ({"many": rare + first} if rare + first else {})


def test_long_values_and_columns_of_ids_are_no_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "train", 40)
    long = ["x" * LONGEST, "y" * (LONGEST + 1)]
    write(
        tmp_path,
        "test",
        40,
        2,
        long=long * 20,
        few=["a", "b"] * 20,
        user=["a"] * 20 + [f"u{n}" for n in range(20)],
    )
    monkeypatch.setattr(membership, "MOST_DISTINCT", 10)
    by_column = families(tmp_path)
    assert by_column["long"].values == (long[0],)
    assert "few" in by_column
    assert "user" not in by_column


def test_unknown_words_need_the_training_rows_in_one_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "train", 10)
    write(tmp_path, "test", 40)
    assert "unknown_words" in families(tmp_path)
    monkeypatch.setattr(membership, "MOST_BYTES", 10)
    assert "unknown_words" not in families(tmp_path)
    monkeypatch.undo()
    for path in tmp_path.glob("train*"):
        path.unlink()
    write(tmp_path, "train", 10, pieces=2)
    assert "unknown_words" not in families(tmp_path)


def test_labels_of_which_a_text_has_several_are_no_slices(tmp_path: Path) -> None:
    sets = [[], [0], [0, 1], [1, 2]] * 15
    for name in ("train", "test"):
        write(tmp_path, name, 60, label=pa.array(sets, pa.list_(pa.int32())))
    splits.write_classes(["a", "b", "c"], tmp_path)
    assert "class" not in families(tmp_path)


def column(*chunks: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array(list(chunks), pa.string())


def test_words_are_counted_in_bands_that_hold_their_upper_end() -> None:
    lengths = [1, 4, 5, 8, 9, 16, 17, 256, 257, 1000]
    codes = membership.by_words(column([" ".join(["w"] * n) for n in lengths]))
    assert [membership.WORD_BANDS[code] for code in codes] == [
        *("1 to 4", "1 to 4", "5 to 8", "5 to 8", "9 to 16", "9 to 16", "17 to 32"),
        *("129 to 256", "257 or more", "257 or more"),
    ]


NEGATIONS = [
    "not good",
    "It was NOT good",
    "never again",
    "I don't know",
    "I don\u2019t know",
    "i dont know",
    "nothing",
]
NO_NEGATIONS = ["a knot, a note, noted, want, giant", "annotation", "éno", "great food"]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (membership.NEGATION_PATTERN, NEGATIONS, NO_NEGATIONS),
        (membership.CAPITALS_PATTERN, ["the BEST", "ÜBER"], ["SO good", "McDONald DVDs"]),
        (membership.DIGITS_PATTERN, ["5 stars", "\u0663"], ["five stars"]),
    ],
    ids=["negation", "capitals", "digits"],
)
def test_patterns_find_what_they_are_for(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    assert membership.by_pattern(column([*matching, *others, ""]), pattern).tolist() == [1] * len(
        matching
    ) + [0] * (len(others) + 1)


def test_columns_without_rows_or_in_chunks_are_no_special_case() -> None:
    assert membership.by_pattern(column(), membership.DIGITS_PATTERN).tolist() == []
    assert membership.by_pattern(
        column(["1", "a"], [], ["2"]), membership.DIGITS_PATTERN
    ).tolist() == [1, 0, 1]
    assert membership.by_pattern(
        column(["a", "1", "2"]).slice(1), membership.DIGITS_PATTERN
    ).tolist() == [1, 1]


def words(text: str) -> list[str]:
    lower = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return re.findall(r"[a-z0-9\x80-\U0010ffff]+", lower)


@given(COLUMN, COLUMN)
def test_unknown_words_are_those_that_no_training_text_has(
    train: list[list[str]], test: list[list[str]]
) -> None:
    known = {word for chunk in train for text in chunk for word in words(text)}
    vocabulary = membership.words_of(column(*train))
    assert vocabulary == {word.encode() for word in known}
    codes = membership.by_unknown_words(column(*test), vocabulary)
    shares = [
        sum(word not in known for word in words(text)) / max(len(words(text)), 1)
        for chunk in test
        for text in chunk
    ]
    assert codes.tolist() == np.searchsorted(membership.SHARE_ENDS, shares).tolist()


@given(st.lists(st.text(max_size=8), max_size=6))
def test_words_of_any_text_are_found_within_it_alone(some: list[str]) -> None:
    assert membership.words_of(column(some)) == membership.words_of(
        column(*[[text] for text in some])
    )
