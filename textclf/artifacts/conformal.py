"""Prediction sets: the classes that a text may have.

A stated share of the sets contains the actual class. Split conformal prediction (Angelopoulos &
Bates 2023, Found. Trends Mach. Learn. 16:494-591, section 1, doi:10.1561/2200000101) with the score
1 - probability (Sadinle, Lei & Wasserman 2019, J. Am. Stat. Assoc. 114:223-234,
doi:10.1080/01621459.2017.1395341): a class is in a set if its probability is at least the (n + 1 -
k)-th smallest probability of the actual class of n held-out rows, k = ceil((n + 1) coverage). With
scores per class (Vovk 2012, ACML, PMLR 25:475-490) the coverage holds within every class. With
several labels per text this is conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814,
theorem 1): a set misses on average at most 1 - coverage of the labels.

Dependent rows count as e independent ones: k = ceil(n (e + 1) coverage / e).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_FLOOR, Context
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.checksums import read_checked_json, write_checked_json
from textclf.artifacts.label_sets import of_actual
from textclf.core.errors import UserError
from textclf.core.files import DIGITS, reading
from textclf.core.formatting import count_noun
from textclf.core.quoting import quote_name

CONFORMAL = "conformal.json"  # in the folder of an exported model, and in data
# The probabilities that are kept of many rows: the lowest, and some spread evenly over all.
LOWEST = 1000
SPREAD = 1000

Floats = NDArray[np.float64]
Sets = NDArray[np.bool_]  # which classes are in the set of each row, (rows, classes)


@dataclass(frozen=True)
class Group:
    """The held-out rows of one group."""

    rows: int
    # The number of independent rows that they count as, at the coverage of the run.
    independent: int
    # Of the actual class, ascending, at `kept_ranks`; rounded down, so that sets get no smaller.
    probabilities: Floats

    @classmethod
    def of(cls, probabilities: Floats) -> "Group":
        """Return the group of independent rows from the probabilities of their classes (rows,)."""
        rows = len(probabilities)
        ranked = np.sort(probabilities)[kept_ranks(rows) - 1]
        down = Context(prec=DIGITS, rounding=ROUND_FLOOR)
        rounded = [float(down.create_decimal_from_float(value)) for value in ranked.tolist()]
        return cls(rows, rows, np.array(rounded))

    def cutoff(self, coverage: float) -> float:
        """Return the least probability with which a class is in a set.

        It is 0, so that sets have all classes, if there are too few rows.
        """
        level = _exact(coverage) * (self.independent + 1) / max(self.independent, 1)
        rank = self.rows + 1 - math.ceil(self.rows * level)
        # The last one up to this rank.
        index = int(np.searchsorted(kept_ranks(self.rows), rank, side="right")) - 1
        return float(self.probabilities[index]) if index >= 0 else 0.0


@dataclass(frozen=True)
class Conformal:
    """The basis of prediction sets of any coverage: one group of all rows, or one per class."""

    groups: tuple[Group, ...]

    @classmethod
    def fit(cls, y: NDArray[Any], probabilities: Floats, by_class: bool) -> "Conformal":
        """Return the scores of independent held-out rows.

        `y` has their classes or labels, `probabilities` (rows, classes) are calibrated.
        """
        if y.ndim == 2:
            return cls((Group.of(missed_cutoffs(y, probabilities)),))
        actual = of_actual(probabilities, y)
        if not by_class:
            return cls((Group.of(actual),))
        classes = range(probabilities.shape[1])
        return cls(tuple(Group.of(actual[y == position]) for position in classes))

    def sets(self, probabilities: Floats, coverage: float) -> Sets:
        """Return the set of each row (rows, classes) from calibrated probabilities; maybe empty."""
        return probabilities >= np.array([group.cutoff(coverage) for group in self.groups])

    def require(self, coverage: float, name: str, classes: Sequence[str], which: str = "") -> None:
        """Raise `UserError` unless the rows are enough for a coverage.

        The error calls the coverage `name` and describes the rows with `which`.
        """
        smallest = int(np.argmin([group.independent for group in self.groups]))
        rows, independent = self.groups[smallest].rows, self.groups[smallest].independent
        least = least_rows(coverage)
        if independent < least:
            if len(self.groups) > 1:
                which += f" of class {quote_name(classes[smallest])}"
            needed = f"{least:,} of them"
            if independent < rows:
                which += f", worth {count_noun(independent, 'independent one')}"
                needed = f"{least:,} independent ones"
            raise UserError(
                f"{name} must be at most {highest_coverage(independent)} "
                f"for {count_noun(rows, 'validation row')}{which}; "
                f"got {coverage}, which takes at least {needed}; "
                "raise split.validation_size or lower the coverage"
            )

    def to_json(self) -> list[dict[str, Any]]:
        """Return the groups."""
        return [
            asdict(group) | {"probabilities": group.probabilities.tolist()} for group in self.groups
        ]

    @classmethod
    def from_json(cls, content: Sequence[Mapping[str, Any]]) -> "Conformal":
        """Return the object from what `to_json` returned; `TypeError` if a key is missing."""
        groups = (
            Group(**{**group, "probabilities": np.array(group["probabilities"], float)})
            for group in content
        )
        return cls(tuple(groups))


def missed_cutoffs(y: NDArray[np.integer[Any]], probabilities: Floats) -> Floats:
    """Return the highest cutoffs at which the rows' missed shares of labels sum to at most k.

    The array (rows,) has one for each k = 0, 1, ... So the empirical risk is at most k / n, and
    with the row of risk 1 that theorem 1 adds (k + 1) / (n + 1).
    """
    rows, labels = np.nonzero(y)
    scores, shares = probabilities[rows, labels], 1 / y.sum(axis=1, dtype=np.int64)[rows]
    order = np.argsort(scores)
    missed = np.cumsum(shares[order]).round(9)  # with the label itself; thirds must add up to one
    return np.append(scores[order], 1.0)[np.searchsorted(missed, np.arange(len(y)), side="right")]


def kept_ranks(rows: int) -> NDArray[np.int64]:
    """Return the ranks, from 1, of the probabilities that are kept of so many rows.

    All of up to `LOWEST` + `SPREAD`; of more the `LOWEST` lowest, and `SPREAD` over all. A rank
    between two that are kept is replaced by the lower one, so that coverage exceeds what was asked
    for by less than 1 / `SPREAD`.
    """
    if rows <= LOWEST + SPREAD:
        return np.arange(1, rows + 1)
    spread = LOWEST + np.arange(1, SPREAD + 1) * (rows - LOWEST) // SPREAD
    return np.concatenate([np.arange(1, LOWEST + 1), spread])


def least_rows(coverage: float) -> int:
    """Return the least number of independent rows per group that can give sets of a coverage."""
    share = _exact(coverage)
    return math.ceil(share / (1 - share))


def highest_coverage(rows: int) -> float:
    """Return the highest coverage that so many independent rows can give.

    It is rounded down to `DIGITS` decimals.
    """
    scale: int = 10**DIGITS
    return rows * scale // (rows + 1) / scale


def _exact(coverage: float) -> Fraction:
    """Return the coverage as the decimal as written: in doubles, 100 times 0.55 exceeds 55."""
    return Fraction(repr(float(coverage)))


# Files


def write(path: Path, models: Mapping[str, Conformal]) -> None:
    """Write the conformal scores of models, of which there may be none, with a checksum."""
    scores = {name: conformal.to_json() for name, conformal in models.items()}
    write_checked_json(path, {"models": scores})


def read(path: Path) -> dict[str, Conformal]:
    """Return what `write` wrote; `UserError` if it is missing, damaged, or of a newer textclf."""
    content = read_checked_json(path, ("models",))
    with reading(path):
        return {name: Conformal.from_json(groups) for name, groups in content["models"].items()}


def without_gaps(sets: Sets) -> Sets:
    """Return the sets with all of the ordered classes between two that they have."""
    from_first = np.logical_or.accumulate(sets, axis=1)
    to_last = np.logical_or.accumulate(sets[:, ::-1], axis=1)[:, ::-1]
    return from_first & to_last


def labels_of(sets: Sets, classes: Sequence[str]) -> list[list[str]]:
    """Return the labels of the classes in each set, in the order of `classes`."""
    return [[classes[position] for position in np.flatnonzero(row).tolist()] for row in sets]


def labels_answered(sets: Sets, classes: Sequence[str]) -> list[str | None]:
    """Return the label of each set that has exactly one, None for others, also for an empty one."""
    return [labels[0] if len(labels) == 1 else None for labels in labels_of(sets, classes)]
