"""Ordered classes: their numbers stand beside the splits."""

from pathlib import Path

import pytest

from tests.refusal import refusal
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import splits
from textclf.split.settings import Split
from textclf.tables.classes import Labels
from textclf.tables.rare_labels import NONE
from textclf.tables.settings import Data

ROWS = [(f"text {number}", ("1", "2", "5")[number % 3]) for number in range(90)]


def data(folder: Path, *classes: str, order: bool = True) -> Data:
    write_csv(folder / "rows.csv", ROWS)
    return Data(path=str(folder / "rows.csv"), classes=classes, order=order)


@pytest.mark.parametrize("method", ["random", "hash"])
def test_the_splits_have_the_numbers_of_the_classes(method: str, tmp_path: Path) -> None:
    split_table(tmp_path, data(tmp_path, "5", "2", "1"), Split.model_validate({"method": method}))
    assert splits.read_classes(tmp_path / "splits") == ["5", "2", "1"]
    assert splits.read_scale(tmp_path / "splits") == (5, 2, 1)


def test_without_an_order_there_are_none(tmp_path: Path) -> None:
    split_table(tmp_path, data(tmp_path, "1", "2", "5", order=False), Split())
    assert splits.read_scale(tmp_path / "splits") is None


def test_a_label_beside_the_table_must_have_a_place(tmp_path: Path) -> None:
    labels = Labels(tmp_path / "rows.csv", data(tmp_path, "1", "2", "5"), NONE)
    labels.distinct.update("125")
    labels.order(["5"])
    assert labels.classes == ["1", "2", "5"]
    line = refusal(labels.order, ["4"])
    assert "data.classes must have every label with data.order; got '4' in the rows" in line
