"""Prediction sets: their guarantee, a plain reference, and their files."""

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusal import refusal
from textclf.artifacts import conformal
from textclf.artifacts.checksums import write_checked_json
from textclf.artifacts.conformal import (
    LOWEST,
    SPREAD,
    Conformal,
    Group,
    highest_coverage,
    kept_ranks,
    labels_answered,
    labels_of,
    least_rows,
    missed_cutoffs,
)
from textclf.core.errors import UserError

LEVELS = st.decimals("0.01", "0.99", places=2).map(float)
THOUSANDTHS = st.lists(st.integers(0, 1000), min_size=1, max_size=40)
PROBABILITIES = st.lists(st.floats(0, 1), min_size=2, max_size=40)


def drawn(seed: int, rows: int, classes: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    return generator.integers(0, classes, rows), generator.dirichlet(np.ones(classes), rows)


@given(PROBABILITIES, LEVELS)
def test_of_exchangeable_rows_at_least_the_stated_share_is_covered(
    actual: list[float], level: float
) -> None:
    """Each row in turn is the new one: the theorem says how many of them are covered."""
    covered = sum(
        actual[new] >= Group.of(np.array([*actual[:new], *actual[new + 1 :]])).cutoff(level)
        for new in range(len(actual))
    )
    assert covered >= math.ceil(len(actual) * Fraction(str(level)))


@given(THOUSANDTHS, LEVELS, st.lists(st.integers(0, 1000), min_size=3, max_size=3))
def test_sets_are_those_of_a_plain_reference(
    actual: list[int], level: float, new: list[int]
) -> None:
    scores = sorted(1000 - probability for probability in actual)
    rank = math.ceil((len(scores) + 1) * Fraction(str(level)))
    limit = scores[rank - 1] if rank <= len(scores) else 1000
    expected = [1000 - probability <= limit for probability in new]
    fitted = Conformal((Group.of(np.array(actual) / 1000),))
    assert fitted.sets(np.array([new]) / 1000, level).tolist() == [expected]


def test_by_class_each_class_has_the_cutoff_of_its_own_rows() -> None:
    y, probabilities = drawn(0, 90, 3)
    fitted = Conformal.fit(y, probabilities, by_class=True)
    assert [group.rows for group in fitted.groups] == np.bincount(y).tolist()
    for place in range(3):
        alone = Conformal((Group.of(probabilities[y == place, place]),))
        rows = drawn(1, 30, 3)[1]
        assert fitted.sets(rows, 0.8)[:, place].tolist() == alone.sets(rows, 0.8)[:, place].tolist()
    with pytest.raises(
        UserError, match=f"validation rows of class {'abc'[np.bincount(y).argmin()]}; got 0.99"
    ):
        fitted.require(0.99, "coverage", "abc")


def test_a_set_with_one_class_answers_and_an_empty_or_larger_one_does_not() -> None:
    sets = np.array(
        [[True, False, False], [False, False, True], [False, False, False], [True, True, False]]
    )
    assert labels_answered(sets, "abc") == ["a", "c", None, None]
    assert labels_of(sets, "abc") == [["a"], ["c"], [], ["a", "b"]]


@pytest.mark.parametrize("level", [0.5, 0.55, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_the_least_number_of_rows_gives_the_level_and_one_fewer_does_not(level: float) -> None:
    rows = least_rows(level)
    assert math.ceil((rows + 1) * Fraction(str(level))) <= rows
    assert math.ceil(rows * Fraction(str(level))) > rows - 1
    assert highest_coverage(rows) >= level > highest_coverage(rows - 1)
    few, enough = (Group.of(np.full(count, 0.5)) for count in (rows - 1, rows))
    assert (few.cutoff(level), enough.cutoff(level)) == (
        0.0,
        0.5,
    )  # with too few rows every class is in the set


@given(THOUSANDTHS, st.integers(1, 5), LEVELS)
def test_copies_of_rows_have_the_cutoff_of_the_rows(
    actual: list[int], copies: int, level: float
) -> None:
    once = Group.of(np.array(actual) / 1000)
    all_rows = replace(Group.of(np.repeat(actual, copies) / 1000), independent=len(actual))
    assert all_rows.cutoff(level) == once.cutoff(level)


def test_the_fewer_independent_rows_the_rows_are_worth_the_larger_are_the_sets() -> None:
    group = Group.of(np.arange(1000) / 1024)
    cutoffs = [replace(group, independent=rows).cutoff(0.9) for rows in (1000, 100, 20, 9, 8)]
    assert cutoffs == pytest.approx([each / 1024 for each in (99, 91, 55, 0, 0)], abs=1e-6)


def test_a_level_is_the_decimal_that_was_written() -> None:
    assert 100 * 0.55 > 55  # as a double
    assert Group.of(np.arange(99) / 128).cutoff(0.55) == 44 / 128  # the 45th lowest: 100 - 55


def test_of_many_rows_a_bounded_number_is_kept_and_the_cutoff_gets_no_higher() -> None:
    rows = 123_456
    ranks = kept_ranks(rows)
    assert len(ranks) == LOWEST + SPREAD
    assert (np.diff(ranks) > 0).all()
    assert (ranks[0], ranks[LOWEST - 1], ranks[-1]) == (1, LOWEST, rows)
    assert len(kept_ranks(LOWEST + SPREAD)) == LOWEST + SPREAD
    actual = np.arange(rows) / 2**17
    group = Group.of(actual)
    for level in (0.1, 0.5, 0.77, 0.9, 0.95, 0.99, 0.9999):
        rank = rows + 1 - math.ceil((rows + 1) * Fraction(str(level)))
        assert 0 <= actual[rank - 1] - group.cutoff(level) < 1 / SPREAD
    assert group.cutoff(0.9999) == pytest.approx(actual[11], abs=1e-9)  # low ranks are all kept


def test_probabilities_are_rounded_down_to_six_significant_digits() -> None:
    values = np.array([1 / 3, 2 / 3e7, 0.1, 0.0, 1.0, 0.9999999])
    kept = Group.of(values).probabilities
    assert kept.tolist() == [0.0, 6.66666e-8, 0.1, 0.333333, 0.999999, 1.0]
    assert (kept <= np.sort(values)).all()


@pytest.mark.parametrize("by_class", [False, True])
def test_the_scores_of_a_run_are_read_back(by_class: bool, tmp_path: Path) -> None:
    fitted = Conformal.fit(*drawn(5, 50, 3), by_class)
    conformal.write(tmp_path / "all.json", {"keras": fitted})
    assert conformal.read(tmp_path / "all.json")["keras"].to_json() == fitted.to_json()
    conformal.write(tmp_path / "none.json", {})
    assert conformal.read(tmp_path / "none.json") == {}


def test_a_changed_digit_and_a_newer_format_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "conformal.json"
    conformal.write(path, {"keras": Conformal((Group.of(np.array([0.25, 0.5])),))})
    text = path.read_text()
    path.write_text(text.replace("0.25", "0.35"))
    assert "conformal.json is damaged" in refusal(conformal.read, path)
    write_checked_json(path, {"models": {"keras": [{"rows": 2, "probabilities": [0.25, 0.5]}]}})
    assert "conformal.json is damaged" in refusal(conformal.read, path)
    path.write_text(json.dumps(json.loads(text) | {"format": 2}))
    assert "was made by a newer textclf (format 2; this version reads 1)" in refusal(
        conformal.read, path
    )


def missed(y: Any, sets: Any) -> Any:
    """Return the share of the labels of each row that its set misses, (rows,)."""
    return ((y == 1) & ~sets).sum(axis=1) / np.maximum(y.sum(axis=1), 1)


@given(st.integers(0, 10_000), st.integers(1, 60), LEVELS)
def test_the_cutoff_of_sets_is_the_highest_that_controls_the_risk(
    seed: int, rows: int, level: float
) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.random((rows, 4)) ** 2
    y = (generator.random((rows, 4)) < probabilities).astype(np.int8)
    cutoffs = missed_cutoffs(y, probabilities)
    assert cutoffs.tolist() == sorted(cutoffs.tolist())
    for rank, cutoff in enumerate(cutoffs.tolist()):
        assert missed(y, probabilities >= cutoff).sum() <= rank + 1e-9
        if cutoff < 1:
            assert missed(y, probabilities > cutoff).sum() > rank + 1e-9
    result = Conformal.fit(y, probabilities, False).sets(probabilities, level)
    risk = missed(y, result).mean()
    if rows >= least_rows(level):
        assert rows / (rows + 1) * risk + 1 / (rows + 1) <= 1 - level + 1e-9
    else:
        assert result.all()


def test_one_label_per_row_has_the_sets_of_one_class() -> None:
    y, probabilities = drawn(1, 50, 3)
    one, several = (
        Conformal.fit(each, probabilities, False) for each in (y, np.eye(3, dtype=np.int8)[y])
    )
    assert one.to_json() == several.to_json()
