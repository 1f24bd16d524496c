"""Rows whose class is not that of the table: corrected labels, and classes that were too rare."""

from textclf.artifacts.split_report import Corrected, SplitReport
from textclf.core.formatting import count_noun, join_names, split_rows
from textclf.core.quoting import list_names, quote_name

UNCORRECTED = (
    "better models may look worse on wrong test labels; correct these too, without looking at "
    "predictions (data.correct_test_rows, or the table itself)"
)
DROPPED = "dropped"  # instead of the class that rare ones became, which is never called so


def corrected_rows(corrections: Corrected) -> str:
    """Return how many labels were corrected by split, "" if none."""
    nouns = {split: split_rows(split).removesuffix("s") for split in corrections.applied}
    rows = corrections.applied.items()
    return join_names([count_noun(number, nouns[split]) for split, number in rows])


def uncorrected_test_rows(corrections: Corrected) -> str:
    """Return what corrected labels mean if no test row has one, as the end of a sentence.

    It is "" if no label was corrected, or one of a test row was.
    """
    rows = corrected_rows(corrections)
    if not rows or "test" in corrections.applied:
        return ""
    return f"labels of {rows} were corrected, but of no test row: {UNCORRECTED}"


def rare_classes(report: SplitReport) -> str:
    """Return which classes were too rare and what became of them, as a clause; "" if none were."""
    kinds = ("label", "labels") if report.multilabel else ("class", "classes")
    parts = []
    for name, rows in report.rare.items():
        done = "left out" if name == DROPPED else f"united as {quote_name(name)}"
        names = list_names([f"{quote_name(label)} ({rows[label]:,})" for label in sorted(rows)])
        number = count_noun(len(rows), *kinds)
        parts.append(f"{number} too rare to be divided, {done} (data.rare): {names}")
    return "; ".join(parts)
