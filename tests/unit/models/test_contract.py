"""What every kind of model promises, with one class or several labels per text."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests import samples
from tests.refusal import refusal
from tests.unit.models import berts, test_sequences
from textclf.artifacts import classifiers
from textclf.artifacts.features import Features
from textclf.core import resources
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.fitting import fit_model
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings
from textclf.models.settings import KINDS

# Of h5py, which writes the weights of Keras.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEQUENCES = test_sequences.SMALL | {"batch_size": 60}
Fit = Callable[..., Fitted]


class Case(NamedTuple):
    """A kind of model with settings, and the numbers that it fits to three classes or labels."""

    kind: str
    settings: dict[str, object]
    parameters: int | None = None  # None where a test beside this one counts them


CASES = {
    "majority": Case("majority", {}, 2),
    "naive_bayes": Case("naive_bayes", {}, 3 * 13),
    "logistic_regression": Case("logistic_regression", {}, 3 * 13),
    "stream": Case("logistic_regression", {"solver": "stream"}, 3 * 13),
    "linear_svm": Case("linear_svm", {}, 3 * (13 + 2)),
    "nb_svm": Case("nb_svm", {}, 3 * (13 + 2)),
    "keras": Case(
        "keras",
        {"units": [4], "learning_rate": 0.05, "epochs": 2, "batch_size": 60},
        13 * 4 + 5 * 3,
    ),
    "embedding": Case("embedding", SEQUENCES, 9 * 3 + 4 * 4 + 5 * 3),
    "cnn": Case("cnn", SEQUENCES | test_sequences.CNN, 9 * 3 + (2 * 3 + 1) * 4 + 5 * 4 + 5 * 3),
    "transformer": Case("transformer", {"learning_rate": 0.01, "epochs": 2, "batch_size": 30}),
}
LINEAR = (
    "majority",
    "naive_bayes",
    "logistic_regression",
    "linear_svm",
    "nb_svm",
)  # of which all rows are one batch
each_case = pytest.mark.parametrize("name", CASES)
of_classes_or_labels = pytest.mark.parametrize("labels", [False, True], ids=["classes", "labels"])


def rows(kind: str, labels: bool) -> Features:
    """Return sixty rows of features that a kind of model reads, of three classes or labels."""
    part = samples.label_rows() if labels else samples.rows(3)
    match kind:
        case "embedding" | "cnn":
            return replace(part, X=test_sequences.rows(60, 3).X)
        case "transformer":
            return replace(part, X=berts.rows(60, 3).X)
        case _:
            return part


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that fits a case and watches its first nine rows; a repetition refits."""
    with pytest.MonkeyPatch.context() as patch:
        folders = berts.folders(tmp_path_factory.mktemp("weights"), patch)

        @cache
        def fit_case(name: str, labels: bool, repetition: int = 0) -> Fitted:  # noqa: ARG001
            case, part = CASES[name], rows(CASES[name].kind, labels)
            datasets = {
                "train": samples.dataset(part),
                "test": samples.dataset(samples.take(part, np.arange(9))),
            }
            chosen = samples.settings(case.kind, **case.settings)
            return fit_model(case.kind, datasets, chosen, Folders(folders.pretrained))

        yield fit_case


def mean_log_loss(probabilities: NDArray[np.float64], y: NDArray[np.integer]) -> float:
    of_actual = (
        probabilities[np.arange(len(y)), y]
        if y.ndim == 1
        else np.where(y, probabilities, 1 - probabilities)
    )
    return -float(np.log(of_actual).mean())


