"""What check writes for other stages."""

from pathlib import Path
from typing import Any

import pytest

from textclf.artifacts import checked
from textclf.core.errors import UserError


def test_models_and_settings_keep_their_order(tmp_path: Path) -> None:
    checked.write_models(tmp_path / "models.json", ["z", "a"])
    assert checked.read_models(tmp_path / "models.json") == ["z", "a"]
    settings: dict[str, Any] = {"train": {"z": {"C": 1.0}, "a": {}}, "split": {"seed": 1}}
    checked.write_settings(tmp_path / "settings.json", settings)
    read = checked.read_settings(tmp_path / "settings.json")
    assert read == settings
    assert list(read["train"]) == ["z", "a"]


def test_weights_of_all_stages_are_named_once(tmp_path: Path) -> None:
    weights = {"vectorize@words": {}, "vectorize@b": {"b": {"x": "1"}}, "train@c": {"b": {"x": "1"}, "a": {"y": "2"}}}
    checked.write_weights(tmp_path, weights)
    assert (tmp_path / "train" / "c.json").exists()
    assert checked.read_weights(tmp_path) == ["a", "b"]


def test_a_damaged_file_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    checked.write_models(path, ["first"])
    path.write_text(path.read_text().replace("first", "other"))
    with pytest.raises(UserError, match=r"models\.json is damaged; remove it"):
        checked.read_models(path)


def test_only_features_of_dropped_representations_are_left_over(tmp_path: Path) -> None:
    for name in ("words", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shapes.json").touch()
    (tmp_path / "mine").mkdir()
    assert checked.feature_leftovers(tmp_path, ["words"]) == [tmp_path / "old"]
    assert checked.feature_leftovers(tmp_path / "none", []) == []
