import hashlib
import json
from pathlib import Path

import numpy as np
import onnx

import textclf
from textclf.artifacts import layers
from textclf.artifacts.conformal import Conformal, Group
from textclf.artifacts.decisions import Decision, Temperature
from textclf.export import folder
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer


def test_the_scores_of_prediction_sets_go_with_the_model(tmp_path: Path) -> None:
    vectorizer = Vectorizer.fit(["bad food", "great place"], Terms())
    model = layers.linear(("no", "yes"), np.array([[-3.0, 0.25, 2.0, 0.5]]), np.zeros(1), "sigmoid")
    (trained := tmp_path / "trained").mkdir()
    layers.write(model, trained)
    scores = Conformal((Group.of(np.linspace(0.1, 0.9, 40)),))
    folder.write(tmp_path / "model", trained, model, vectorizer, Decision(0.5), "the card\n", scores)
    loaded = textclf.load(tmp_path / "model")
    assert loaded.conformal is not None
    assert loaded.conformal.to_json() == scores.to_json()
    assert loaded.predict_set(["bad", "great"], 0.97) == [["no"], ["no", "yes"]]


def test_the_folder_of_a_model_has_all_that_its_use_takes(tmp_path: Path) -> None:
    vectorizer = Vectorizer.fit(["bad food", "great place"], Terms())
    model = layers.linear(("no", "yes"), np.array([[-3.0, 0.25, 2.0, 0.5]]), np.zeros(1), "sigmoid")
    (trained := tmp_path / "trained").mkdir()
    layers.write(model, trained)
    (trained / "model.keras").write_bytes(b"what Keras opens")
    (trained / "history.csv").write_bytes(b"epoch\n")
    folder.write(tmp_path / "model", trained, model, vectorizer, Decision(0.25, Temperature(2.0)), "the card\n")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    files = {"README.md", "decision.json", "model.json", "model.keras", "model.npz", "model.onnx", "vectorizer.json"}
    assert names == {*files, "manifest.json"}
    sums = json.loads((tmp_path / "model" / "manifest.json").read_text())["files"]
    assert sums == {name: hashlib.sha256((tmp_path / "model" / name).read_bytes()).hexdigest() for name in files}
    assert (tmp_path / "model" / "README.md").read_bytes() == b"the card\n"
    assert (tmp_path / "model" / "model.keras").read_bytes() == b"what Keras opens"
    loaded = textclf.load(tmp_path / "model")
    assert loaded.decision == Decision(0.25, Temperature(2.0))
    assert loaded.predict(["great", "bad"]) == ["yes", "no"]
    onnx.checker.check_model(onnx.load(tmp_path / "model" / "model.onnx"))
