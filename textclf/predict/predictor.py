"""A trained model in use: texts to labels, probabilities and explanations."""

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
from textclf.artifacts.conformal import CONFORMAL, Conformal, Sets, without_gaps
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
from textclf.predict.estimator import FittedClassifier, OfLinearModels
from textclf.pretrained.catalogue import SHARED
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER

# What is removed from a text to explain a prediction without terms.
WORD = re.compile(r"\w+")
# More words of a text are not removed, so that the explanation of a very long one ends.
MOST_WORDS = 300
# Variants of a text, without one word each, that are in memory at a time.
VARIANTS = 64
TINY = np.finfo(np.float64).tiny
# Why a text has no label: it is of no class, or no answer costs least.
UNKNOWN = "unknown"
ABSTAIN = "abstain"
# The kind of a model of one layer, whose logits are a decision function.
LINEAR = "linear"
# A term and its weight.
Term = tuple[str, float]


@dataclass(eq=False, repr=False)
class Predictor(FittedClassifier):
    """A trained classifier of texts, as `textclf.load` returns it.

    It is a fitted classifier of scikit-learn's kind. A text is any str, also an empty one. Texts
    may also be a data frame: its column `text`, or its only column. A model that reads other
    columns takes, instead of texts, a data frame or mappings with the key `text` and a key for each
    name in `reads`.

    Parameters
    ----------
    vectorizer : Vectorizer or another representation
        The fitted vectorizer.
    model : LayerModel, Average or transformer
        The fitted model, which maps the vectors to probabilities.
    decision : Decision
        The calibration, and the threshold or costs, that its run chose.
    conformal : Conformal or None, default=None
        The scores for prediction sets; None if the run had no `evaluate.coverage`.
    means : ndarray of shape (classes, features) or None, default=None
        The means of the classes, if texts are rejected by their distance from these.
    name : str, default="unnamed"
        The name of its folder.
    version : str, default="unknown"
        Its release, such as `keras@v0.0.1`, or a checksum of its files.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,) and dtype object
        The labels in the order of the probabilities. Of two classes, the positive one is last.
    reads : tuple of str
        The names of the columns that it reads besides the text, mostly none.
    rejects : bool
        Whether a text may belong to no class.

    Examples
    --------
    >>> import textclf
    >>> model = textclf.load("models/keras")
    >>> model
    <textclf model keras: linear, 2 classes (negative, positive)>
    >>> model.classes_
    array(['negative', 'positive'], dtype=object)
    >>> model.predict(["The food was great.", "Bad food!"])
    array(['positive', 'negative'], dtype=object)
    """

    vectorizer: Any
    model: Any
    decision: Decision
    conformal: Conformal | None = None
    means: NDArray[np.float64] | None = None
    name: str = "unnamed"
    version: str = "unknown"

    def __repr__(self) -> str:
        """Tell the name, the kind and the classes; many classes are counted."""
        nouns = ["label"] if self.decision.multilabel else ["class", "classes"]
        classes = self.model.classes
        count = count_noun(len(classes), *nouns)
        names = f" ({list_names(classes)})" if len(classes) <= NAMES_LIMIT else ""
        return f"<textclf model {self.name}: {_kind(self.model)}, {count}{names}>"

    @property
    def classes_(self) -> NDArray[np.object_]:
        """The labels in the order of the probabilities; binary: positive class last."""
        return np.array(self.model.classes, dtype=object)

    @property
    def rejects(self) -> bool:
        """Whether a text may belong to no class."""
        return self.decision.rejection is not None

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the columns that it reads besides the text, mostly none."""
        return representation.columns_read(self.vectorizer)

    def predict(self, texts: Iterable[Any], top: int | None = None) -> Any:
        """Return the label of each text, or its most probable classes.

        Parameters
        ----------
        texts : iterable of str
            The texts; records with `text` and other columns if the model reads these.
        top : int or None, default=None
            How many of the most probable classes to return for each text, at least 1; None for
            the label alone.

        Returns
        -------
        ndarray of shape (texts,) and dtype object, or list of list of (str, float)
            The labels. A label is a str, a list if texts have several labels, or None if no
            answer costs least or the text is of no class. With `top`, a list for each text of
            classes and their probabilities, the most probable first.

        Raises
        ------
        TypeError
            If `texts` is one text, or a mapping of a model that reads no columns, or a table
            without a column `text` and with several others, or has a value that is no text.
        UserError
            If `top` is less than 1, or a record lacks a column that the model reads.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("models/keras")
        >>> model.predict(["The food was great.", "Bad food!"])
        array(['positive', 'negative'], dtype=object)
        >>> model.predict(["The food was great."], top=1)
        [[('positive', 0.8519528019683106)]]
        """
        if top is not None:
            return self.most_probable(self.predict_proba(texts), top)
        labels = self.answer(texts)[0]
        return np.fromiter(labels, object, len(labels))

    def answer(
        self, texts: Iterable[Any]
    ) -> tuple[list[Any], list[str | None], NDArray[np.float64]]:
        """Return the label of each text, the reason for a missing one, and the probabilities.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.

        Returns
        -------
        labels : list of length texts
            The labels of `predict`.
        reasons : list of str or None, of length texts
            Why a label is None: `unknown` for a text of no class, `abstain` if no answer costs
            least. None for a text with a label.
        probabilities : ndarray of shape (texts, classes)
            The probabilities of `predict_proba`.

        Raises
        ------
        TypeError, UserError
            As `predict`.

        Examples
        --------
        >>> import textclf
        >>> labels, reasons, probabilities = textclf.load("models/keras").answer(["Bad food!"])
        >>> labels, reasons
        (['negative'], [None])
        >>> probabilities.round(3)
        array([[0.963, 0.037]])
        """
        X = self._vectors(texts)
        probabilities = self._probabilities(X)
        labels = self.labels(probabilities)
        reasons = [ABSTAIN if label is None else None for label in labels]
        for row in np.flatnonzero(self._rejected(X, probabilities)):
            labels[row], reasons[row] = None, UNKNOWN
        return labels, reasons, probabilities

    def predict_proba(self, texts: Iterable[Any]) -> NDArray[np.float64]:
        """Return the calibrated probabilities of the classes.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.

        Returns
        -------
        ndarray of shape (texts, classes)
            The probabilities in the order of `classes_`. Each row sums to 1 unless texts have
            several labels.

        Raises
        ------
        TypeError, UserError
            As `predict`.

        Examples
        --------
        >>> import textclf
        >>> textclf.load("models/keras").predict_proba(["The food was great."]).round(3)
        array([[0.148, 0.852]])
        """
        return self._probabilities(self._vectors(texts))

    @property
    def linear(self) -> bool:
        """Whether the model is a weighted sum of features, calibration aside."""
        return _kind(self.model) == LINEAR

    @OfLinearModels
    def decision_function(self, texts: Iterable[Any]) -> NDArray[np.float64]:
        """Return the logits before calibration; only linear models have this method.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.

        Returns
        -------
        ndarray of shape (texts,) or (texts, classes)
            Of two classes, the log odds of the last one; else a logit for each class or label.

        Raises
        ------
        TypeError, UserError
            As `predict`.

        Examples
        --------
        >>> import textclf
        >>> textclf.load("keras").decision_function(["The food was great."])
        array([1.75])
        """
        logits: NDArray[np.float64] = self.model.logits(self._vectors(texts))
        if self.decision.multilabel or len(self.model.classes) > 2:
            return logits
        pairs = layers.LOGARITHMS[self.model.layers[-1].activation](logits)
        return np.asarray(pairs[:, 1] - pairs[:, 0])

    def most_probable(
        self, probabilities: NDArray[np.float64], count: int
    ) -> list[list[tuple[str, float]]]:
        """Return the highest probabilities of each row, each with its class.

        Parameters
        ----------
        probabilities : ndarray of shape (texts, classes)
            The probabilities of `predict_proba`.
        count : int
            How many classes to return for each text, at least 1.

        Returns
        -------
        list of list of (str, float)
            For each text its classes with their probabilities, the most probable first. Of
            equally probable ones, the first of `classes_` comes first.

        Raises
        ------
        UserError
            If `count` is less than 1.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("models/keras")
        >>> model.most_probable(model.predict_proba([""]), 2)
        [[('negative', 0.6224593312018546), ('positive', 0.37754066879814546)]]
        """
        if count < 1:
            raise UserError(f"top must be at least 1; got {count}")
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        rows = zip(probabilities.tolist(), order.tolist(), strict=True)
        return [
            [(self.model.classes[position], row[position]) for position in positions]
            for row, positions in rows
        ]

    def labels(self, probabilities: NDArray[np.float64]) -> list[Any]:
        """Return the labels for probabilities, by the threshold or costs; no text is rejected.

        Parameters
        ----------
        probabilities : ndarray of shape (texts, classes)
            The probabilities of `predict_proba`.

        Returns
        -------
        list of length texts
            The labels: each a str, a list if texts have several labels, or None if no answer
            costs least.

        Examples
        --------
        >>> import numpy as np
        >>> import textclf
        >>> textclf.load("models/keras").labels(np.array([[0.2, 0.8], [0.9, 0.1]]))
        ['positive', 'negative']
        """
        decided = self.decision.decide(probabilities)
        if self.decision.multilabel:
            return conformal.labels_of(decided, self.model.classes)
        labels = *self.model.classes, None  # the last for a position of -1
        return [labels[position] for position in decided.tolist()]

    def predict_set(self, texts: Iterable[Any], coverage: float) -> list[list[str]]:
        """Return the labels that each text may have.

        The share `coverage` of the sets has the right label, of texts like the validation rows of
        the run. A set with one label is an answer; others are none. With several labels per text,
        the sets have that share of the labels on average.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.
        coverage : float
            The share of texts whose set has the right label, between 0 and 1.

        Returns
        -------
        list of list of str
            The labels of each set, in the order of `classes_`.

        Raises
        ------
        TypeError
            As `predict`.
        UserError
            As `predict` and `require_coverage`.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("models/keras")
        >>> model.predict_set(["The food was great.", "A place."], coverage=0.8)
        [['positive'], ['negative', 'positive']]
        """
        return conformal.labels_of(
            self.sets(self.predict_proba(texts), coverage), self.model.classes
        )

    def sets(self, probabilities: NDArray[np.float64], coverage: float) -> Sets:
        """Return which classes are in the prediction set of each text.

        Parameters
        ----------
        probabilities : ndarray of shape (texts, classes)
            The probabilities of `predict_proba`.
        coverage : float
            The share of texts whose set has the right label, between 0 and 1.

        Returns
        -------
        ndarray of shape (texts, classes) and dtype bool
            Whether each class is in the set of the text.

        Raises
        ------
        UserError
            As `require_coverage`.

        Examples
        --------
        >>> import numpy as np
        >>> import textclf
        >>> textclf.load("models/keras").sets(np.array([[0.5, 0.5], [0.9, 0.1]]), coverage=0.8)
        array([[ True,  True],
               [ True, False]])
        """
        sets = self.require_coverage(coverage).sets(probabilities, coverage)
        return sets if self.decision.scale is None else without_gaps(sets)

    def require_coverage(self, coverage: float, name: str = "coverage") -> Conformal:
        """Return the scores of validation rows if prediction sets of a coverage follow from them.

        Parameters
        ----------
        coverage : float
            The share of texts whose set has the right label.
        name : str, default="coverage"
            What the error calls the coverage, such as an option of a command.

        Returns
        -------
        Conformal
            The scores, whose method `sets` is that of this class.

        Raises
        ------
        UserError
            If `coverage` is not between 0 and 1, the model has no scores, or too few of them.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("models/keras")
        >>> scores = model.require_coverage(0.8)
        >>> model.require_coverage(1)
        Traceback (most recent call last):
        textclf.core.errors.UserError: coverage must be greater than 0 and less than 1; got 1
        """
        if not 0 < coverage < 1:
            raise UserError(f"{name} must be greater than 0 and less than 1; got {coverage}")
        if self.conformal is None:
            raise UserError(
                f"{name} must come with a model that has scores of validation rows; "
                "got one without; set "
                "split.validation_size and evaluate.coverage in params.yaml, and run dvc repro"
            )
        self.conformal.require(coverage, name, self.model.classes)
        return self.conformal

    def explain(self, texts: Iterable[Any], count: int | None = None) -> list[Any]:
        """Return the terms that decided for each text, with their weights.

        A weight is the drop of the label's log odds when the term is removed from the text: above 0
        it speaks for the label, below 0 against it. A text without a label has those of the class
        that costs least. Terms outside the vocabulary have none. Calibration is not taken into
        account. If the features have no terms, such as sentence vectors, words take their place,
        each removed wherever it occurs; in a text of more than 300 different words, only so many.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.
        count : int or None, default=None
            How many terms to return for each text at most; None for all.

        Returns
        -------
        list of list of (str, float), or list of dict
            For each text its terms with their weights, the largest absolute weight first. If
            texts have several labels, a dict from each label decided to such a list.

        Raises
        ------
        TypeError, UserError
            As `predict`.

        Examples
        --------
        >>> import textclf
        >>> textclf.load("models/keras").explain(["The food was great."])
        [[('great', 2.0), ('food', 0.25)]]
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
            variants = [TextRow(variant, text.columns, text.place) for variant in variants]
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
            self.model.classes[position]: _largest(terms, drops[:, position], count)
            for position in np.flatnonzero(decided)
        }

    def _words(self, text: str) -> list[str]:
        """Return the different words of a text, at most `MOST_WORDS`.

        Of more, these are those at the end that the model sees.
        """
        words = WORD.findall(text)
        settings = getattr(self.vectorizer, "settings", None)
        if getattr(settings, "truncating", "post") == "pre":
            return list(dict.fromkeys(reversed(words)))[MOST_WORDS - 1 :: -1]
        return list(dict.fromkeys(words))[:MOST_WORDS]

    def _rejected(self, X: Any, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        rule = self.decision.rejection
        by_other_score = rule is not None and rule.score != PROBABILITY
        scores = scores_of(self.model, self.means, X) if by_other_score else {}
        return self.decision.rejects(probabilities, scores)

    def _vectors(self, texts: Iterable[Any]) -> Any:
        return self.vectorizer.transform(self.rows(texts))

    def rows(self, texts: Iterable[Any]) -> list[str]:
        """Return the texts as the vectorizer takes them.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.

        Returns
        -------
        list of str
            The texts; `TextRow`, a str with the values of its columns, for a record of a model
            that reads columns.

        Raises
        ------
        TypeError, UserError
            As `predict`.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("models/keras")
        >>> model.rows(("The food was great.", ""))
        ['The food was great.', '']
        >>> model.rows("Bad food!")
        Traceback (most recent call last):
        TypeError: texts must be an iterable of texts; got one text; put it in a list
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
    if isinstance(model, Average):
        return "average of two"
    if not isinstance(model, layers.LayerModel):
        return "transformer"
    if model.ignores_text:
        return "constant"
    depth = len(model.layers) + (model.front is not None)
    return LINEAR if depth == 1 else f"network of {depth} layers"


def _largest(terms: list[str], drops: NDArray[np.float64], count: int | None) -> list[Term]:
    order = np.argsort(-np.abs(drops), kind="stable")[:count]
    return [(terms[position], float(drops[position])) for position in order if drops[position] != 0]


def _require_texts(texts: Any, reads: Sequence[str]) -> Iterator[str]:
    """Yield the texts, if a model `reads` columns those of records too.

    Raises `TypeError` for one missing, as None or NaN.
    """
    if isinstance(texts, str | bytes):
        raise TypeError("texts must be an iterable of texts; got one text; put it in a list")
    if hasattr(texts, "columns"):
        texts = texts.to_dict("records") if reads else texts[_column_of_texts(texts)]
    elif isinstance(texts, np.ndarray) and texts.ndim == 2 and texts.shape[1] == 1:
        # scikit-learn makes such an array of a column.
        texts = texts[:, 0]
    elif isinstance(texts, Mapping):
        raise TypeError(
            f"texts must be an iterable of texts; got a {type(texts).__name__}; "
            "take one column of it"
        )
    for position, record in enumerate(texts):
        name = f"texts[{position}]"
        text = _row(record, reads, name) if reads and isinstance(record, Mapping) else record
        if not isinstance(text, str):
            raise TypeError(
                f"{name} must be a str; got {quote_value(text)} ({type(text).__name__}); "
                "remove it or fill it in"
            )
        yield text


def _column_of_texts(frame: Any) -> Any:
    """Return the name of the column of texts: `text`, or the only one."""
    names = list(frame.columns)
    if names.count("text") == 1:
        return "text"
    if len(names) != 1:
        raise TypeError(
            "texts must be an iterable of texts, or a data frame with one column text; "
            f"got a data frame of {count_noun(len(names), 'column')}; take one column of it"
        )
    return names[0]


def _row(record: Mapping[str, Any], reads: Sequence[str], name: str) -> Any:
    """Return the text of a record with its columns; a text that is no str as it is.

    Raises `UserError`, which calls the record `name`, if it lacks a column or has a value that is
    of no use.
    """
    # No model of texts alone needs it.
    from textclf.tables.values import cell_of

    for column in ("text", *reads):
        if column not in record:
            rule = f"must have the keys text and {list_names(reads)}, which the model reads"
            raise UserError(f"{name} {rule}; got none named {quote_value(column)}")
    try:
        cells = {column: cell_of(record, column) for column in reads}
    except ValueError as error:
        raise UserError(f"{name}: {error}") from None
    text = record["text"]
    return TextRow(text, cells, name) if isinstance(text, str) else text


def load(folder: str | Path = "models") -> Predictor:
    """Return the classifier in a folder, as `textclf.load`, which documents it."""
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
    scores = conformal.read(folder / CONFORMAL) if (folder / CONFORMAL).exists() else {}
    return Predictor(
        vectorizer,
        model,
        decision,
        next(iter(scores.values()), None),
        read_means(folder),
        folder.resolve().name,
        released.version_of(folder),
    )


def _read_vectorizers(folder: Path, model: classifiers.Classifier) -> Any:
    """Return the vectorizer of a model's folder, or the vectorizers of an average's members.

    Raises `UserError` as below.
    """
    shared = folder.parent / SHARED
    if not isinstance(model, Average):
        return _read_vectorizer(folder, shared)
    members = [folder / member for member in MEMBERS]
    first, second = (_read_vectorizer(member, shared) for member in members)
    same = len({(member / VECTORIZER).read_bytes() for member in members}) == 1
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
            "copy it from beside the model's first folder, or run dvc repro to make it"
        ) from None


def find_model(folder: Path, name: str | None) -> Path:
    """Return the folder of a model by its name, path or tag, for None of the default.

    Raises `UserError` if there is none.
    """
    if name is None:
        return folder / read_index(folder)[0]
    # A name with one of these is a tag, and no folder takes its place.
    if not re.search("[#@]", name):
        if "/" not in name and (folder / name / DECISION).is_file():
            return folder / name
        if Path(name, DECISION).is_file():
            return Path(name)
    release = released.find(folder, name) if shutil.which("git") else None
    if release is not None:
        return release
    known = ", ".join(read_index(folder)[1]) if (folder / INDEX).exists() else "none"
    raise UserError(
        f"the model must be one in {folder} ({known}), the folder of one or what a Git tag names "
        f"(keras#prod); got {name!r}; run dvc repro to make it, or git fetch --tags"
    )
