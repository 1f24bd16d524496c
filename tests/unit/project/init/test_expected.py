"""How long a run is expected to take."""

import os
from dataclasses import replace
from typing import Any

import pytest

from textclf.project.init import expected, presets
from textclf.project.init.expected import (
    disk_in_words,
    expected_minutes,
    fit_seconds,
    free_cores,
    in_words,
    pace,
    solver_share,
)
from textclf.project.init.presets import choose_models
from textclf.project.init.survey import Survey

TWO = {"a": 1_000, "b": 1_000}
SURVEY = Survey(TWO, TWO, 0, 0, 0, 10, 20, characters=200_000, language="English")


@pytest.fixture(autouse=True)
def same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is the reference machine's, nothing else runs, and all packages are installed."""
    monkeypatch.setattr(expected, "pace", lambda: 1.0)
    monkeypatch.setattr(expected, "free_cores", float)
    monkeypatch.setattr(presets, "find_spec", lambda name: name)


def minutes(preset: str, survey: Survey = SURVEY, validated: bool = False) -> float:
    return expected_minutes(choose_models(preset, survey).sections, survey, validated)


def test_more_rows_and_more_models_take_longer() -> None:
    assert minutes("fast") < minutes("good") < minutes("best")
    more = {name: 10 * rows for name, rows in TWO.items()}
    large = replace(SURVEY, classes=more, distinct=more, characters=2_000_000)
    for preset in ("fast", "good", "best"):
        assert minutes(preset, large) > minutes(preset)


def test_a_cross_validation_takes_longer_than_validation_rows() -> None:
    assert minutes("best", validated=False) > minutes("best", validated=True)


def test_given_test_rows_are_encoded_but_not_learned_from() -> None:
    few = replace(SURVEY, classes={f"c{n}": 6 for n in range(77)}, characters=20_000)
    more = replace(few, classes={f"c{n}": 60 for n in range(77)}, characters=200_000)
    given = {"train": 462, "test": 4_158}
    tested = replace(few, given=given, characters=200_000, tested_characters=180_000)
    models = [choose_models("good", survey) for survey in (tested, few, more)]
    assert models[0] == models[1] != models[2]
    assert minutes("good", few) < minutes("good", tested)


def test_rows_that_are_drawn_for_testing_and_few_of_a_class_take_less_than_a_fit_at_most() -> None:
    eight = {f"c{n}": 500 for n in range(8)}
    many = replace(SURVEY, classes=eight, distinct=eight, characters=600_000)
    few = replace(many, classes=dict.fromkeys(eight, 40), distinct=dict.fromkeys(eight, 40))
    several = replace(many, sets=4_000)
    assert solver_share(many) == solver_share(SURVEY) == 1.0
    assert solver_share(few) == solver_share(several) == 1 / 3
    assert minutes("fast", several) < minutes("fast", many)
    given = replace(many, given={"train": 4_000, "test": 0})
    assert minutes("fast", many) < minutes("fast", given)


# Tables of paragraphs of documentation: seconds of the CPU that a run took, for a preset without
# pretrained weights, on the machine of reference.
MEASURED = {
    "2 classes": (Survey({"a": 1_000, "b": 1_000}, {}, 0, 0, 0, 20, 60, characters=297_000), 18),
    "8 classes": (
        Survey({f"c{n}": 500 for n in range(8)}, {}, 0, 0, 0, 20, 60, characters=563_000),
        27,
    ),
    "60 classes of few rows": (
        Survey({f"c{n}": 50 for n in range(60)}, {}, 0, 0, 0, 20, 60, characters=422_000),
        39,
    ),
    "19 labels": (
        Survey(
            {f"c{n}": 160 for n in range(19)}, {}, 0, 0, 0, 20, 60, characters=418_000, sets=3_000
        ),
        25,
    ),
    "59 labels": (
        Survey(
            {f"c{n}": 80 for n in range(59)}, {}, 0, 0, 0, 20, 60, characters=421_000, sets=3_000
        ),
        34,
    ),
}


@pytest.mark.parametrize(("survey", "seconds"), MEASURED.values(), ids=MEASURED)
def test_what_is_told_is_within_a_third_of_what_was_measured(
    survey: Survey, seconds: float
) -> None:
    assert 60 * minutes("fast", survey) == pytest.approx(seconds, rel=1 / 3)


@pytest.mark.parametrize("change", [{"longest": 1_000}, {"language": "German"}])
def test_windows_and_the_larger_encoder_take_longer(change: dict[str, Any]) -> None:
    assert minutes("good", replace(SURVEY, **change)) > minutes("good")


def test_a_run_beside_others_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "cores", lambda: 4)
    idle = {preset: minutes(preset) for preset in ("fast", "good")}
    # Three are busy.
    monkeypatch.setattr(expected, "free_cores", lambda threads: float(min(threads, 1)))
    assert minutes("fast") == idle["fast"]
    assert minutes("good") > 1.3 * idle["good"]
    monkeypatch.setattr(expected, "free_cores", lambda threads: threads / 2)
    assert minutes("good") == pytest.approx(2 * idle["good"])


@pytest.mark.parametrize(
    ("load", "one", "four"), [(0.0, 1.0, 4.0), (4.0, 1.0, 4.0), (12.0, 8 / 13, 2.0)]
)
def test_cores_are_free_as_far_as_nothing_else_runs_there(
    monkeypatch: pytest.MonkeyPatch, load: float, one: float, four: float
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 9.0, 9.0))
    assert (free_cores(1), free_cores(4)) == (one, four)


def test_a_fit_takes_longer_with_more_classes_and_less_with_fewer_terms() -> None:
    terms = {"analyzer": "word", "min_df": 1, "max_features": None}
    many = replace(SURVEY, classes={f"c{n}": 20 for n in range(100)})
    assert fit_seconds(terms, many) > 50 * fit_seconds(terms, SURVEY)
    assert fit_seconds(terms | {"min_df": 2}, SURVEY) < fit_seconds(terms, SURVEY)
    assert fit_seconds(terms | {"max_features": 1_000}, SURVEY) < fit_seconds(terms, SURVEY) / 10


def test_the_pace_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 0.05 < pace() < 50


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.01, "about 5 seconds"), (1.2, "about 70 seconds"), (3.2, "about 3 minutes")],
)
def test_minutes_are_said_in_words(value: float, words: str) -> None:
    assert in_words(value) == words


@pytest.mark.parametrize(
    ("preset", "language", "words"),
    [
        ("fast", "German", ""),
        ("good", "English", ", and about 370 MB of disk"),
        ("good", "German", ", and about 380 MB of disk"),
        ("best", "English", ", and about 2120 MB of disk"),
    ],
)
def test_a_preset_with_pretrained_weights_says_what_disk_they_take(
    preset: str, language: str, words: str
) -> None:
    assert (
        disk_in_words(choose_models(preset, replace(SURVEY, language=language)).sections) == words
    )
