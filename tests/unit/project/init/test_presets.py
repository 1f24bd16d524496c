"""The representations and models of the presets."""

from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.settings import TEXT
from tests.unit.project.init.surveys import make_survey
from textclf.core.differences import flatten
from textclf.core.errors import UserError
from textclf.core.params_text import with_sections, with_values
from textclf.params import parse
from textclf.project.init import presets
from textclf.project.init.presets import Models, choose_models


@pytest.fixture(autouse=True)
def every_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """All optional packages count as installed."""
    monkeypatch.setattr(presets, "find_spec", lambda name: name)


def choose(preset: str = "good", **known: Any) -> Models:
    return choose_models(preset, make_survey(**known))


@pytest.mark.parametrize(
    ("preset", "language", "models"),
    [
        ("fast", "English", ["logistic_regression"]),
        ("good", "English", ["logistic_regression", "sentence_vectors", "combined"]),
        ("best", None, ["logistic_regression", "sentence_vectors", "combined"]),
        ("best", "German", ["logistic_regression", "sentence_vectors", "combined"]),
        (
            "best",
            "English",
            ["logistic_regression", "sentence_vectors", "combined", "transformer", "average"],
        ),
    ],
)
def test_a_preset_has_its_models_which_are_valid_settings(
    preset: str, language: str | None, models: list[str]
) -> None:
    chosen = choose(preset, language=language)
    assert chosen.candidates == models
    values: dict[str, Any] = {"export.model": None, "gate.minimum": {}, "gate.maximum_drop": {}}
    params = parse(with_sections(with_values(TEXT, values), chosen.sections))
    assert ["majority", *models] == [*params.train.names(), *params.average.pairs()]
    left_out = list(presets.left_out(preset, make_survey(language=language)))
    assert bool(left_out) == (preset == "best" and language != "English")


def test_best_asks_for_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "find_spec", lambda name: None if name == "tensorflow" else name)
    assert choose("best", language="German").candidates == choose("good").candidates
    with pytest.raises(UserError, match=r"--preset best needs tensorflow; .*choose --preset good"):
        choose("best")


@pytest.mark.parametrize(
    ("preset", "each", "more", "tuned"),
    [
        ("good", 8, {}, True),
        ("good", 8, {"language": "German"}, False),
        ("good", 8, {"sets": 16}, False),
        ("good", 40, {}, True),
        ("good", 8, {"classes": "50*8", "characters": 36_000}, True),
        ("good", 40, {"characters": 40_000}, False),  # which takes more than two minutes
        ("best", 40, {}, True),
        ("best", 50, {}, False),
        ("fast", 8, {}, False),
    ],
)
def test_few_rows_tune_a_transformer_in_two_minutes_or_in_best(
    monkeypatch: pytest.MonkeyPatch, preset: str, each: int, more: dict[str, Any], tuned: bool
) -> None:
    result: dict[str, Any] = {"classes": f"2*{each}", "characters": 200 * each, **more}
    survey = make_survey(**result)
    assert ("contrastive" in choose(preset, **result).candidates) == tuned
    is_long = preset == "good" and not tuned and "characters" in more
    long = "it takes long with these rows; --preset best has it"
    assert [line.endswith(long) for line in presets.left_out(preset, survey)] == [True] * is_long
    monkeypatch.setattr(presets, "find_spec", lambda _: None)
    if preset == "good":  # which needs no optional packages
        assert "contrastive" not in choose(preset, **result).candidates
        missing = any("it needs keras" in line for line in presets.left_out(preset, survey))
        assert missing == (tuned or is_long)


def test_representations_and_models_follow_the_rows_as_approved() -> None:
    def say(case: str) -> list[str]:
        """Return what is chosen for a survey, named and described in YAML."""
        chosen = choose(**approved.described(case))
        lines = [f"{key}: {value}" for key, value in flatten(chosen.sections).items()]
        return lines + [f"{each.key}: {each.value} ({each.reason})" for each in chosen.reasons]

    approved.check_differences(Path(__file__).with_name("presets.txt"), say)
