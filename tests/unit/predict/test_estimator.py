"""A loaded model is a classifier for scikit-learn, and needs none of it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit, softmax

from tests.refusal import refusal
from tests.unit.predict.models import (
    network,
    several_labels,
    shares,
    three_classes,
    two_classes,
)
from textclf.artifacts.decisions import Decision, Platt
from textclf.artifacts.layers import Layer, LayerModel
from textclf.predict.predictor import Predictor

TEXTS = ["great food", "bad food", "great place", "bad", "place", "food"] * 4
LABELS = ["yes", "no", "yes", "no", "yes", "no"] * 4


def two_units() -> Predictor:
    kernel = np.array([[1.0, -2.0], [0.0, 0.25], [0.0, 2.0], [0.5, 1.0]])
    model = LayerModel(("no", "yes"), (Layer(kernel, np.array([0.25, -0.25]), "softmax"),))
    return replace(two_classes(), model=model)


def test_scikit_learn_takes_a_model_for_a_fitted_classifier() -> None:
    sklearn = pytest.importorskip("sklearn", "1.6")
    from sklearn.utils import get_tags
    from sklearn.utils.validation import check_is_fitted

    model = two_classes()
    assert sklearn.base.is_classifier(model)
    assert not sklearn.base.is_regressor(model)
    check_is_fitted(model)
    assert sklearn.clone(model) is model
    assert get_tags(several_labels()).classifier_tags.multi_label
    assert not get_tags(model).classifier_tags.multi_label


@pytest.mark.parametrize("make", [two_classes, two_units, three_classes, several_labels])
def test_the_decision_function_has_the_shape_and_values_of_scikit_learns(
    make: Callable[[], Predictor],
) -> None:
    model = make()
    values, probabilities = model.decision_function(TEXTS), model.predict_proba(TEXTS)
    if len(model.classes_) == 2:
        assert values == pytest.approx(logit(probabilities[:, 1]))
    elif model.decision.multilabel:
        assert values == pytest.approx(logit(probabilities))
    else:
        assert softmax(values, axis=1) == pytest.approx(probabilities)
    calibrated = replace(model, decision=Decision(0.5, Platt(2.0, 1.0)))
    assert np.array_equal(calibrated.decision_function(TEXTS), values)


@pytest.mark.parametrize("make", [network, shares])
def test_only_a_linear_model_has_a_decision_function(make: Callable[[], Predictor]) -> None:
    assert not hasattr(make(), "decision_function")


def test_the_score_is_the_accuracy() -> None:
    model = two_classes()
    assert model.score(TEXTS[:5], LABELS[:5]) == 0.8
    assert model.score(pd.Series(TEXTS[:2]), pd.Series(["yes", "yes"])) == 0.5
    assert model.score(TEXTS[:2], ["yes", "yes"], sample_weight=[3, 1]) == 0.75
    several = several_labels()
    answers = several.predict(["bad food", "great food"])
    assert several.score(["bad food", "great food"], [answers[0][::-1], ["none"]]) == 0.5


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["yes"], "labels must be one for each text, at least one; got 1 of 2 texts"),
        (["yes", 1], "labels[1] must be a str or None; got 1 (int)"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(Exception, match="must be") as error:
        two_classes().score(TEXTS[:2], labels)
    assert str(error.value) == message


def test_fit_is_refused_so_that_no_test_row_is_scored_after_training_on_it() -> None:
    assert refusal(two_classes().fit, TEXTS, LABELS) == (
        "a loaded model must stay as the pipeline trained it; got a call of fit; run dvc repro to "
        "train, or give scikit-learn FrozenEstimator(model)"
    )


@pytest.mark.parametrize("make", [two_classes, network])
def test_a_model_is_calibrated_by_scikit_learn(make: Callable[[], Predictor]) -> None:
    pytest.importorskip("sklearn", "1.6")
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    fitted = CalibratedClassifierCV(FrozenEstimator(make())).fit(TEXTS, LABELS)
    probabilities = fitted.predict_proba(["great", "bad"])
    assert (fitted.classes_.tolist(), probabilities.shape) == (["no", "yes"], (2, 2))
    if make is two_classes:
        assert probabilities[0, 1] > 0.5 > probabilities[1, 1]


def test_displays_and_importances_take_a_model() -> None:
    pytest.importorskip("sklearn", "1.6")
    from sklearn.inspection import permutation_importance
    from sklearn.metrics import get_scorer

    frame = pd.DataFrame({"text": TEXTS, "n": range(len(TEXTS))})
    both = permutation_importance(two_classes(), frame, LABELS, random_state=0)
    assert both.importances_mean[0] > 0.2
    assert both.importances_mean[1] == 0
    alone = permutation_importance(two_classes(), frame[["text"]], LABELS, random_state=0)
    array = permutation_importance(two_classes(), frame[["text"]].to_numpy(), LABELS)
    assert alone.importances_mean[0] > 0.2 < array.importances_mean[0]
    for name in ("accuracy", "roc_auc", "neg_log_loss"):
        assert np.isfinite(get_scorer(name)(two_classes(), TEXTS, LABELS))


def test_the_confusion_matrix_of_a_model_is_that_of_its_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sklearn", "1.6")
    from sklearn.metrics import ConfusionMatrixDisplay
    from sklearn.metrics._plot import confusion_matrix

    # matplotlib is not needed to compute it, and not installed with textclf.
    monkeypatch.setattr(confusion_matrix, "check_matplotlib_support", lambda _: None)
    monkeypatch.setattr(ConfusionMatrixDisplay, "plot", lambda self, **_: self)
    display = ConfusionMatrixDisplay.from_estimator(two_classes(), TEXTS, LABELS)
    assert display.confusion_matrix.tolist() == [[12, 0], [4, 8]]


def test_a_model_predicts_and_scores_without_scikit_learn_or_pandas() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['pandas'] = None\n"
        "from tests.unit.predict.models import two_classes\n"
        "model = two_classes()\n"
        "print(model.score(['great'], ['yes']), model.decision_function(['great']), model.classes_)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1.0 [1.5] ['no' 'yes']\n", "")
