"""All checks together."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.unit.drift.texts import draw_texts, pool_of
from tests.unit.predict.models import shares, three_classes, two_classes
from textclf.drift.measure import CLASSES, CLASSIFIER, LENGTH, UNKNOWN, WORDS, Settings, measure
from textclf.evaluate.comparisons import holm

SETTINGS = Settings(alpha=0.1, permutations=99, seed=0)


def test_without_drift_any_check_finds_it_at_most_as_often_as_alpha_says() -> None:
    predictor, alarms, runs = three_classes(), 0, 150
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        sides = [[*draw_texts(generator, count), *extra] for count, extra in ((40, ["great place"]), (25, ["food"]))]
        pool = pool_of(sides[0], sides[1], seed)
        alarms += bool(measure(pool, pool, predictor, replace(SETTINGS, seed=seed)).drifted(0.1))
    assert alarms <= stats.binom.interval(0.999, runs, 0.1)[1]


def test_each_check_finds_the_drift_that_it_is_for() -> None:
    generator = np.random.default_rng(0)
    old, new = draw_texts(generator, 120, 5), draw_texts(generator, 80, 8)
    longer = measure(pool := pool_of(old, new), pool, two_classes(), SETTINGS)
    assert longer.adjusted[LENGTH] == pytest.approx(0.05)
    assert longer.length.new > longer.length.reference
    assert longer.length.longer.area > 0.7
    old = [f"great {text}" for text in draw_texts(generator, 100)]
    new = [f"bad.. {text}" for text in draw_texts(generator, 60)]
    other = measure(pool := pool_of(old, new), pool, two_classes(), SETTINGS)
    assert set(other.drifted(0.1)) == {CLASSIFIER, WORDS, CLASSES}
    assert other.classes is not None
    assert {name: (each.reference, each.new) for name, each in other.classes.items()} == {"no": (0, 1), "yes": (1, 0)}
    assert other.words[0].word in {"bad", "great"}


def test_unknown_words_are_found_in_the_rows_that_the_model_has_not_seen() -> None:
    generator = np.random.default_rng(1)
    pool = pool_of(draw_texts(generator, 40), draw_texts(generator, 40))
    old = [f"great food {text}" for text in draw_texts(generator, 60)]
    seen = pool_of(old, draw_texts(generator, 60))
    found = measure(pool, seen, two_classes(), SETTINGS)
    assert found.unknown is not None
    assert found.unknown.reference == pytest.approx(6 / 8)
    assert found.unknown.new == 1
    assert UNKNOWN in found.drifted(0.1)
    assert WORDS not in found.drifted(0.1)


def test_checks_that_need_unseen_rows_are_left_out_without_them() -> None:
    generator = np.random.default_rng(2)
    pool = pool_of(draw_texts(generator, 30), draw_texts(generator, 30))
    found = measure(pool, None, two_classes(), SETTINGS)
    assert (found.unknown, found.classes) == (None, None)
    assert list(found.p) == [CLASSIFIER, WORDS, LENGTH]


def test_p_values_are_corrected_by_holm() -> None:
    generator = np.random.default_rng(3)
    pool = pool_of(draw_texts(generator, 30), draw_texts(generator, 30, 7))
    found = measure(pool, pool, two_classes(), SETTINGS)
    assert list(found.adjusted.values()) == holm(np.array(list(found.p.values()))).tolist()
    assert found.correct(WORDS, found.p[WORDS]) == pytest.approx(found.adjusted[WORDS])


def test_a_model_that_ignores_the_text_predicts_no_drift() -> None:
    generator = np.random.default_rng(4)
    pool = pool_of(draw_texts(generator, 30), [text.replace("u", "o") for text in draw_texts(generator, 30)])
    found = measure(pool, pool, shares(), SETTINGS)
    assert found.p[CLASSES] == 1
    assert CLASSIFIER in found.drifted(0.1)
