from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf.artifacts import features, layers
from textclf.artifacts.features import Features
from textclf.artifacts.layers import SIGMOIDS, Layer, LayerModel
from textclf.export import explanation
from textclf.export.explanation import COLUMNS, terms_of_models, top_terms


def columns(terms: Sequence[str | None], analyzers: Sequence[str | None] = ()) -> SimpleNamespace:
    return SimpleNamespace(
        kind="sparse",
        terms=lambda: [*terms],
        analyzers=lambda: [*analyzers] or ["word"] * len(terms),
    )


TERMS = columns(["awful", "bad", "fine", "good", "unseen"])
X = csr_array(np.array([[0, 2, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 3, 0], [0, 0, 0, 1, 0]]))


def linear(*scores: tuple[float, ...], output: str = "softmax") -> LayerModel:
    names = ("-", "+") if len(scores) == 1 else tuple("abc"[: len(scores)])
    return layers.linear(names, np.array(scores, dtype=float), np.zeros(len(scores)), output)


def terms_of(model: LayerModel, *shards: csr_array, count: int = 9) -> pd.DataFrame:
    return top_terms({"a": model}, [shard.indices for shard in shards], shards, TERMS, count)


def listed(
    model: LayerModel, *shards: csr_array, count: int = 9
) -> list[tuple[str, str, float, int]]:
    table = terms_of(model, *(shards or [X]), count=count)
    assert tuple(table.columns) == COLUMNS
    return list(table[["class", "term", "weight", "rows"]].itertuples(index=False, name=None))


def test_each_of_two_classes_has_the_terms_with_a_weight_for_it() -> None:
    model = linear((-2.0, -0.5, 0.25, 1.5, 9.0), output="sigmoid")
    assert listed(model) == [
        ("-", "awful", 2.0, 1),
        ("-", "bad", 0.5, 2),
        ("+", "good", 1.5, 2),
        ("+", "fine", 0.25, 2),
    ]
    assert set(terms_of(model, X)["method"]) == {"weight"}
    ties = linear((-1.0, 1.0, 2.0, 1.0, 9.0), output="sigmoid")
    assert [row[1] for row in listed(ties)] == [
        "awful",
        "fine",
        "bad",
        "good",
    ]  # none for "unseen", in no row
    assert [row[1] for row in listed(ties, count=1)] == ["awful", "fine"]


def test_with_more_classes_the_weight_is_relative_to_the_mean_of_all() -> None:
    model = linear((3.0, 0.0, 0.0, 1.0, 0.0), (0.0, 3.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0))
    assert listed(model) == [("a", "awful", 2.0, 1), ("b", "bad", 2.0, 2)]


def network() -> LayerModel:
    """The second class has the score of the terms from the third on, less the first two, bent."""
    kernel = np.array([[-1.0], [-0.5], [0.25], [1.0], [1.0]])
    return LayerModel(
        ("-", "+"),
        (Layer(kernel, np.zeros(1), "tanh"), Layer(np.ones((1, 1)), np.zeros(1), "sigmoid")),
    )


def test_the_weight_in_a_network_is_the_mean_drop_of_the_log_odds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = np.tanh([-0.75, -1.5, 3.25, 1.0])  # of the rows
    without = {
        "awful": [scores[1] - np.tanh(-0.5)],
        "bad": [scores[0] - np.tanh(0.25), scores[1] - np.tanh(-1.0)],
        "fine": [scores[0] - np.tanh(-1.0), scores[2] - np.tanh(3.0)],
        "good": [scores[2] - np.tanh(0.25), scores[3] - 0.0],
    }
    means = {term: float(np.mean(falls)) for term, falls in without.items()}
    expected = [
        ("-", "bad", -means["bad"], 2),
        ("-", "awful", -means["awful"], 1),
        ("+", "good", means["good"], 2),
        ("+", "fine", means["fine"], 2),
    ]
    contributions = listed(network())
    assert [row[:2] + row[3:] for row in contributions] == [row[:2] + row[3:] for row in expected]
    assert [row[2] for row in contributions] == pytest.approx([row[2] for row in expected])
    assert set(terms_of(network(), X)["method"]) == {"occlusion"}
    monkeypatch.setattr(explanation, "CELLS", 4)  # in several steps
    assert [row[2] for row in listed(network())] == pytest.approx([row[2] for row in expected])


