"""A trained model that is used: texts to labels, probabilities, and the terms that decided.

import textclf
model = textclf.load("models/keras")
model.predict(["The food was great.", "Never again."])    # ['1', '0']
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Portable
from textclf.core.errors import UserError
from textclf.core.files import read_json, reading, write_json
from textclf.evaluate import statistics
from textclf.evaluate.statistics import Platt, Temperature
from textclf.vectorize.features import VECTORIZER, Vectorizer, read_vectorizer

DECISION = "decision.json"  # beside a model: how its probabilities become labels
INDEX = "index.json"  # beside the models: which of them is taken where none is named

Term = tuple[str, float]


class Predictor:
    """A trained classifier of texts, with the vocabulary and the decisions of the run that trained it.

    `classes_` are the labels in the order of the probabilities, of two the positive one last. A text is any str, the
    empty one too.
    """

    def __init__(
        self,
        vectorizer: Vectorizer,
        model: Portable,
        threshold: float | None = None,
        scaling: Temperature | Platt | None = None,
    ) -> None:
        """Keep all four; `load` reads them from a folder. Without a threshold the most probable class is taken."""
        self.vectorizer = vectorizer
        self.model = model
        self.threshold = threshold
        self.scaling = scaling

    @property
    def classes_(self) -> tuple[str, ...]:
        """The labels in order."""
        return self.model.classes

    def predict(self, texts: Iterable[str]) -> list[str]:
        """The label of each text."""
        return self.labels(self.predict_proba(texts))

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """Probabilities (texts, classes); each row sums to 1."""
        return self._scaled(self.model.predict_proba(self._vectors(texts)))

    def explain(self, texts: Iterable[str], count: int | None = None) -> list[list[Term]]:
        """For each text the terms that decided, at most `count`, the strongest first: term and weight.

        The weight is by how much the log odds of the text's label fall when the term is taken out of the text: above
        0 it speaks for the label, below 0 against it. Terms that the training rows do not hold have no part in it.
        Calibration is left out of account.
        """
        texts = texts if isinstance(texts, str | bytes) else list(texts)
        X = self._vectors(texts)
        places = statistics.decide(self._scaled(self.model.predict_proba(X)), self.threshold)
        rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        weights = self.model.occlusion(X)[np.arange(X.nnz), places[rows]]
        found = []
        for text, start, end in zip(texts, X.indptr[:-1], X.indptr[1:], strict=True):
            terms = self.vectorizer.named(text)
            mine = weights[start:end]
            order = np.argsort(-np.abs(mine), kind="stable")[:count]
            named = ((terms[X.indices[start + place]], float(mine[place])) for place in order)
            found.append([(term, weight) for term, weight in named if weight != 0])
        return found

    def labels(self, probabilities: NDArray[np.float64]) -> list[str]:
        """The labels of rows of `predict_proba`, by the threshold of the run."""
        names = self.classes_
        return [names[place] for place in statistics.decide(probabilities, self.threshold).tolist()]

    def _vectors(self, texts: Iterable[str]) -> csr_array:
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of texts; got one text; put it in a list")
        return self.vectorizer.transform(texts)

    def _scaled(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return probabilities if self.scaling is None or not len(probabilities) else self.scaling.apply(probabilities)


def load(folder: str | Path) -> Predictor:
    """The classifier that the export stage put into a folder such as models/keras.

    `UserError` if something is missing or damaged. It imports no library that trains, and takes a fraction of a second.
    """
    folder = Path(folder)
    content = read_json(folder / DECISION)
    model = portable.read(folder)
    vectorizer = read_vectorizer(folder / VECTORIZER)
    with reading(folder / DECISION):
        scaling = _scaling(content["scaling"])
        threshold = None if content["threshold"] is None else float(content["threshold"])
        if (threshold is not None) != (len(model.classes) == 2):
            raise ValueError
    kernel = model.layers[0].kernel
    with reading(folder / VECTORIZER):
        if [part.analyzer for part in vectorizer.parts] != vectorizer.settings.analyzer.split("+"):
            raise ValueError
        for part in vectorizer.parts:
            learned = [values for values in (part.vocabulary, part.idf) if values is not None]
            if any(len(values) != part.columns for values in learned):
                raise ValueError
        if len(kernel) not in {0, sum(part.columns for part in vectorizer.parts)}:
            raise ValueError
    return Predictor(vectorizer, model, threshold, scaling)


def write_decision(decision: dict[str, Any], path: Path) -> None:
    """Write how a model's probabilities become labels, as metrics/decisions.json has it of the model."""
    scaling = {key: decision[key] for key in ("temperature", "slope", "intercept") if key in decision}
    write_json(path, {"scaling": scaling, "threshold": decision.get("threshold")})


def _scaling(content: dict[str, float]) -> Temperature | Platt | None:
    if not content:
        return None
    numbers = {name: float(value) for name, value in content.items()}
    return Temperature(**numbers) if "temperature" in numbers else Platt(**numbers)


def default_model(folder: Path) -> str:
    """The name of the model that is taken where none is named; `UserError` if there is none."""
    content = read_json(folder / INDEX)
    with reading(folder / INDEX):
        name = content["default"]
        if not isinstance(name, str) or name not in content["models"]:
            raise ValueError
    return name


def model_folder(folder: Path, name: str | None) -> Path:
    """The folder of a model, by its name or its path, or of the default; `UserError` if there is none."""
    if name is None:
        return folder / default_model(folder)
    if (folder / name / DECISION).is_file() and "/" not in name:
        return folder / name
    if Path(name, DECISION).is_file():
        return Path(name)
    known = "none"
    if (folder / INDEX).exists():
        content = read_json(folder / INDEX)
        with reading(folder / INDEX):
            known = ", ".join(content["models"])
    raise UserError(
        f"--model must be one in {folder} ({known}) or the folder of one; got {name!r}; run dvc repro to make it"
    )
