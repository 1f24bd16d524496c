"""What scikit-learn asks of a fitted classifier, beside its predictions; without scikit-learn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MethodType
from typing import Any, NoReturn

import numpy as np

from textclf.artifacts.decisions import Decision
from textclf.core.errors import UserError
from textclf.core.quoting import quote_value


class OfLinearModels:
    """A method that other models lack, so that scikit-learn asks them for probabilities."""

    def __init__(self, method: Callable[..., Any]) -> None:
        """Decorate a method of a class whose instances have the attribute `linear`."""
        self.method = method

    def __get__(self, model: Any, owner: type) -> Any:
        """Return the method of a linear model; raise `AttributeError` for another one."""
        if model is None:
            return self.method
        if not model.linear:
            raise AttributeError(f"only a linear model has a {self.method.__name__}")
        return MethodType(self.method, model)


class FittedClassifier:
    """A classifier that scikit-learn takes wherever it fits nothing, such as in displays.

    It needs no scikit-learn, which is imported only when scikit-learn itself asks for tags.
    """

    decision: Decision
    _estimator_type = "classifier"  # for scikit-learn before 1.6

    def predict(self, texts: Iterable[Any]) -> Any:
        """Return the label of each text."""
        raise NotImplementedError

    def score(
        self,
        texts: Iterable[Any],
        labels: Iterable[Any],
        sample_weight: Sequence[float] | None = None,
    ) -> float:
        """Return the accuracy: the share of texts whose label is right.

        Parameters
        ----------
        texts : iterable of str
            The texts, as for `predict`.
        labels : iterable of str
            The actual label of each text: a list of str if texts have several labels, None for a
            text of no class.
        sample_weight : sequence of float or None, default=None
            The weight of each text; None if all weigh the same.

        Returns
        -------
        float
            The share, from 0 to 1. No answer is right only for a text of no class. Of several
            labels, all must be right.

        Raises
        ------
        TypeError
            As `predict`, or if a label is a number or another type.
        UserError
            As `predict`, or if there is no text, or not one label for each.

        Examples
        --------
        >>> import textclf
        >>> model = textclf.load("keras")
        >>> model.score(["The food was great.", "Bad food!"], ["positive", "positive"])
        0.5
        """
        answers = self.predict(texts)
        actual = [*_require_labels(labels, self.decision.multilabel)]
        if not actual or len(actual) != len(answers):
            raise UserError(
                f"labels must be one for each text, at least one; got {len(actual)} of "
                f"{len(answers)} texts"
            )
        if self.decision.multilabel:
            answers = map(frozenset, answers)
        right = [answer == label for answer, label in zip(answers, actual, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def fit(self, texts: Iterable[Any], labels: Iterable[Any]) -> NoReturn:  # noqa: ARG002 (same)
        """Refuse to fit: the pipeline trains the model.

        Parameters
        ----------
        texts : iterable of str
            Ignored.
        labels : iterable of str
            Ignored.

        Returns
        -------
        NoReturn
            It always raises.

        Raises
        ------
        UserError
            Always.

        Examples
        --------
        >>> import textclf
        >>> textclf.load("keras").fit([], [])
        Traceback (most recent call last):
        textclf.core.errors.UserError: a loaded model must stay as the pipeline trained it; ...
        """
        raise UserError(
            "a loaded model must stay as the pipeline trained it; got a call of fit; run dvc repro "
            "to train, or give scikit-learn FrozenEstimator(model)"
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 (of the interface)
        """Return the parameters that may be set: none, since training has used them.

        Parameters
        ----------
        deep : bool, default=True
            Ignored.

        Returns
        -------
        dict
            It is empty.

        Examples
        --------
        >>> import textclf
        >>> textclf.load("keras").get_params()
        {}
        """
        return {}

    def __sklearn_clone__(self) -> "FittedClassifier":
        """Return the model itself, as nothing fits it again."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        several = self.decision.multilabel
        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True, multi_output=several, single_output=not several),
            classifier_tags=ClassifierTags(multi_class=not several, multi_label=several),
            input_tags=InputTags(one_d_array=True, string=True),
            no_validation=True,
            requires_fit=False,
        )


def _require_labels(labels: Iterable[Any], several: bool) -> Iterator[Any]:
    """Yield labels as they compare with answers: sets, if texts have several labels."""
    kinds: Any = (str, type(None))
    rule = "a str or None"
    if several:
        kinds, rule = (list, tuple, set, frozenset), "a list of str"
    for position, label in enumerate(labels):
        if not isinstance(label, kinds):
            got = f"{quote_value(label)} ({type(label).__name__})"
            raise TypeError(f"labels[{position}] must be {rule}; got {got}")
        yield frozenset(label) if several else label
