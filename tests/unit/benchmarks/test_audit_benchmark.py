"""The measurement of the audit: flipped labels, precision and recall, and the verdicts of two readers."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.audit import DOUBTERS, JUDGES, flip, measure, summarize
from benchmarks.results import read as result
from benchmarks.tables import CORPORA, READ, agreement
from textclf.studies.audit.issues import combine

ROWS = pd.DataFrame({"label": ["0", "1"] * 50})


def test_a_share_of_the_labels_is_flipped_by_the_seed() -> None:
    changed, flipped = flip(ROWS, ["0", "1"], 0.1, 3)
    assert flipped.sum() == 10
    assert ((changed["label"] != ROWS["label"]) == flipped).all()
    assert set(changed["label"]) == {"0", "1"}
    assert (flip(ROWS, ["0", "1"], 0.1, 3)[1] == flipped).all()
    assert (flip(ROWS, ["0", "1"], 0.1, 4)[1] != flipped).any()


def test_hard_texts_are_flipped_more_often() -> None:
    doubt = np.where(np.arange(100) < 50, 0.4, 0.1)
    counts = np.sum([flip(ROWS, ["0", "1"], 0.1, seed, doubt)[1] for seed in range(200)], axis=0)
    assert counts.sum() == 200 * 10
    assert counts[:50].sum() / counts[50:].sum() == pytest.approx(4, rel=0.2)
    assert (flip(ROWS, ["0", "1"], 0.1, 3, doubt)[1] == flip(ROWS, ["0", "1"], 0.1, 3, doubt)[1]).all()


def test_no_judge_tells_which_texts_are_hard_for_it() -> None:
    assert list(DOUBTERS) == list(JUDGES)
    assert not [panel for panel, doubter in DOUBTERS.items() if doubter in panel]


def test_flags_are_measured_against_the_flipped_labels() -> None:
    changed, flipped = flip(ROWS, ["0", "1"], 0.1, 3)
    true, y = ROWS["label"].astype(int).to_numpy(), np.array([int(label) for label in changed["label"]])
    sure = np.where(true == 1, 0.9, 0.1)
    perfect = np.column_stack([1 - sure, sure])
    alone = measure(combine(y, [("a", perfect)]), flipped)
    assert (alone["flagged"], alone["precision"], alone["recall"], alone["at_k"]) == (10, 1, 1, 1)
    assert (alone["accuracy"], alone["noise"]) == pytest.approx((0.9, 0.1))
    halves = perfect.copy()
    halves[np.flatnonzero(flipped)[:5]] = halves[np.flatnonzero(flipped)[:5], ::-1]  # knows half of them
    both = measure(combine(y, [("a", perfect), ("b", halves)]), flipped)
    assert (both["flagged"], both["precision"], both["recall"], both["at_k"]) == (5, 1, 0.5, 1)
    assert "noise" not in both


def test_a_mean_over_seeds_has_the_interval_of_student() -> None:
    found = summarize([1.0, 2.0, 3.0])
    assert found["mean"] == 2
    assert found["high"] - found["mean"] == pytest.approx(4.302653 / 3**0.5)  # the quantile of t with two degrees


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_row_that_is_said_to_be_read_has_a_verdict_of_both_readers(corpus: str) -> None:
    published, verdicts = result(f"audit-{corpus}")["published"], result("audit-verdicts")
    read = {row for judge in READ for row in published[judge]["suspects"]}
    assert read == set(verdicts["blind"][corpus]) == set(verdicts["knowing"][corpus])
    assert len(verdicts["random"][corpus]) == 30
    assert not read & set(verdicts["random"][corpus])
    given = {verdict for reader in verdicts.values() for verdict in reader[corpus].values()}
    assert given <= {"wrong", "ambiguous", "right"}


def test_readings_that_agree_beyond_chance_have_a_high_kappa() -> None:
    def readings(pairs: dict[str, int]) -> dict[str, dict[str, dict[str, str]]]:
        """Return the verdicts of both readers, given the number of rows of each pair of verdicts."""
        both = [pair.split() for pair, count in pairs.items() for _ in range(count)]
        return {
            reader: {
                each: {str(n): pair[place] for n, pair in enumerate(both) if n % 3 == k}
                for k, each in enumerate(CORPORA)
            }
            for place, reader in enumerate(("blind", "knowing"))
        }

    # By chance they agree on half of the rows: kappa is (0.9 - 0.5) / 0.5, its error the root of 0.0009 / 0.25.
    found = agreement(readings({"right right": 45, "wrong wrong": 45, "right wrong": 5, "wrong right": 5}))
    assert "agree on 90 of 100 rows" in found
    assert "kappa is 0.80 (0.68 to 0.92), or 0.80 of wrong" in found
