"""Ordered classes: their numbers stand beside the splits."""

from pathlib import Path

import pytest

from tests.refusal import refusal
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import splits
from textclf.split.settings import Split
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


def test_a_label_without_a_place_is_refused(tmp_path: Path) -> None:
    settings = data(tmp_path, "1", "2", "5")
    write_csv(tmp_path / "rows.csv", [*ROWS, ("more", "4")])
    line = refusal(split_table, tmp_path, settings, Split())
    assert "data.classes must have every label with data.order; got 4 in the rows" in line
