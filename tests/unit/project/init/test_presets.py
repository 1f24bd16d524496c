"""The representations and models of the presets."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.params_text import with_sections, with_values
from textclf.params import parse
from textclf.project.init import presets
from textclf.project.init.presets import MOST_TERMS, OF_FEW, STRENGTHS, Models, choose_models
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


@pytest.mark.parametrize(
    ("language", "encoder"),
    [("English", "all-minilm-l6-v2"), ("German", "multilingual-e5-small-int4"), (None, "multilingual-e5-small-int4")],
)
def test_the_encoder_is_one_for_the_language(language: str | None, encoder: str) -> None:
    assert choose(language=language).sections["vectorize"]["sentences"]["pretrained"] == encoder


def test_sentence_vectors_are_left_out_without_their_packages_and_best_asks_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presets, "find_spec", lambda name: None if name == "onnxruntime" else name)
    assert choose("good").candidates == ["logistic_regression"]
    found = Survey(TWO, TWO, 0, 0, 0, 10, 20)
    (line,) = presets.left_out("good", found)
    assert line.startswith("left out: sentence vectors, which gained ")
    assert "; they need onnxruntime: pip install " in line
    assert not list(presets.left_out("fast", found))
    assert choose("best", language="German").candidates == ["logistic_regression"]
    with pytest.raises(UserError, match=r"--preset best needs onnxruntime; .*choose --preset good"):
        choose("best")


def rows(*counts: int) -> dict[str, int]:
    return {f"c{number:03}": count for number, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("classes", "more", "is_searched"),
    [
        (rows(20, 4), {}, True),
        (rows(20, 4), {"given": {"train": 5, "test": 19}}, True),
        (rows(125_000, 125_000), {}, True),
        (rows(125_000, 125_001), {}, False),
        (rows(10_000, 10_000), {"characters": 2_000_000}, True),
        (rows(50_000, 40_000), {"characters": 9_000_000}, True),
        (rows(*[5_000] * 10), {"characters": 5_000_000}, False),
        (rows(*[300] * 4), {"characters": 100_000}, True),
        (rows(*[60] * 77), {"characters": 300_000}, False),
        (rows(*[40] * 77), {"characters": 200_000}, False),
    ],
)
def test_a_strength_is_chosen_where_that_is_affordable_and_possible(
    classes: dict[str, int], more: dict[str, Any], is_searched: bool
) -> None:
    chosen = choose(classes=classes, **more)
    strengths = [model["C"] for name, model in chosen.sections["train"].items() if name != "majority"]
    few = sum(classes.values()) < 50 * len(classes)
    known = [OF_FEW] * 3 if few else [STRENGTHS[read] for read in ("letters", "sentences", "both")]
    assert strengths == [values if is_searched else value for values, value in known]
    assert ("train.*.C" in [reason.key for reason in chosen.reasons]) == (not is_searched)


@pytest.mark.parametrize(
    ("preset", "unspaced", "analyzer", "sizes"),
    [
        ("fast", 0.099, "word", None),
        ("fast", 0.1, "word+char", [1, 3]),
        ("good", 0.099, "word+char_wb", [3, 5]),
        ("good", 0.1, "word+char", [1, 3]),
        ("good", 0.5, "char", [1, 3]),
    ],
)
def test_the_analyzer_follows_the_share_of_texts_without_spaces(
    preset: str, unspaced: float, analyzer: str, sizes: list[int] | None
) -> None:
    words = choose(preset, unspaced=unspaced).sections["vectorize"]["words"]
    assert (words["analyzer"], words.get("char_ngram_range")) == (analyzer, sizes)
    assert ("ngram_range" in words) == ("word" in analyzer)


@pytest.mark.parametrize(("count", "cut"), [(49_999, None), (50_000, MOST_TERMS)])
def test_the_vocabulary_of_many_rows_is_cut(count: int, cut: int | None) -> None:
    assert choose(classes=rows(50_000, count)).sections["vectorize"]["words"]["max_features"] == cut


@pytest.mark.parametrize(
    ("longest", "more", "window"), [(200, {}, None), (201, {}, "mean"), (201, {"unspaced": 0.9}, None)]
)
def test_long_texts_are_encoded_in_windows(longest: int, more: dict[str, Any], window: str | None) -> None:
    assert choose(longest=longest, **more).sections["vectorize"]["sentences"].get("window") == window
