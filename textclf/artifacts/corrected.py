"""What corrected labels mean for rows that keep the labels of the table."""

from collections.abc import Mapping
from typing import Any

from textclf.core.formatting import count_noun, join_names, split_rows

UNCORRECTED = (
    "models, thresholds, calibration and prediction sets that are fitted to corrected labels may do worse on test "
    "rows, whose labels are uncorrected: accuracy and coverage can fall; check the test rows too, without looking at "
    "predictions, and set data.correct_test_rows, or correct the table itself"
)


def corrected_rows(corrections: Mapping[str, Any]) -> str:
    """Return how many labels were corrected by split, "" if none; of the part `corrections` of metrics/splits.json."""
    applied = corrections.get("applied", {})
    return join_names([count_noun(number, split_rows(split).removesuffix("s")) for split, number in applied.items()])


def uncorrected_test_rows(corrections: Mapping[str, Any]) -> str:
    """Return what corrected labels mean if no test row has one, as the end of a sentence; "" if there are none."""
    rows = corrected_rows(corrections)
    if not rows or "test" in corrections["applied"]:
        return ""
    return f"labels of {rows} were corrected, but of no test row: {UNCORRECTED}"
