"""What metrics/splits.json says of the rows of each split."""

from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, Field

from textclf.core.files import SPLITS
from textclf.core.result_files import Count, Result
from textclf.core.settings import rule

PAIRS = {f"{later}_in_{earlier}" for earlier, later in combinations(SPLITS, 2)}


def _require_rows(counts: dict[str, int]) -> dict[str, int]:
    if not any(counts.values()):
        raise rule("the numbers of at least one row")
    return counts


def _require_pairs(counts: dict[str, int]) -> dict[str, int]:
    if unknown := set(counts) - PAIRS:
        raise rule(f"of pairs of splits, such as test_in_train, not {min(unknown)}")
    return counts


Counts = dict[str, Count]
# Rows of a split whose text is in one that is used before it.
Pairs = Annotated[Counts, AfterValidator(_require_pairs)]


class SplitCounts(Result):
    """The rows of a split."""

    # Rows of each class, or with each label.
    classes: Annotated[Counts, AfterValidator(_require_rows)]
    rows: Count | None = None  # with several labels per text
    without_labels: Count | None = None  # likewise
    time: dict[str, str] = Field({})  # of the first and the last row, if there is data.time

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(self.classes.values()) if self.rows is None else self.rows


class Duplicates(Result):
    """Rows of each split whose text occurs earlier in it."""

    exact: Counts = Field({})
    normalised: Counts = Field({})  # apart from case and spaces


class Leaks(Result):
    """Rows of a split whose text, or group, is also in a split that is used before it."""

    exact: Pairs = Field({})
    normalised: Pairs = Field({})
    group: Pairs = Field({})


class Conflicts(Result):
    """Distinct texts with several labels or, with several labels per text, with different sets."""

    exact: Count = 0
    normalised: Count = 0


class Corrected(Result):
    """What became of corrections.csv."""

    applied: Counts = Field({})  # rows by split
    unchanged: Count = 0  # rows that the table labels so too
    skipped: Count = 0  # test rows, unless data.correct_test_rows is set


class LabelledRows(Result):
    """The training rows of labelled.csv."""

    rows: Count = 0
    first_round: Count = 0
    last_round: Count = 0
    test_copies: Count = 0  # rows left out, as near copies of test rows


class SplitReport(Result):
    """The content of metrics/splits.json."""

    train: SplitCounts | None = None
    validation: SplitCounts | None = None
    test: SplitCounts | None = None
    duplicates: Duplicates = Field(default_factory=Duplicates)
    leaks: Leaks = Field(default_factory=Leaks)
    label_conflicts: Conflicts = Field(default_factory=Conflicts)
    dropped: Counts = Field({})  # rows without a text, label or time, and how many lack which
    corrections: Corrected = Field(default_factory=Corrected)
    labelled: LabelledRows = Field(default_factory=LabelledRows)
    # Rows of each class that was too rare, by its new class or `DROPPED`.
    rare: dict[str, Counts] = Field({})
    labels: Counts = Field({})  # rows of each label that data.labels renames
    given: Counts = Field({})  # rows of each split that the table gives
    unknown: dict[str, Counts] = Field({})  # rows labelled data.unknown, by that label and by split

    @property
    def splits(self) -> dict[str, SplitCounts]:
        """The rows of each split, in the order in which splits are used."""
        splits = {name: getattr(self, name) for name in SPLITS}
        return {name: counts for name, counts in splits.items() if counts is not None}

    @property
    def rows_by_class(self) -> dict[str, dict[str, int]]:
        """The number of rows of each class, by split."""
        return {name: rows.classes for name, rows in self.splits.items()}

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows of each split."""
        return {name: rows.size for name, rows in self.splits.items()}

    @property
    def multilabel(self) -> bool:
        """Whether the texts have several labels each."""
        return any(rows.rows is not None for rows in self.splits.values())
