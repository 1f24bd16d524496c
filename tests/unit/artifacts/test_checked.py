"""What check writes for other stages."""

import json
from pathlib import Path

from tests.settings import put
from textclf.artifacts import checked
from textclf.params import parse


def test_models_keep_their_order_and_the_default_what_it_was(tmp_path: Path) -> None:
    checked.write_models(tmp_path / "models.json", ["z", "a"], ["a"])
    assert checked.read_models(tmp_path / "models.json") == (["z", "a"], ["a"])
    for named in (True, False):
        checked.write_default(tmp_path / "default.json", settled=named)
        assert checked.read_default(tmp_path / "default.json") is named


def test_settings_of_every_type_read_back_as_they_were(tmp_path: Path) -> None:
    changes = {
        "train.keras.class_weight": "{b: 1, a: 2.5}",
        "train.logistic_regression.C": "[0.1, 1]",
        "data.files": "{train: a.csv, test: b.csv}",
        "data.slices": "[z, a]",
        "about.class_names": "{b: B, a: A}",
        "search.space": "{max_iter: [100, 200], C: {low: 1, high: 10}}",
        "combine.both": "{first: words, second: letters}",
        "vectorize.letters": "{analyzer: char}",
    }
    params = parse(put(*(part for change in changes.items() for part in change)))
    checked.write_settings(tmp_path / "settings.json", params.model_dump(warnings=False))
    read = parse(json.dumps(checked.read_settings(tmp_path / "settings.json")))
    assert read == params
    assert list(read.search.space or {}) == ["max_iter", "C"]
    assert read.train.names() == ["majority", "logistic_regression", "keras"]


def test_weights_of_all_stages_are_named_once(tmp_path: Path) -> None:
    weights = {
        "vectorize@words": {},
        "vectorize@b": {"b": {"x": "1"}},
        "train@c": {"b": {"x": "1"}, "a": {"y": "2"}},
    }
    teacher = {"file": "data/external/d.csv", "sha256": "3"}
    checked.write_weights(tmp_path, weights | {"train@d": {}}, {"train@d": teacher})
    assert checked.read_weights(tmp_path) == ["a", "b"]
    assert (checked.read_teacher(tmp_path, "c"), checked.read_teacher(tmp_path, "d")) == (
        None,
        teacher,
    )


def test_only_features_of_dropped_representations_are_left_over(tmp_path: Path) -> None:
    for name in ("words", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shapes.json").touch()
    (tmp_path / "mine").mkdir()
    assert checked.feature_leftovers(tmp_path, ["words"]) == [tmp_path / "old"]
    assert checked.feature_leftovers(tmp_path / "none", []) == []
