"""The default model, fitted again on training and validation rows."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import samples
from tests.conftest import run_stage
from tests.refusal import refusal
from tests.settings import models, put
from textclf.artifacts import features, layers, statement
from textclf.artifacts.dataset import Dataset
from textclf.core import resources
from textclf.export import refit
from textclf.export.explanation import COLUMNS
from textclf.export.folder import Exported
from textclf.models.common.fitted import Fitted, Folders
from textclf.vectorize import representation
from textclf.vectorize.settings import Combine, Vectorize
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

TEXTS = ["good food", "bad food", "bad place", "a good place", "fine", "never again"]
ROWS = pd.DataFrame({"id": list("abcdef"), "text": TEXTS, "label": ["yes", "no"] * 3})
VECTORIZE = Vectorize.model_validate(
    {"words": {}, "letters": {"analyzer": "char", "weighting": "tfidf"}}
)
COMBINE = Combine.model_validate({"both": {"first": "words", "second": "letters"}})


def fit_again(settings: Any, record: dict[str, float]) -> tuple[Exported, features.Features]:
    return refit.refit(ROWS, ["no", "yes"], settings, record, VECTORIZE, COMBINE, Path())


def test_a_model_is_fitted_on_all_rows_with_what_was_chosen() -> None:
    settings = samples.settings("logistic_regression", C=[0.1, 7.0])
    made, of_rows = fit_again(settings, {"C": 7.0, "parameters": 9})
    words = Vectorizer.fit(TEXTS, Terms())
    np.testing.assert_array_equal(of_rows.X.toarray(), words.transform(TEXTS).toarray())
    expected = samples.fit("logistic_regression", of_rows, C=7.0).layers
    np.testing.assert_array_equal(
        made.model.predict_proba(of_rows.X), expected.predict_proba(of_rows.X)
    )


def test_a_pair_is_stored_as_it_was_fitted(tmp_path: Path) -> None:
    made, of_rows = fit_again(samples.settings("naive_bayes", features="both"), {})
    assert (of_rows.X.toarray() ** 2).sum(axis=1).mean() == pytest.approx(2)
    representation.write(made.vectorizers[0], tmp_path / "vectorizer.json")
    read = representation.read(tmp_path / "vectorizer.json", tmp_path)
    np.testing.assert_array_equal(read.transform(TEXTS).toarray(), of_rows.X.toarray())


@pytest.mark.parametrize(
    ("record", "epochs"), [({"early_stopping": 2, "best_epoch": 3, "epochs": 5}, 3), ({}, 100)]
)
def test_a_network_trains_for_its_best_epochs_and_watches_nothing(
    record: dict[str, float], epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def fit(train: Dataset, watched: Dataset | None, settings: Any, _folders: Folders) -> Fitted:
        seen.append((train.rows, watched, settings.epochs, settings.early_stopping))
        return Fitted(None, {})

    monkeypatch.setattr(refit, "load_model", lambda _: SimpleNamespace(fit=fit))
    fit_again(samples.settings("keras", early_stopping=record.get("early_stopping")), record)
    assert seen == [(6, None, epochs, None)]


def test_only_its_own_terms_are_replaced() -> None:
    row = {"class": "yes", "term": "old", "weight": 1.0, "rows": 3, "method": "weight"}
    top = pd.DataFrame([{"model": name} | row for name in "aabbcc"])[[*COLUMNS]]
    words = Vectorizer.fit(TEXTS, Terms())
    coef = np.zeros((1, words.columns))
    coef[0, words.terms().index("good")] = 2.0
    made = Exported(
        layers.linear(("no", "yes"), coef, np.zeros(1), "sigmoid"), (words,), lambda _: None
    )
    X = words.transform(TEXTS)
    of_rows = features.Features(
        ROWS["id"].to_numpy(str), X, np.zeros(6, np.int64), np.array(["no", "yes"])
    )
    table = refit.replace_terms(top, "b", made, of_rows, 5)
    assert list(zip(table["model"], table["term"], table["rows"], strict=True)) == [
        *[("a", "old", 3)] * 2,
        ("b", "good", 2),
        *[("c", "old", 3)] * 2,
    ]
    assert refit.replace_terms(top, "d", made, of_rows, 5) is top


def test_rows_beyond_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "validation", "test"):
        samples.write_shards(samples.rows(), tmp_path, 60, split)
    refit.require_memory(tmp_path)
    size = sum((tmp_path / f"{split}.npz").stat().st_size for split in ("train", "validation"))
    monkeypatch.setattr(resources, "available_memory", lambda: 3 * size - 1)
    assert refusal(refit.require_memory, tmp_path).startswith(
        "export.refit, which takes all rows in memory,"
    )


def test_without_validation_rows_there_is_nothing_to_refit(project: Path) -> None:
    before = statement.read(project / "models/majority")
    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(put("export.refit", "true", text=text), encoding="utf-8")
    assert run_stage(project, "export") in {None, 0}
    assert statement.read(project / "models/majority").subjects == before.subjects


def test_prediction_sets_are_of_the_model_that_is_exported(project: Path) -> None:
    changes = (
        "split.validation_size",
        "0.3",
        "export.refit",
        "true",
        *models("logistic_regression"),
    )
    exported = {}
    for coverage in ("0.5", "null"):
        text = put(*changes, "export.model", "null", "evaluate.coverage", coverage)
        (project / "params.yaml").write_text(text, encoding="utf-8")
        for stage in (
            "check",
            "split",
            "vectorize",
            "train@logistic_regression",
            "evaluate",
            "export",
        ):
            assert run_stage(project, stage) in {None, 0}, stage
        measured, model = (
            project / name / "logistic_regression" / "model.npz"
            for name in ("data/trained", "models")
        )
        exported[coverage] = model.read_bytes() == measured.read_bytes()
    assert exported == {"0.5": True, "null": False}


def test_a_model_of_several_labels_is_fitted_on_all_rows() -> None:
    labels = pd.Series(
        [np.array(names, object) for names in (["a"], [], ["a", "b"], ["b"], [], ["a"])]
    )
    settings = samples.settings("logistic_regression", C=[0.1, 7.0])
    made, of_rows = refit.refit(
        ROWS.assign(label=labels), ["a", "b"], settings, {"C": 7.0}, VECTORIZE, COMBINE, Path()
    )
    assert of_rows.y.tolist() == [[1, 0], [0, 0], [1, 1], [0, 1], [0, 0], [1, 0]]
    expected = samples.fit("logistic_regression", of_rows, C=7.0).layers
    np.testing.assert_array_equal(
        made.model.predict_proba(of_rows.X), expected.predict_proba(of_rows.X)
    )
