"""Reading the rows of data/splits for a study, with few rows per shard."""

from pathlib import Path

import pandas as pd
import pytest

from tests import stored_splits
from tests.unit.studies.samples import corpus
from textclf.artifacts import shards
from textclf.core.arrow import hash_normalized
from textclf.studies.rows import read_split, sample_rows

COUNT = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 rows in three splits and in several shards; each text stands in two rows."""
    monkeypatch.setattr(shards, "ROWS", 7)
    rows = corpus(COUNT)
    rows["text"] = [rows["text"][number // 2] for number in range(COUNT)]
    clusters = hash_normalized(rows["text"])
    rows = rows.assign(cluster=clusters).sample(frac=1, random_state=3)
    for name, part in (("train", rows[:40]), ("validation", rows[40:50]), ("test", rows[50:])):
        stored_splits.write_shards(part, tmp_path, name)
    return tmp_path


def test_all_rows_are_read_with_their_splits_if_they_are_few_enough(folder: Path) -> None:
    rows, total = sample_rows(folder, COUNT, 0)
    assert total == COUNT
    assert rows.index.tolist() == list(range(COUNT))
    assert rows["split"].value_counts().to_dict() == {"train": 40, "validation": 10, "test": 10}
    assert sorted(rows["id"]) == sorted(corpus(COUNT)["id"])
    pd.testing.assert_frame_equal(rows[:40].drop(columns="split"), read_split(folder, "train"))


def test_a_sample_holds_all_rows_of_a_text_or_none_and_no_more_than_the_limit(folder: Path) -> None:
    rows, total = sample_rows(folder, 21, 0)
    assert (len(rows), total) == (20, COUNT)
    assert set(rows["group"].value_counts()) == {2}
    assert rows.equals(sample_rows(folder, 21, 0)[0])
    assert set(rows["id"]) != set(sample_rows(folder, 21, 1)[0]["id"])
