"""Random splits: against scikit-learn's train_test_split, with groups, and what can go wrong."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tests.drawn import draw_splits
from tests.leaks import count_leaks
from tests.refusal import refusal
from tests.unit.split.rows import corpus, in_order
from textclf.artifacts import shards
from textclf.artifacts.splits import CLUSTERED
from textclf.core.arrow import hash_normalized, normalize_text
from textclf.core.errors import UserError
from textclf.core.settings import MAX_SEED
from textclf.split.draw import assign_groups, cluster_keys, draw_rows
from textclf.split.settings import Split
from textclf.split.shuffle import PieceWriter, write_shards


def params(test_size: float, validation_size: float = 0.0, seed: int = 1, **changes: bool) -> Split:
    return Split(
        method="random", test_size=test_size, validation_size=validation_size, seed=seed, **changes
    )


def positions(part: pd.DataFrame) -> list[int]:
    return [int(name.removeprefix("c:")) for name in part["id"]]


def texts_of(parts: dict[str, pd.DataFrame]) -> dict[str, set[str]]:
    return {name: set(part["text"].map(normalize_text)) for name, part in parts.items()}


@given(
    rows=st.integers(4, 60),
    test_size=st.floats(0.01, 0.6),
    validation_size=st.just(0.0) | st.floats(0.01, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
    group_duplicates=st.booleans(),  # of which there are none
)
@example(
    rows=1000,
    test_size=0.25,
    validation_size=0.15,
    seed=1000,
    stratify=False,
    group_duplicates=True,
)
@example(
    rows=1000,
    test_size=0.25,
    validation_size=0.15,
    seed=1000,
    stratify=True,
    group_duplicates=False,
)
def test_splits_are_those_of_train_test_split(
    rows: int,
    test_size: float,
    validation_size: float,
    seed: int,
    stratify: bool,
    group_duplicates: bool,
) -> None:
    split = params(
        test_size, validation_size, seed, stratify=stratify, group_duplicates=group_duplicates
    )
    labels = np.arange(rows) % 2
    try:
        train, test = train_test_split(
            np.arange(rows),
            test_size=test_size,
            random_state=seed,
            stratify=labels if stratify else None,
        )
        validation = np.array([], dtype=int)
        if validation_size:
            train, validation = train_test_split(
                train,
                test_size=math.ceil(validation_size * rows),  # a share of all rows
                random_state=seed,
                stratify=labels[train] if stratify else None,
            )
    except ValueError:
        with pytest.raises(UserError):
            draw_splits(corpus(rows), split)
        return
    assume(len(set(labels[train])) == len(set(labels[test])) == 2)
    parts = draw_splits(corpus(rows), split)
    expected = {
        "train": train,
        **({"validation": validation} if validation_size else {}),
        "test": test,
    }
    assert {name: positions(part) for name, part in parts.items()} == {
        k: v.tolist() for k, v in expected.items()
    }
    assert list(parts) == list(expected)
    assert all(part.index.equals(pd.RangeIndex(len(part))) for part in parts.values())
    assert in_order(parts).equals(corpus(rows))


# Groups


# Groups and texts, few enough that rows are linked by either, and through other rows.
LINKED = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=6, max_size=40
)


def linked(triples: list[tuple[int, int, bool]], groups: bool = True) -> pd.DataFrame:
    rows = corpus(len(triples)).assign(
        text=[
            ("Text  {}", "text {}")[number % 2].format(text)
            for number, (_, text, _) in enumerate(triples)
        ],
        label=[str(int(label)) for _, _, label in triples],
    )
    return rows.assign(group=[f"group {group}" for group, _, _ in triples]) if groups else rows


@given(
    triples=LINKED,
    groups=st.booleans(),
    test_size=st.floats(0.1, 0.6),
    validation_size=st.just(0.0) | st.floats(0.1, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
    group_duplicates=st.booleans(),
)
def test_rows_of_one_group_or_text_stay_in_one_split(
    triples: list[tuple[int, int, bool]],
    groups: bool,
    test_size: float,
    validation_size: float,
    seed: int,
    stratify: bool,
    group_duplicates: bool,
) -> None:
    rows = linked(triples, groups)
    split = params(
        test_size, validation_size, seed, stratify=stratify, group_duplicates=group_duplicates
    )
    try:
        parts = draw_splits(rows, split)
    except UserError:
        assume(False)
    assert in_order(parts).equals(rows)
    for one, other in combinations(parts.values(), 2):
        assert not groups or not set(one["group"]) & set(other["group"])
    if group_duplicates:
        for one_text, other_text in combinations(texts_of(parts).values(), 2):
            assert not one_text & other_text
        assert not any(count_leaks(parts)["leaks"]["normalised"].values())
    if not stratify:  # with stratify, the size is in groups
        largest = np.bincount(assign_groups(rows, group_duplicates)).max()
        assert 0 <= len(parts["test"]) - math.ceil(test_size * len(rows)) < largest


@pytest.mark.parametrize(
    ("texts", "groups", "by_text", "by_group"),
    [
        ("aabA", None, [0, 0, 1, 0], [0, 1, 2, 3]),
        (
            "baBca",
            None,
            [0, 1, 0, 2, 1],
            [0, 1, 2, 3, 4],
        ),  # numbered in the order of their first rows
        ("abcde", "zyxyx", [0, 1, 2, 1, 2], [0, 1, 2, 1, 2]),
        ("abBcd", "xxyyz", [0, 0, 0, 0, 1], [0, 0, 1, 1, 2]),  # linked through another row
    ],
)
def test_rows_of_one_text_or_group_are_one_group(
    texts: str, groups: str | None, by_text: list[int], by_group: list[int]
) -> None:
    rows = corpus(len(texts)).assign(text=list(texts))
    rows = rows if groups is None else rows.assign(group=list(groups))
    assert assign_groups(rows, duplicates=True).tolist() == by_text
    assert assign_groups(rows, duplicates=False).tolist() == by_group


def test_stratified_groups_keep_the_balance_of_their_first_labels() -> None:
    # Forty groups of five rows, ten of the rare class; a group has one class.
    rows = corpus(200).assign(
        group=lambda frame: "group " + (frame.index // 5).astype(str),
        label=["rare"] * 50 + ["common"] * 150,
    )
    for part in draw_splits(rows, params(0.25, 0.25, stratify=True)).values():
        assert (part["label"] == "rare").mean() == pytest.approx(0.25, abs=0.05)
        assert part.groupby("group").size().eq(5).all()


def test_stratified_groups_miss_their_size_by_less_than_a_group() -> None:
    texts = [f"text {number}" for number in range(20) for _ in range(1 if number % 5 else 10)]
    rows = corpus(len(texts)).assign(text=texts, label=[str(int(text[5:]) % 2) for text in texts])
    for seed in range(20):
        _, drawn = draw_rows(
            rows, 14, params(0.25, seed=seed, stratify=True, group_duplicates=True)
        )
        assert 0 <= len(drawn) - 14 < 10


@pytest.mark.parametrize("stratify", [False, True])
def test_groups_of_one_size_are_drawn_like_rows(stratify: bool) -> None:
    singles = corpus(40)
    pairs = pd.concat(
        [singles, singles.assign(id=singles["id"].str.replace("c:", "c:1000"))], ignore_index=True
    )
    split = params(0.25, 0.2, stratify=stratify, group_duplicates=True)
    parts = draw_splits(pairs, split)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 44,
        "validation": 16,
        "test": 20,
    }
    assert texts_of(parts) == texts_of(draw_splits(singles, split))


# Sizes and classes


CLASSES = "rows must hold every class; class"
TOGETHER = (
    "of 8 rows some must be kept; got none, as rows of one text or group stay together: "
    "set split.group_duplicates to false, data.group to null, or a smaller size"
)
IMPOSSIBLE = [
    (
        "01",
        {},
        params(0.9),
        "2 rows must be more than the 2 to be taken from them; set a smaller size",
    ),
    (
        "0101",
        {},
        params(0.5, 0.4),
        "2 rows must be more than the 2 to be taken from them; set a smaller size",
    ),
    (
        "0001000000",
        {},
        params(0.4, seed=4),
        f"the training {CLASSES} 1 has none of 6: set split.stratify to true, or a smaller ",
    ),
    (
        "01010101",
        {},
        params(0.1),
        (
            f"the test {CLASSES} 0 has none of 1: set split.stratify to true, "
            "or a larger split.test_size"
        ),
    ),
    (
        "0001",
        {},
        params(0.5, stratify=True),
        "each class must have two texts or more, to be divided; got one of 1; add texts, set ",
    ),
    ("01010101", {"group": "one"}, params(0.25), TOGETHER),
    ("01010101", {"text": "same"}, params(0.25, group_duplicates=True), TOGETHER),
]


@pytest.mark.parametrize(("labels", "columns", "split", "message"), IMPOSSIBLE)
def test_rows_that_can_not_be_split_are_an_error(
    labels: str, columns: dict[str, str], split: Split, message: str
) -> None:
    assert refusal(
        draw_splits, corpus(len(labels)).assign(label=list(labels), **columns), split
    ).startswith(message)


def test_rows_of_one_text_or_group_have_the_same_cluster_and_others_do_not() -> None:
    rows = corpus(6).assign(text=["Good", " good ", "bad", "fine", "fine", "so so"])
    hashes = hash_normalized(rows["text"])
    keys = cluster_keys(rows, hashes)
    assert keys.dtype == np.uint64
    codes = pd.factorize(keys)[0].tolist()
    assert codes == [0, 0, 1, 2, 2, 3]
    assert (
        cluster_keys(rows[2:], hashes[2:]).tolist() == keys[2:].tolist()
    )  # whatever other rows there are
    linked = rows.assign(
        group=["x", "y", "y", "z", "w", "v"]
    )  # by a text or a group, also through another row
    assert pd.factorize(cluster_keys(linked, hashes))[0].tolist() == [0, 0, 0, 1, 1, 2]


def test_rows_of_a_group_keep_the_order_of_the_table() -> None:
    rows = corpus(400).assign(
        label=[str(n // 4 % 2) for n in range(400)], group=[f"group {n % 4}" for n in range(400)]
    )
    for part in draw_splits(rows, params(0.25)).values():
        for _, group in part.groupby("group"):
            assert positions(group) == sorted(positions(group))


def write(writer: PieceWriter, seed: int | None) -> None:
    writer.close()
    write_shards([(writer, np.arange(2, dtype=np.int32))], writer.path.parent, "train", seed)


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("count", [9, 10, 11, 20, 21])
def test_all_shards_but_one_are_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, seed: int | None
) -> None:
    monkeypatch.setattr(shards, "ROWS", 10)
    writer = PieceWriter(tmp_path / "pieces", CLUSTERED, seed)
    for number in range(count):
        writer.add(
            pa.table(
                {"id": [str(number)], "text": [""], "label": [0], "cluster": [number]},
                schema=CLUSTERED,
            )
        )
    write(writer, seed)
    written = sorted(tmp_path.glob("*.parquet"))
    assert [path.name for path in written] == (
        ["train.parquet"]
        if count <= 10
        else [f"train-{number:05d}.parquet" for number in range(1, -(-count // 10) + 1)]
    )
    sizes = sorted(pq.read_metadata(path).num_rows for path in written)
    assert sizes == sorted([10] * (count // 10) + [count % 10] * (count % 10 > 0))


def test_rows_of_a_sorted_table_are_mixed_through_all_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS", 200)
    names = [str(number) for number in range(1500)]
    columns = {
        "id": names,
        "text": names,
        "label": [int(n < 750) for n in range(1500)],
        "cluster": range(1500),
    }
    rows = pa.table(columns, schema=CLUSTERED)
    writer = PieceWriter(tmp_path / "pieces", CLUSTERED, seed=1)
    writer.add(rows)
    write(writer, 1)
    for shard in map(pd.read_parquet, sorted(tmp_path.glob("*.parquet"))):
        assert abs(shard["label"].eq(1).mean() - 0.5) < 5 * 0.5 / math.sqrt(len(shard))
        assert shard["label"].iloc[: len(shard) // 2].nunique() == 2