def test_every_kind_has_a_case_here() -> None:
    assert {case.kind for case in CASES.values()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_its_package_offers_what_a_package_must(kind: str) -> None:
    package = load_model(kind)
    assert callable(package.fit)
    assert package.KIND
    assert set(package.ACCEPTS) <= {"sparse", "dense", "tokens"}
    assert issubclass(package.Settings, ModelSettings)


@pytest.mark.parametrize("kind", ["common", "settings", "svm", "", "keras.build", "../keras"])
def test_a_kind_that_is_none_is_refused_in_a_line_that_lists_the_kinds(kind: str) -> None:
    assert (
        refusal(load_model, kind) == f"kind must be one of {', '.join(sorted(KINDS))}; got {kind!r}"
    )


@each_case
@of_classes_or_labels
def test_each_row_has_a_probability_of_each_class_in_order(
    name: str, labels: bool, fit: Fit
) -> None:
    part, layers = rows(CASES[name].kind, labels), fit(name, labels).layers
    assert layers.classes == tuple(part.classes.tolist())
    probabilities = layers.predict_proba(part.X)
    assert probabilities.shape == (60, 3)
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    if not labels:
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert layers.predict_proba(part.X[np.arange(0)]).shape == (0, 3)


@each_case
@of_classes_or_labels
def test_two_fits_write_the_same_bytes_and_predict_the_same(
    name: str, labels: bool, fit: Fit, tmp_path: Path
) -> None:
    fits = fit(name, labels), fit(name, labels, repetition=1)
    for number, fitted in enumerate(fits):
        (tmp_path / str(number)).mkdir()
        fitted.write(tmp_path / str(number))
    assert samples.contents(tmp_path / "0") == samples.contents(tmp_path / "1")
    X = rows(CASES[name].kind, labels).X
    again = classifiers.read(tmp_path / "0")
    assert again.classes == fits[0].layers.classes
    assert again.predict_proba(X).tobytes() == fits[0].layers.predict_proba(X).tobytes()
    assert fits[0].record == fits[1].record


@each_case
def test_its_record_counts_the_fitted_numbers(name: str, fit: Fit) -> None:
    fitted = fit(name, False)
    if CASES[name].parameters is not None:
        assert fitted.record["parameters"] == CASES[name].parameters
    if not fitted.summary:
        assert str(fitted) == ", ".join(f"{key} {value}" for key, value in fitted.record.items())


@each_case
@of_classes_or_labels
def test_its_history_ends_with_the_loss_of_its_predictions(
    name: str, labels: bool, fit: Fit
) -> None:
    fitted = fit(name, labels)
    if "epochs" not in fitted.record:
        assert fitted.history is None
        return
    part = samples.take(rows(CASES[name].kind, labels), np.arange(9))
    probabilities = fitted.layers.predict_proba(part.X)
    history: pd.DataFrame = fitted.history  # type: ignore[assignment]
    epochs = int(fitted.record["epochs"])
    assert history["split"].tolist() == ["train"] * epochs + ["watched"] * epochs
    assert history["loss"].iloc[-1] == pytest.approx(mean_log_loss(probabilities, part.y), rel=1e-3)
    right = (
        ((probabilities > 0.5) == part.y).all(axis=1)
        if labels
        else probabilities.argmax(axis=1) == part.y
    )
    assert history["accuracy"].iloc[-1] == pytest.approx(right.mean())


@pytest.mark.parametrize("name", LINEAR)
@of_classes_or_labels
def test_the_number_of_batches_changes_no_bit(
    name: str, labels: bool, fit: Fit, tmp_path: Path
) -> None:
    (layer,) = fit(name, labels).layers.layers
    shards = samples.write_shards(rows(name, labels), tmp_path, 25)
    (in_batches,) = samples.fit(name, shards).layers.layers
    assert (
        in_batches.kernel.tobytes() + in_batches.bias.tobytes()
        == layer.kernel.tobytes() + layer.bias.tobytes()
    )


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "dense" in load_model(case.kind).ACCEPTS]
)
def test_dense_features_give_the_model_of_sparse_ones(name: str, fit: Fit) -> None:
    case, part = CASES[name], rows(CASES[name].kind, False)
    dense = replace(part, X=part.X.toarray().astype(np.float32))
    expected = fit(name, False).layers.predict_proba(part.X)
    assert samples.fit(case.kind, dense, **case.settings).layers.predict_proba(
        dense.X
    ) == pytest.approx(expected)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if "class_weight" in load_model(kind).Settings.model_fields]
)
def test_a_weight_of_what_is_no_class_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, part = berts.folders(tmp_path, monkeypatch), samples.dataset(rows(kind, False))
    chosen = samples.settings(kind, class_weight={"class 0": 2.0, "class 7": 2.0})
    assert refusal(load_model(kind).fit, part, part, chosen, folders) == (
        "class_weight must name classes (class 0, class 1, class 2); got class 7; correct it"
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("linear_svm", "linear_svm"),
        ("nb_svm", "nb_svm"),
        ("logistic_regression", "logistic_regression with the solver lbfgs"),
    ],
)
def test_rows_that_do_not_fit_into_memory_together_are_refused(
    name: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = samples.write_shards(rows(name, False), tmp_path, 25)
    monkeypatch.setattr(resources, "available_memory", lambda: 1000)
    line = refusal(samples.fit, name, shards)
    assert line.startswith(f"{model}, which does not train on a stream, needs about ")


@pytest.mark.parametrize(
    ("labels", "label", "value", "line"),
    [
        (
            False,
            2,
            None,
            (
                "the training rows must hold every class; class class 2 has none of 47: "
                "set split.stratify"
            ),
        ),
        (
            True,
            1,
            0,
            (
                "the training rows must hold every class; class label 1 has none of 60: "
                "set split.stratify"
            ),
        ),
        (
            True,
            2,
            1,
            (
                "the training rows must hold rows without each label; all 60 have label 2: "
                "leave the label out"
            ),
        ),
    ],
)
def test_training_rows_of_one_side_are_refused(
    labels: bool, label: int, value: int | None, line: str
) -> None:
    part = rows("majority", labels)
    if value is None:
        part = samples.take(part, np.flatnonzero(part.y != label))
    else:
        part.y[:, label] = value
    datasets = {"train": samples.dataset(part), "test": samples.dataset(part)}
    assert refusal(
        fit_model, "majority", datasets, samples.settings("majority"), samples.FOLDERS
    ).startswith(line)