def test_rare_terms_of_a_network_are_left_out_unless_all_are_rare() -> None:
    often = csr_array(np.vstack([X.toarray(), [0, 1, 0, 1, 0]]))
    assert [row[1] for row in listed(network(), often)] == ["bad", "good"]


def test_shards_give_the_same_terms_as_all_rows_together() -> None:
    often = csr_array(np.vstack([X.toarray(), [0, 1, 0, 1, 0]]))
    for model in (network(), linear((-2.0, -0.5, 0.25, 1.5, 9.0), output="sigmoid")):
        apart, together = listed(model, often[:2], often[2:4], often[4:]), listed(model, often)
        assert [row[:2] + row[3:] for row in apart] == [row[:2] + row[3:] for row in together]
        assert [row[2] for row in apart] == pytest.approx([row[2] for row in together])


def test_occlusion_uses_the_first_rows_but_rows_are_counted_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explanation, "OCCLUDED_ROWS", 3)
    first, more = listed(network(), X[:3]), listed(network(), X[:2], X[2:])
    assert [row[:3] for row in more] == [row[:3] for row in first]
    assert dict(row[1::2] for row in more) == dict(row[1::2] for row in first) | {"good": 2}


def test_several_models_are_explained_in_one_pass() -> None:
    models = {"a": network(), "b": linear((9.0,) * 5, output="sigmoid")}
    table = top_terms(models, iter([X.indices]), iter([X]), TERMS, 9)
    assert list(dict.fromkeys(table["model"])) == ["a", "b"]
    for name, model in models.items():
        alone = terms_of(model, X).assign(model=name)
        assert table[table["model"] == name].to_dict("records") == alone.to_dict("records")


def test_of_features_of_linear_models_only_columns_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words").mkdir()
    part = Features(np.array(list("abcd")), X, np.array([0, 0, 1, 1]), np.array(["-", "+"]))
    for split in ("train", "test"):
        features.write(part, tmp_path / "words" / f"{split}.npz")
    monkeypatch.setattr(features, "read_shard", None)
    model = linear((-2.0, -0.5, 0.25, 1.5, 9.0), output="sigmoid")
    table = terms_of_models({"a": model}, {"a": "words"}, {"words": TERMS}, tmp_path, 9)
    assert table.to_dict("records") == terms_of(model, X).to_dict("records")


def test_a_model_that_ignores_the_text_has_no_terms() -> None:
    assert listed(linear((), (), ())) == []


@pytest.mark.parametrize(
    ("kind", "classes"), [("naive_bayes", 2), ("logistic_regression", 3), ("linear_svm", 6)]
)
def test_the_terms_of_a_trained_model_are_frequent_in_their_class(kind: str, classes: int) -> None:
    part = samples.rows(classes, count=600)
    model = samples.fit(kind, part).layers
    table = top_terms(
        {"a": model}, [part.X.indices], [part.X], columns([str(n) for n in range(samples.TERMS)]), 2
    )
    assert list(dict.fromkeys(table["class"])) == list(part.classes)
    own_terms = [
        int(term) % classes == int(name.split()[1])
        for term, name in zip(table["term"], table["class"], strict=True)
    ]
    assert np.mean(own_terms) > 0.9


def test_each_of_several_labels_has_the_terms_of_its_own_log_odds() -> None:
    scores = (1.0, -1.0, 0.0, 2.0, 0.0), (1.0, 3.0, 0.0, 0.0, 0.0)
    expected = [
        ("a", "good", 2.0, 2),
        ("a", "awful", 1.0, 1),
        ("b", "bad", 3.0, 2),
        ("b", "awful", 1.0, 1),
    ]
    assert listed(linear(*scores, output=SIGMOIDS)) == expected


def test_words_have_a_term_per_letter_after_them_and_columns_without_terms_have_none() -> None:
    terms = columns(
        ["words__bad", "words__good", None, "letters__ba", "letters__ad"],
        ["word"] * 2 + [None, "char", "char"],
    )
    rows = csr_array(np.ones((3, 5)))
    table = top_terms(
        {"a": linear((0.1, 0.2, 9.0, 3.0, 2.0), output="sigmoid")}, [rows.indices], [rows], terms, 1
    )
    assert table["term"].tolist() == ["words__good", "letters__ba"]
    assert not len(
        top_terms(
            {"a": linear((1.0,) * 5, output="sigmoid")},
            [rows.indices],
            [rows],
            columns([None] * 5, [None] * 5),
            1,
        )
    )
