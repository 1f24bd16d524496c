"""The docstrings of the public interface: their sections, and their examples as doctests."""

import doctest
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import textclf
from tests.unit.predict.models import WEIGHTS, doubting, export, fit_vectorizer
from textclf.artifacts import layers
from textclf.artifacts.decisions import Decision, write_index
from textclf.predict.predictor import Predictor
from textclf.vectorize.terms.vectorizer import Vectorizer

METHODS = [
    method
    for name, method in inspect.getmembers(Predictor, inspect.isfunction)
    if not name.startswith("_")
]
PUBLIC = [textclf.load, *METHODS, Vectorizer.from_json, Vectorizer.transform]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models/keras, which the examples load."""
    folder = tmp_path_factory.mktemp("project")
    weights = np.array([list(WEIGHTS.values())])
    model = layers.linear(("negative", "positive"), weights, np.array([-0.5]), "sigmoid")
    predictor = doubting(Predictor(fit_vectorizer(), model, Decision(0.5)))
    export(predictor, folder / "models" / "keras")
    write_index("keras", ["keras"], folder / "models")
    return folder


@pytest.mark.parametrize("public", [Predictor, *PUBLIC], ids=lambda public: public.__qualname__)
def test_the_examples_of_a_docstring_hold(
    public: object, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    doc = inspect.getdoc(public) or ""
    example = doctest.DocTestParser().get_doctest(doc, {}, str(public), None, None)
    assert example.examples
    assert runner.run(example).failed == 0


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__qualname__)
def test_a_docstring_describes_each_parameter_and_what_is_returned(
    public: Callable[..., object],
) -> None:
    lines = (inspect.getdoc(public) or "").splitlines()
    for name in inspect.signature(public).parameters.keys() - {"self"}:
        assert any(line.startswith(f"{name} : ") for line in lines), name
    assert {"Parameters", "Returns", "Examples"} <= set(lines)
