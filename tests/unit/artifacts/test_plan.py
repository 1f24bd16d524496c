"""The plan of a run: what check finds out for the other stages."""

from pathlib import Path
from typing import Any

import pytest

from tests import tiny_bert
from textclf.artifacts import plan
from textclf.artifacts.plan import ModelPlan
from textclf.core.errors import UserError
from textclf.params import Params, parse
from textclf.plan import (
    code_checksum,
    missing_packages,
    plan_models,
    plan_pretrained,
    plan_representations,
    plan_settings,
    wrong_weights,
)

SEVERAL = """
vectorize: {words: {}, letters: {analyzer: char}, sentences: {method: encoder}, glove: {method: token_ids%s}}
train:
  models: [majority, mine%s]
  mine: {model: logistic_regression, features: [words, sentences]}
  embedding: {features: glove, vectors: null}
"""


def test_the_plan_names_what_is_in_use() -> None:
    params = parse(SEVERAL % ("", ""))
    models = plan_models(params)
    assert {name: (each.kind, each.features) for name, each in models.items()} == {
        "majority": ("majority", ("words",)),
        "mine": ("logistic_regression", ("words", "sentences")),
    }
    assert plan_representations(params) == {"words": True, "letters": False, "sentences": True, "glove": False}
    assert plan_pretrained(params) == ["all-minilm-l6-v2"]


def test_vectors_are_fetched_if_a_model_in_use_reads_their_representation() -> None:
    params = parse(SEVERAL % (", vectors: glove-6b-50d", ", embedding"))
    assert plan_pretrained(params) == ["all-minilm-l6-v2", "glove-6b-50d"]


def test_the_lesson_needs_no_pretrained_weights_and_no_further_package() -> None:
    params = parse("{}")
    assert plan_pretrained(params) == []
    assert list(missing_packages(params)) == []


def test_a_package_that_is_missing_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textclf.plan.find_spec", lambda name: None if name == "tokenizers" else name)
    assert list(missing_packages(parse(SEVERAL % ("", "")))) == [
        "vectorize.sentences needs tokenizers, which the lesson's run does not install; run make .venv/pretrained"
    ]


def test_weights_of_your_own_without_their_checksum_are_told_of_before_anything_runs(tmp_path: Path) -> None:
    folder = tiny_bert.write_folder(tmp_path / "mine")
    sentences = f"sentences: {{method: encoder, pretrained: null, path: {folder}%s}}"
    text = SEVERAL.replace("sentences: {method: encoder}", sentences)
    files, right = "config.json, model.safetensors, tokenizer.json", tiny_bert.checksum(folder)
    (line,) = wrong_weights(parse(text % ("", "", "")))
    assert line == (
        f"vectorize.sentences: {folder}: sha256 must be the checksum of its files together ({files}); got null; "
        f"set it to {right} in params.yaml, or put the right files there"
    )
    assert list(wrong_weights(parse(text % (f", sha256: {right}", "", "")))) == []


def test_the_checksum_changes_with_the_code_and_the_names_of_its_files(tmp_path: Path) -> None:
    checksums = set()
    for name, code in (("a.py", "x"), ("a.py", "y"), ("b.py", "y")):
        (folder := tmp_path / f"{name}{code}").mkdir()
        (folder / name).write_text(code)
        (folder / "notes.txt").write_text("no code")
        checksums.add(code_checksum(folder))
    assert len(checksums) == 3


def test_a_plan_reads_back_and_tells_what_is_left_over(tmp_path: Path) -> None:
    models = {"mine": ModelPlan("keras", ("words", "letters"), "0" * 64)}
    plan.write(tmp_path / "plan", models, {"words": True, "letters": False}, ["glove-6b-50d"], {"split": {"seed": 1}})
    assert plan.read_models(tmp_path / "plan") == models
    assert [plan.is_used(tmp_path / "plan", name) for name in ("words", "letters")] == [True, False]
    assert plan.read_pretrained(tmp_path / "plan") == ["glove-6b-50d"]
    for name in ("words", "old", ".words.1.scratch"):
        (tmp_path / "features" / name).mkdir(parents=True)
    (tmp_path / "features" / "train.npz").touch()
    left = plan.leftovers(tmp_path / "plan", tmp_path / "features")
    assert [path.name for path in left] == ["old", "train.npz"]


def test_settings_that_the_run_does_not_use_are_not_in_its_plan() -> None:
    content: dict[str, Any] = {"train": {"models": ["majority"]}}
    planned = plan_settings(Params.model_validate(content))
    assert planned["train"] == {"models": ["majority"], "majority": Params().train.majority.model_dump()}
    assert planned["split"] == Params().split.model_dump()
    for unused in (
        {"gate": {"minimum": {"cnn": {"test": {"f1": 0.5}}}}},
        {"train": content["train"] | {"cnn": {"epochs": 3}}},
    ):
        assert plan_settings(Params.model_validate(content | unused)) == planned
    assert plan_settings(Params.model_validate(content | {"report": {"mistakes": 3}})) != planned


def test_the_settings_of_behavioural_tests_are_in_use_only_if_there_are_tests() -> None:
    assert "behave" not in plan_settings(Params.model_validate({"behave": {"seed": 1}}))
    behave = {"tests": {"mine": "mine.yaml"}, "seed": 0}
    assert plan_settings(Params.model_validate({"behave": behave}))["behave"] == behave


def test_a_damaged_plan_is_told_in_a_line(tmp_path: Path) -> None:
    plan.write(tmp_path / "plan", {}, {"words": True}, [], {})
    path = plan.representation_path(tmp_path / "plan", "words")
    path.write_text(path.read_text().replace("true", "false"))
    with pytest.raises(UserError, match=r"words\.json is damaged; remove it"):
        plan.is_used(tmp_path / "plan", "words")


def test_features_are_no_leftovers_of_a_plan_that_is_lost(tmp_path: Path) -> None:
    (tmp_path / "features" / "words").mkdir(parents=True)
    for read in (plan.read_models, lambda folder: plan.leftovers(folder, tmp_path / "features")):
        with pytest.raises(UserError, match="must have a plan; run dvc repro to make it"):
            read(tmp_path / "plan")
