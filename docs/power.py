"""The test rows that it takes to detect a difference; computed, not measured."""

from benchmarks import results
from textclf.evaluate.comparisons import POWER, power_curve

ALPHA = 0.05
PAIRS = 3  # of three models
DISAGREEMENT = 0.13  # of network and regression on the test rows of the lesson
DIFFERENCES = (0.05, 0.03, 0.02, 0.01)  # whose rows docs/evaluation.md lists


def rows_needed(difference: float, discordant: float, alpha: float) -> int:
    """Return the independent rows for a test to detect a difference with 80% power."""
    low, high = 0, 1
    while power_curve(high, discordant, alpha)(difference) < POWER:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_curve(middle, discordant, alpha)(difference) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def needed_table() -> str:
    """Return the test rows that differences take."""
    rows = [
        [
            f"{100 * each:.0f}",
            *(f"{rows_needed(each, DISAGREEMENT, ALPHA / pairs):,}" for pairs in (1, PAIRS)),
        ]
        for each in DIFFERENCES
    ]
    return results.markdown(["difference in points", "test rows, two models", "three models"], rows)


TABLES = {"rows-needed": needed_table}
