"""What is said of corrected labels."""

import pytest

from textclf.artifacts.corrected import UNCORRECTED, corrected_rows, uncorrected_test_rows
from textclf.artifacts.split_report import Corrected


@pytest.mark.parametrize(
    ("applied", "rows", "warns"),
    [
        ({}, "", False),
        ({"train": 1}, "1 training row", True),
        ({"train": 12, "validation": 3}, "12 training rows and 3 validation rows", True),
        ({"train": 12, "test": 1}, "12 training rows and 1 test row", False),
        ({"test": 2}, "2 test rows", False),
    ],
)
def test_corrected_rows_are_counted_by_split_and_a_test_set_without_any_is_warned_of(
    applied: dict[str, int], rows: str, warns: bool
) -> None:
    corrections = Corrected(applied=applied)
    assert corrected_rows(corrections) == rows
    warning = f"labels of {rows} were corrected, but of no test row: {UNCORRECTED}" if warns else ""
    assert uncorrected_test_rows(corrections) == warning
