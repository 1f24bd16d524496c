"""Rows whose class is not that of the table: corrected labels, and classes that were too rare."""

from collections.abc import Mapping
from typing import Any

from textclf.core.formatting import count_noun, join_names, split_rows
from textclf.core.quoting import list_names, quote_name

UNCORRECTED = (
    "models, thresholds, calibration and prediction sets that are fitted to corrected labels may do worse on test "
    "rows, whose labels are uncorrected: accuracy and coverage can fall; check the test rows too, without looking at "
    "predictions, and set data.correct_test_rows, or correct the table itself"
)
DROPPED = "dropped"  # instead of the class that rare ones became, which is never called so


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


def rare_classes(splits_report: Mapping[str, Any]) -> str:
    """Return which classes were too rare and what became of them, as a clause; "" if none were.

    The part `rare` of metrics/splits.json has the rows of each, by the class that it became or under `DROPPED`.
    """
    kinds = ("label", "labels") if "without_labels" in splits_report["train"] else ("class", "classes")
    parts = []
    for name, rows in splits_report.get("rare", {}).items():
        done = "left out" if name == DROPPED else f"united as {quote_name(name)}"
        names = list_names([f"{quote_name(label)} ({rows[label]:,})" for label in sorted(rows)])
        parts.append(f"{count_noun(len(rows), *kinds)} too rare to be divided, {done} (data.rare): {names}")
    return "; ".join(parts)
