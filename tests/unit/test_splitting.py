import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from textclf import splitting
from textclf.errors import UserError
from textclf.params import MAX_SEED, Split


def corpus(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(rows)],
            "text": [f"text {number}" for number in range(rows)],
            "label": [str(number % 2) for number in range(rows)],
        }
    )


def positions(part: pd.DataFrame) -> list[int]:
    return [int(name.removeprefix("c:")) for name in part["id"]]


def params(test_size: float, validation_size: float = 0.0, seed: int = 1, stratify: bool = False) -> Split:
    return Split(test_size=test_size, validation_size=validation_size, seed=seed, stratify=stratify)


@given(
    rows=st.integers(4, 60),
    test_size=st.floats(0.01, 0.6),
    validation_size=st.just(0.0) | st.floats(0.01, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=False)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=True)
@settings(deadline=None)
def test_splits_are_those_of_train_test_split(
    rows: int, test_size: float, validation_size: float, seed: int, stratify: bool
) -> None:
    labels = np.arange(rows) % 2
    try:
        kept, test = train_test_split(
            np.arange(rows), test_size=test_size, random_state=seed, stratify=labels if stratify else None
        )
        validation = np.array([], dtype=int)
        if validation_size:
            kept, validation = train_test_split(
                kept,
                test_size=math.ceil(validation_size * rows),  # a share of all rows
                random_state=seed,
                stratify=labels[kept] if stratify else None,
            )
    except ValueError:
        with pytest.raises(UserError):
            splitting.split(corpus(rows), params(test_size, validation_size, seed, stratify))
        return
    assume(len(set(labels[kept])) == len(set(labels[test])) == 2)
    parts = splitting.split(corpus(rows), params(test_size, validation_size, seed, stratify))
    assert positions(parts["train"]) == kept.tolist()
    assert positions(parts["test"]) == test.tolist()
    if validation_size:
        assert positions(parts["validation"]) == validation.tolist()
    assert list(parts) == [name for name in ("train", "validation", "test") if name != "validation" or validation_size]


@pytest.mark.parametrize("stratify", [False, True])
def test_validation_rows_are_taken_from_train_and_leave_test_alone(stratify: bool) -> None:
    whole = splitting.split(corpus(40), params(0.25, stratify=stratify))
    parts = splitting.split(corpus(40), params(0.25, 0.2, stratify=stratify))
    assert parts["test"].equals(whole["test"])
    assert {name: len(part) for name, part in parts.items()} == {"train": 22, "validation": 8, "test": 10}
    assert sorted(positions(parts["train"]) + positions(parts["validation"])) == sorted(positions(whole["train"]))


def test_every_row_goes_whole_into_one_split() -> None:
    parts = splitting.split(corpus(40), params(0.25, 0.2))
    together = pd.concat(parts.values()).sort_values("text", key=lambda texts: texts.str[5:].astype(int))
    assert together.reset_index(drop=True).equals(corpus(40))
    assert all(part.index.equals(pd.RangeIndex(len(part))) for part in parts.values())


def test_stratified_splits_keep_the_balance() -> None:
    rows = corpus(40).assign(label=["rare"] * 8 + ["common"] * 32)
    for part in splitting.split(rows, params(0.25, 0.25, stratify=True)).values():
        assert (part["label"] == "rare").mean() == 0.2


@pytest.mark.parametrize(
    ("labels", "chosen", "message"),
    [
        ("01", params(0.9), "2 rows are too few for split.test_size 0.9 and one row to train on"),
        ("0101", params(0.5, 0.4), "4 rows are too few for split.validation_size 0.4 and one row to train on"),
        (
            "0001000000",
            params(0.4, seed=4),
            (
                "the training rows must hold every class; class 1 has none of 6: "
                "set split.stratify to true, or a smaller split.test_size"
            ),
        ),
        (
            "0001",
            params(0.5, stratify=True),
            (
                "4 rows can not be stratified: The least populated classes in y have only 1 member, which is too "
                "few. The minimum number of groups for any class cannot be less than 2. Classes with "
                "too few members are: ['1']"
            ),
        ),
    ],
)
def test_rows_that_can_not_be_split_are_an_error(labels: str, chosen: Split, message: str) -> None:
    with pytest.raises(UserError) as error:
        splitting.split(corpus(len(labels)).assign(label=list(labels)), chosen)
    assert error.value.lines == (message,)


def test_test_rows_of_one_class_are_an_error() -> None:
    with pytest.raises(UserError, match="the test rows must hold every class; class 0 has none of 1"):
        splitting.split(corpus(8), params(0.1))


def test_a_written_split_reads_back_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    for name in ("test", "train"):
        splitting.write(corpus(3), tmp_path / f"{name}.parquet")
    parts = splitting.read(tmp_path)
    assert list(parts) == ["train", "test"]
    assert parts["train"].equals(corpus(3))
    assert (tmp_path / "train.parquet").read_bytes() == (tmp_path / "test.parquet").read_bytes()


def test_a_written_split_is_text_alone_and_names_no_version_of_pandas(tmp_path: Path) -> None:
    splitting.write(corpus(3), tmp_path / "train.parquet")
    schema = pq.read_schema(tmp_path / "train.parquet")
    assert schema.equals(splitting.SCHEMA)
    assert not schema.metadata


def test_a_folder_without_training_rows_is_an_error(tmp_path: Path) -> None:
    splitting.write(corpus(3), tmp_path / "test.parquet")
    with pytest.raises(UserError, match=r"train\.parquet not found; run dvc repro"):
        splitting.read(tmp_path)
