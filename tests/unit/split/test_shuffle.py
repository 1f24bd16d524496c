"""Shuffling on disk: shards that are full and mixed."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textclf.artifacts import shards
from textclf.artifacts.splits import CLUSTERED
from textclf.split.shuffle import ShardWriter


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("count", [9, 10, 11, 20, 21])
def test_all_shards_but_one_are_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, seed: int | None
) -> None:
    monkeypatch.setattr(shards, "ROWS", 10)
    writer = ShardWriter(tmp_path, "train", CLUSTERED, seed)
    for number in range(count):
        writer.add(pa.table({"id": [str(number)], "text": [""], "label": [0], "cluster": [number]}, schema=CLUSTERED))
    writer.close(np.arange(2, dtype=np.int32))
    written = sorted(tmp_path.iterdir())
    assert [path.name for path in written] == (
        ["train.parquet"]
        if count <= 10
        else [f"train-{number:05d}.parquet" for number in range(1, -(-count // 10) + 1)]
    )
    sizes = sorted(pq.read_metadata(path).num_rows for path in written)
    assert sizes == sorted([10] * (count // 10) + [count % 10] * (count % 10 > 0))


def test_rows_of_a_sorted_table_are_mixed_through_all_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS", 200)
    names = [str(number) for number in range(1500)]
    columns = {"id": names, "text": names, "label": [int(n < 750) for n in range(1500)], "cluster": range(1500)}
    rows = pa.table(columns, schema=CLUSTERED)
    writer = ShardWriter(tmp_path, "train", CLUSTERED, seed=1)
    writer.add(rows)
    writer.close(np.arange(2, dtype=np.int32))
    for shard in map(pd.read_parquet, sorted(tmp_path.iterdir())):
        assert abs(shard["label"].eq(1).mean() - 0.5) < 5 * 0.5 / math.sqrt(len(shard))
        assert shard["label"].iloc[: len(shard) // 2].nunique() == 2
