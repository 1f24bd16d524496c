"""The representations and models of the presets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.settings import TEXT
from textclf.core.differences import flatten
from textclf.core.errors import UserError
from textclf.core.params_text import with_sections, with_values
from textclf.params import parse
from textclf.project.init import presets
from textclf.project.init.presets import Models, choose_models
from textclf.project.init.survey import Survey

TWO = {"a": 1_000, "b": 1_000}


@pytest.fixture(autouse=True)
def every_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """All optional packages count as installed."""
    monkeypatch.setattr(presets, "find_spec", lambda name: name)


def choose(preset: str = "good", classes: Mapping[str, int] = TWO, longest: int = 20, **more: Any) -> Models:
    found: dict[str, Any] = {"distinct": dict(classes), "language": "English"} | more
    return choose_models(preset, Survey(dict(classes), found.pop("distinct"), 0, 0, 0, 10, longest, **found))


@pytest.mark.parametrize(
    ("preset", "language", "models"),
    [
        ("fast", "English", ["logistic_regression"]),
        ("good", "English", ["logistic_regression", "sentence_vectors", "combined"]),
        ("best", None, ["logistic_regression", "sentence_vectors", "combined"]),
        ("best", "German", ["logistic_regression", "sentence_vectors", "combined"]),
        ("best", "English", ["logistic_regression", "sentence_vectors", "combined", "transformer", "average"]),
    ],
)
def test_a_preset_has_its_models_which_are_valid_settings(preset: str, language: str | None, models: list[str]) -> None:
    chosen = choose(preset, language=language)
    assert chosen.candidates == models
    values: dict[str, Any] = {"export.model": None, "gate.minimum": {}, "gate.maximum_drop": {}}
    params = parse(with_sections(with_values(TEXT, values), chosen.sections))
    assert ["majority", *models] == [*params.train.names(), *params.average.pairs()]
    left_out = list(presets.left_out(preset, Survey(TWO, TWO, 0, 0, 0, 10, 20, language=language)))
    assert bool(left_out) == (preset == "best" and language != "English")


def test_best_asks_for_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "find_spec", lambda name: None if name == "keras_hub" else name)
    assert choose("best", language="German").candidates == choose("good").candidates
    with pytest.raises(UserError, match=r"--preset best needs keras_hub; .*choose --preset good"):
        choose("best")


@pytest.mark.parametrize(
    ("preset", "each", "more", "tuned"),
    [
        ("good", 8, {}, True),
        ("good", 8, {"language": "German"}, False),
        ("good", 8, {"sets": 16}, False),
        ("good", 40, {}, False),  # which takes more than a minute
        ("best", 40, {}, True),
        ("best", 50, {}, False),
        ("fast", 8, {}, False),
    ],
)
def test_few_rows_tune_a_transformer_within_a_minute_or_in_best(
    monkeypatch: pytest.MonkeyPatch, preset: str, each: int, more: dict[str, Any], tuned: bool
) -> None:
    found: dict[str, Any] = {"classes": {"no": each, "yes": each}, "characters": 200 * each, **more}
    assert ("contrastive" in choose(preset, **found).candidates) == tuned
    monkeypatch.setattr(presets, "find_spec", lambda _: None)
    if preset == "good":  # which needs no optional packages
        assert "contrastive" not in choose(preset, **found).candidates


def rows(*counts: int) -> dict[str, int]:
    return {f"c{number:03}": count for number, count in enumerate(counts)}


SURVEYS: dict[
    str, dict[str, Any]
] = {  # the preset is good, unless named, and the rows are 1,000 of each of two classes
    "English": {},
    "German": {"language": "German"},
    "no language": {"language": None},
    # A strength is chosen from several, where that is affordable and possible.
    "20 and 4 rows": {"classes": rows(20, 4)},
    "given test rows": {"classes": rows(20, 4), "given": {"train": 5, "test": 19}},
    "rows that fit into memory": {"classes": rows(125_000, 125_000)},
    "more rows than fit": {"classes": rows(125_000, 125_001)},
    "short texts": {"classes": rows(10_000, 10_000), "characters": 2_000_000},
    "many short texts": {"classes": rows(50_000, 40_000), "characters": 9_000_000},
    "ten classes": {"classes": rows(*[5_000] * 10), "characters": 5_000_000},
    "four classes": {"classes": rows(*[300] * 4), "characters": 100_000},
    "77 classes of 60 rows": {"classes": rows(*[60] * 77), "characters": 300_000},
    "77 classes of 40 rows": {"classes": rows(*[40] * 77), "characters": 200_000},
    # The analyzer follows the share of texts without spaces.
    "fast": {"preset": "fast"},
    "fast, 9.9% without spaces": {"preset": "fast", "unspaced": 0.099},
    "fast, 10% without spaces": {"preset": "fast", "unspaced": 0.1},
    "9.9% without spaces": {"unspaced": 0.099},
    "10% without spaces": {"unspaced": 0.1},
    "half without spaces": {"unspaced": 0.5},
    "99,999 rows": {"classes": rows(50_000, 49_999)},
    "100,000 rows": {"classes": rows(50_000, 50_000)},
    "200 words": {"longest": 200},
    "201 words": {"longest": 201},
    "201 letters without spaces": {"longest": 201, "unspaced": 0.9},
}


def test_representations_and_models_follow_the_rows_as_approved() -> None:
    said = {}
    for name, survey in SURVEYS.items():
        chosen = choose(**survey)
        lines = [f"{key}: {value}" for key, value in flatten(chosen.sections).items()]
        said[name] = lines + [f"{each.key}: {each.value} ({each.reason})" for each in chosen.reasons]
    approved.check(approved.differences(said), Path(__file__).with_name("presets.txt"))
