import hashlib
from pathlib import Path

import numpy as np
import onnx

import textclf
from tests.unit.predict.models import MADE_OF_NOTHING
from textclf.artifacts import layers, statement
from textclf.artifacts.conformal import Conformal, Group
from textclf.artifacts.decisions import Decision, Temperature
from textclf.artifacts.statement import PROVENANCE
from textclf.export import folder
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer


def test_the_folder_of_a_model_has_all_that_its_use_takes(tmp_path: Path) -> None:
    vectorizer = Vectorizer.fit(["bad food", "great place"], Terms())
    model = layers.linear(("no", "yes"), np.array([[-3.0, 0.25, 2.0, 0.5]]), np.zeros(1), "sigmoid")
    (trained := tmp_path / "trained").mkdir()
    layers.write(model, trained)
    (trained / "model.keras").write_bytes(b"what Keras opens")
    (trained / "history.csv").write_bytes(b"epoch\n")
    decision, scores = (
        Decision(0.25, Temperature(2.0)),
        Conformal((Group.of(np.linspace(0.1, 0.9, 40)),)),
    )
    names = {
        "README.md",
        "decision.json",
        "model.json",
        "model.keras",
        "model.npz",
        "model.onnx",
        "vectorizer.json",
    }
    for place, given, files in (
        (tmp_path / "plain", None, names),
        (tmp_path / "scored", scores, {*names, "conformal.json"}),
    ):
        folder.write(
            place,
            folder.measured(trained, vectorizer),
            decision,
            "the card\n",
            MADE_OF_NOTHING,
            given,
        )
        assert {path.name for path in place.iterdir()} == {*files, PROVENANCE}
        assert statement.read(place).subjects == {
            name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in files
        }
        assert (place / "README.md").read_bytes() == b"the card\n"
        assert (place / "model.keras").read_bytes() == b"what Keras opens"
        onnx.checker.check_model(onnx.load(place / "model.onnx"))
        loaded = textclf.load(place)
        assert loaded.decision == decision
        assert loaded.predict(["great", "bad"]).tolist() == ["yes", "no"]
    assert loaded.conformal is not None
    assert loaded.conformal.to_json() == scores.to_json()
