"""A trained model in use: texts to labels, probabilities and explanations.

import textclf
model = textclf.load("models/keras")
model.predict(["The food was great.", "Never again."])    # array(['1', '0'], dtype=object)
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts import classifiers, conformal, layers
from textclf.artifacts.average import MEMBERS, Average
from textclf.artifacts.conformal import CONFORMAL, Conformal, Sets
from textclf.artifacts.decisions import (
    DECISION,
    INDEX,
    PROBABILITY,
    Decision,
    read_decision,
    read_index,
)
from textclf.artifacts.statement import read as read_statement
from textclf.artifacts.statement import verify_files
from textclf.artifacts.unknown import MEANS, read_means, scores_of
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import NAMES_LIMIT, list_names, quote_value
from textclf.core.text_row import TextRow
from textclf.predict import released
from textclf.pretrained.catalogue import SHARED
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER

WORD = re.compile(r"\w+")  # what is removed to explain a prediction without terms
MOST_WORDS = 300  # of a text that are removed, so that the explanation of a very long one ends
TINY = np.finfo(np.float64).tiny
VARIANTS = 64  # of a text, without one word each, that are in memory at a time
# Why a text has no label: it is of no class, or no answer costs least.
UNKNOWN = "unknown"
ABSTAIN = "abstain"
Term = tuple[str, float]  # a term and its weight


@dataclass(eq=False, repr=False)
class Predictor:
    """A trained classifier of texts. A text is any str, also an empty one."""

    vectorizer: Any
    model: Any
    decision: Decision  # the calibration and threshold that its run chose
    conformal: Conformal | None = (
        None  # the scores for prediction sets, if the run had evaluate.coverage
    )
    means: NDArray[np.float64] | None = (
        None  # (classes, features), if texts are rejected by their distance from these
    )
    name: str = "unnamed"  # its folder's
    version: str = "unknown"  # its release, such as keras@v0.0.1, or a checksum of its files

    def __repr__(self) -> str:
        """Tell the name, the kind and the classes; many classes are counted."""
        count = count_noun(
            len(self.classes_), *(["label"] if self.decision.multilabel else ["class", "classes"])
        )
        names = f" ({list_names(self.classes_)})" if len(self.classes_) <= NAMES_LIMIT else ""
        return f"<textclf model {self.name}: {_kind(self.model)}, {count}{names}>"

    @property
    def classes_(self) -> tuple[str, ...]:
        """Return the labels in the order of the probabilities; binary: positive class last."""
        classes: tuple[str, ...] = self.model.classes
        return classes

    @property
    def rejects(self) -> bool:
        """Whether a text may belong to no class."""
        return self.decision.rejection is not None

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of the columns that it reads beside the text, mostly none."""
        return representation.columns_read(self.vectorizer)

    def predict(self, texts: Iterable[Any], top: int | None = None) -> Any:
        """Return the label of each text, as scikit-learn does: an array (texts,) of dtype object.

        A label is a str, a list of several labels, or None if no answer costs least or the text is
        of no class. With `top`, at least 1, return for each text its so many most probable classes,
        each with its probability. A model that reads other columns takes, instead of texts, a data
        frame or mappings with these columns and `text`.
        """
        if top is not None:
            return self.most_probable(self.predict_proba(texts), top)
        labels = self.answer(texts)[0]
        return np.fromiter(labels, object, len(labels))

    def answer(
        self, texts: Iterable[Any]
    ) -> tuple[list[Any], list[str | None], NDArray[np.float64]]:
        """Return labels, why one is None (`unknown` or `abstain`), and the probabilities."""
        X = self._vectors(texts)
        probabilities = self._probabilities(X)
        pairs = list(
            zip(self.labels(probabilities), self._rejected(X, probabilities).tolist(), strict=True)
        )
        reasons = [UNKNOWN if out else ABSTAIN if label is None else None for label, out in pairs]
        return [None if out else label for label, out in pairs], reasons, probabilities

    def predict_proba(self, texts: Iterable[Any]) -> NDArray[np.float64]:
        """Return the calibrated probabilities (texts, classes).

        Each row sums to 1 unless texts have several labels.
        """
        return self._probabilities(self._vectors(texts))

    def most_probable(
        self, probabilities: NDArray[np.float64], count: int
    ) -> list[list[tuple[str, float]]]:
        """Return the `count` highest probabilities of each row, each with its class.

        Of equal ones, the first comes first.
        """
        if count < 1:
            raise UserError(f"top must be at least 1; got {count}")
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        rows = zip(probabilities.tolist(), order.tolist(), strict=True)
        return [[(self.classes_[place], row[place]) for place in places] for row, places in rows]

    def labels(self, probabilities: NDArray[np.float64]) -> list[Any]:
        """Return labels for these probabilities, by the threshold or costs; no text is rejected."""
        decided = self.decision.decide(probabilities)
        if self.decision.multilabel:
            return conformal.labels_of(decided, self.classes_)
        labels = *self.classes_, None  # the last for a position of -1
        return [labels[position] for position in decided.tolist()]

    def predict_set(self, texts: Iterable[Any], coverage: float) -> list[list[str]]:
        """Return the labels that each text may have: `coverage` of the sets have the right one.

        This holds for texts like the validation rows of the run. A set with one label is an answer;
        others are none. With several labels per text, the sets have that share of the labels on
        average. Raises `UserError` as `require_coverage`.
        """
        return conformal.labels_of(self.sets(self.predict_proba(texts), coverage), self.classes_)

    def sets(self, probabilities: NDArray[np.float64], coverage: float) -> Sets:
        """Return the classes in the set of each text (texts, classes), for these probabilities."""
        return self.require_coverage(coverage).sets(probabilities, coverage)

    def require_coverage(self, coverage: float, name: str = "coverage") -> Conformal:
        """Return the scores if sets of this coverage follow from them.

        Otherwise raises `UserError`, which calls the coverage `name`.
        """
        if not 0 < coverage < 1:
            raise UserError(f"{name} must be greater than 0 and less than 1; got {coverage}")
        if self.conformal is None:
            raise UserError(
                f"{name} must come with a model that has scores of validation rows; "
                "got one without; set "
                "split.validation_size and evaluate.coverage in params.yaml, and run dvc repro"
            )
        self.conformal.require(coverage, name, self.classes_)
        return self.conformal

    def explain(self, texts: Iterable[Any], count: int | None = None) -> list[Any]:
        """Return the terms that decided for each text, the largest absolute weight first.

        A weight is the drop of the label's log odds when the term is removed from the text: above 0
        it speaks for the label, below 0 against it. A text without a label has those of the class
        that costs least. Terms outside the vocabulary have none. Calibration is not taken into
        account. If the features have no terms, such as sentence vectors, words take their place,
        each removed wherever it occurs; in a text of more than 300 different words, only so many.
        With several labels per text there are such terms for each label decided, by label.
        """
        texts = self.rows(texts)
        if not hasattr(self.vectorizer, "terms_of"):
            return [self._explain_words(text, count) for text in texts]
        X = self._vectors(texts)
        decided = self.decision.answering().decide(self._probabilities(X))
        drops, explanations = self.model.occlusion(X), []
        for text, label, start, end in zip(
            texts, decided, X.indptr[:-1], X.indptr[1:], strict=True
        ):
            names = self.vectorizer.terms_of(text)
            terms = [names[column] for column in X.indices[start:end]]
            explanations.append(self._explanation(terms, drops[start:end], label, count))
        return explanations

    def _explain_words(self, text: str, count: int | None) -> Any:
        """Return the words and values of columns whose removal lowers the label's log odds most."""
        words = self._words(text)
        variants = [text, *(re.sub(rf"\b{re.escape(word)}\b", "", text) for word in words)]
        if isinstance(text, TextRow):
            given = {name: text.columns[name] for name in self.reads if text.columns.get(name)}
            variants = [TextRow(each, text.columns, text.place) for each in variants]
            variants += [TextRow(text, {**text.columns, name: ""}, text.place) for name in given]
            words += [f"{name}={value}" for name, value in given.items()]
        starts = range(0, len(variants), VARIANTS)
        batches = [variants[start : start + VARIANTS] for start in starts]
        probabilities = np.concatenate(
            [self.model.predict_proba(self._vectors(batch)) for batch in batches]
        )
        label = self.decision.answering().decide(self.decision.calibrate(probabilities[:1]))[0]
        logarithms = np.log(np.maximum(probabilities, TINY))
        if self.decision.multilabel:
            odds = logarithms - np.log(np.maximum(1 - probabilities, TINY))
        else:
            odds = layers.log_odds(logarithms)
        return self._explanation(words, odds[0] - odds[1:], label, count)

    def _explanation(
        self, terms: list[str], drops: NDArray[np.float64], decided: Any, count: int | None
    ) -> Any:
        """Return the terms with the largest drops (terms, classes), of the class or each label."""
        if not self.decision.multilabel:
            return _largest(terms, drops[:, decided], count)
        return {
            self.classes_[place]: _largest(terms, drops[:, place], count)
            for place in np.flatnonzero(decided)
        }

    def _words(self, text: str) -> list[str]:
        """Return the different words of a text, at most `MOST_WORDS`.

        Of more, these are those at the end that the model sees.
        """
        found = WORD.findall(text)
        if getattr(getattr(self.vectorizer, "settings", None), "truncating", "post") == "pre":
            return list(dict.fromkeys(reversed(found)))[MOST_WORDS - 1 :: -1]
        return list(dict.fromkeys(found))[:MOST_WORDS]

    def _rejected(self, X: Any, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        rule = self.decision.rejection
        by_other_score = rule is not None and rule.score != PROBABILITY
        scores = scores_of(self.model, self.means, X) if by_other_score else {}
        return self.decision.rejects(probabilities, scores)

    def _vectors(self, texts: Iterable[Any]) -> Any:
        return self.vectorizer.transform(self.rows(texts))

    def rows(self, texts: Iterable[Any]) -> list[str]:
        """Return the texts, of records as `TextRow` if the model reads columns.

        Raises `TypeError` for what is neither.
        """
        return list(_require_texts(texts, self.reads))

    def _probabilities(self, X: Any) -> NDArray[np.float64]:
        probabilities = self.decision.calibrate(self.model.predict_proba(X))
        if np.isnan(probabilities).any():
            raise UserError(
                "the probabilities of a text must be numbers; got NaN; "
                "train and export the model again"
            )
        return probabilities


def _kind(model: classifiers.Classifier) -> str:
    """Return in a few words what a model is; its folder does not say how it was trained."""
    if not isinstance(model, layers.LayerModel):
        return "average of two" if isinstance(model, Average) else "transformer"
    depth = len(model.layers) + (model.front is not None)
    return (
        "constant"
        if model.ignores_text
        else "linear"
        if depth == 1
        else f"network of {depth} layers"
    )


def _largest(terms: list[str], drops: NDArray[np.float64], count: int | None) -> list[Term]:
    order = np.argsort(-np.abs(drops), kind="stable")[:count]
    return [(terms[position], float(drops[position])) for position in order if drops[position] != 0]


def _require_texts(texts: Any, reads: Sequence[str]) -> Iterator[str]:
    """Yield the texts, if a model `reads` columns those of records too.

    Raises `TypeError` for one missing, as None or NaN.
    """
    if reads and hasattr(texts, "columns"):
        texts = texts.to_dict("records")
    if isinstance(texts, str | bytes):
        raise TypeError("texts must be an iterable of texts; got one text; put it in a list")
    if isinstance(texts, Mapping) or hasattr(
        texts, "columns"
    ):  # a data frame would give the names of its columns
        raise TypeError(
            f"texts must be an iterable of texts; got a {type(texts).__name__}; "
            "take one column of it"
        )
    for position, text in enumerate(texts):
        row = (
            _row(text, reads, f"texts[{position}]") if reads and isinstance(text, Mapping) else text
        )
        if not isinstance(row, str):
            got = f"{quote_value(row)} ({type(row).__name__})"
            raise TypeError(f"texts[{position}] must be a str; got {got}; remove it or fill it in")
        yield row


def _row(record: Mapping[str, Any], reads: Sequence[str], place: str) -> Any:
    """Return the text of a record with its columns.

    Raises `UserError` if it lacks one or has a value that is of no use.
    """
    from textclf.tables.values import cell_of  # which no model of texts alone needs

    if missing := [name for name in ("text", *reads) if name not in record]:
        rule = f"must have the keys text and {list_names(reads)}, which the model reads"
        raise UserError(f"{place} {rule}; got none named {quote_value(missing[0])}")
    try:
        cells = {name: cell_of(record, name) for name in reads}
    except ValueError as error:
        raise UserError(f"{place}: {error}") from None
    return (
        TextRow(record["text"], cells, place) if isinstance(record["text"], str) else record["text"]
    )


def load(folder: str | Path = "models") -> Predictor:
    """Return the classifier in a folder that the export stage wrote, such as models/keras.

    Of a folder of models, it is the default one.

    Raises `UserError` if a file is missing or not that of the folder's provenance.json, or was made
    by a newer textclf.
    """
    folder = Path(folder)
    if (folder / INDEX).exists():
        folder = find_model(folder, None)
    verify_files(folder, [layers.DESCRIPTION])
    optional = {CONFORMAL, MEANS} & (
        read_statement(folder).subjects.keys() | {path.name for path in folder.iterdir()}
    )
    verify_files(folder, [*classifiers.files_of(folder, VECTORIZER), DECISION, *optional])
    model = classifiers.read(folder)
    decision = read_decision(folder / DECISION, len(model.classes))
    vectorizer = _read_vectorizers(folder, model)
    scores = (
        next(iter(conformal.read(folder / CONFORMAL).values()), None)
        if (folder / CONFORMAL).exists()
        else None
    )
    name, version = folder.resolve().name, released.version_of(folder)
    return Predictor(vectorizer, model, decision, scores, read_means(folder), name, version)


def _read_vectorizers(folder: Path, model: classifiers.Classifier) -> Any:
    """Return the vectorizer of a model's folder, or the vectorizers of an average's members.

    Raises `UserError` as below.
    """
    shared = folder.parent / SHARED
    if not isinstance(model, Average):
        return _read_vectorizer(folder, shared)
    places = [folder / member for member in MEMBERS]
    first, second = (_read_vectorizer(place, shared) for place in places)
    same = len({(place / VECTORIZER).read_bytes() for place in places}) == 1
    return representation.Apart(first, first if same else second)


def _read_vectorizer(folder: Path, shared: Path) -> Any:
    """Return the vectorizer in a folder; `UserError` also if its pretrained weights are missing."""
    try:
        return representation.read(folder / VECTORIZER, shared)
    except UserError as error:
        if shared.exists() or any(str(folder / VECTORIZER) in line for line in error.lines):
            raise
        raise UserError(
            f"{shared} not found, which has pretrained weights that {folder} reads; "
            "copy it from beside the model's "
            "first folder, or run dvc repro to make it"
        ) from None


def find_model(folder: Path, name: str | None) -> Path:
    """Return the folder of a model by its name, path or tag, for None of the default.

    Raises `UserError` if there is none.
    """
    if name is None:
        return folder / read_index(folder)[0]
    is_tag = re.search("[#@]", name)  # no folder takes its place
    if (folder / name / DECISION).is_file() and "/" not in name and not is_tag:
        return folder / name
    if Path(name, DECISION).is_file() and not is_tag:
        return Path(name)
    if shutil.which("git") and (place := released.find(folder, name)):
        return place
    known = ", ".join(read_index(folder)[1]) if (folder / INDEX).exists() else "none"
    raise UserError(
        f"the model must be one in {folder} ({known}), the folder of one "
        "or what a Git tag names (keras#prod); "
        f"got {name!r}; run dvc repro to make it, or git fetch --tags"
    )
