from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf import models
from textclf.artifacts import layers as portable
from textclf.artifacts.layers import Layer, Portable
from textclf.export import explanation
from textclf.export.explanation import COLUMNS, top_terms

TERMS = ("awful", "bad", "fine", "good", "unseen")
X = csr_array(np.array([[0, 2, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 3, 0], [0, 0, 0, 1, 0]]))


def linear(*scores: tuple[float, ...], output: str = "softmax") -> Portable:
    names = ("-", "+") if len(scores) == 1 else tuple("abc"[: len(scores)])
    return portable.linear(names, np.array(scores, dtype=float), np.zeros(len(scores)), output)


def explained(model: Portable, *shards: csr_array, count: int = 9) -> pd.DataFrame:
    return top_terms({"a": model}, shards, TERMS, count)["a"]


def listed(model: Portable, *shards: csr_array, count: int = 9) -> list[tuple[str, str, float, int]]:
    found = explained(model, *(shards or [X]), count=count)
    assert tuple(found.columns) == COLUMNS
    return list(found[["class", "term", "weight", "rows"]].itertuples(index=False, name=None))


def test_of_two_classes_each_has_the_terms_that_speak_for_it() -> None:
    model = linear((-2.0, -0.5, 0.25, 1.5, 9.0), output="sigmoid")
    assert listed(model) == [
        ("-", "awful", 2.0, 1),
        ("-", "bad", 0.5, 2),
        ("+", "good", 1.5, 2),
        ("+", "fine", 0.25, 2),
    ]
    assert set(explained(model, X)["method"]) == {"weight"}


def test_of_more_classes_the_weight_is_above_the_mean_of_all() -> None:
    model = linear((3.0, 0.0, 0.0, 1.0, 0.0), (0.0, 3.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0))
    assert listed(model) == [("a", "awful", 2.0, 1), ("b", "bad", 2.0, 2)]


def test_a_term_that_no_training_row_holds_is_not_listed() -> None:
    assert "unseen" not in {row[1] for row in listed(linear((9.0,) * 5, output="sigmoid"))}


def test_no_more_terms_than_asked_for_are_listed() -> None:
    model = linear((4.0, 3.0, 2.0, 1.0, 0.0), output="sigmoid")
    assert [row[1] for row in listed(model, count=2)] == ["awful", "bad"]


def test_of_equals_the_first_by_name_comes_first() -> None:
    assert [row[1] for row in listed(linear((1.0, 1.0, 2.0, 1.0, 1.0), output="sigmoid"))] == [
        "fine",
        "awful",
        "bad",
        "good",
    ]


def network() -> Portable:
    """Its score of the second class is that of the terms from the third on, less that of the first two, bent."""
    kernel = np.array([[-1.0], [-0.5], [0.25], [1.0], [1.0]])
    return Portable(("-", "+"), (Layer(kernel, np.zeros(1), "tanh"), Layer(np.ones((1, 1)), np.zeros(1), "sigmoid")))


def test_of_a_network_the_weight_is_the_mean_fall_of_the_log_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation, "FEWEST", 1)
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
    found = listed(network())
    assert [row[:2] + row[3:] for row in found] == [row[:2] + row[3:] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected])
    assert set(explained(network(), X)["method"]) == {"occlusion"}


def test_of_a_network_rare_terms_are_left_out() -> None:
    often = csr_array(np.vstack([X.toarray(), [0, 1, 0, 1, 0]]))
    assert [row[1] for row in listed(network(), often)] == ["bad", "good"]


def test_of_a_network_rare_terms_are_listed_if_all_are_rare() -> None:
    assert {row[1] for row in listed(network())} == {"awful", "bad", "fine", "good"}


def test_rows_in_shards_say_what_they_say_together() -> None:
    often = csr_array(np.vstack([X.toarray(), [0, 1, 0, 1, 0]]))
    for model in (network(), linear((-2.0, -0.5, 0.25, 1.5, 9.0), output="sigmoid")):
        apart, together = listed(model, often[:2], often[2:4], often[4:]), listed(model, often)
        assert [row[:2] + row[3:] for row in apart] == [row[:2] + row[3:] for row in together]
        assert [row[2] for row in apart] == pytest.approx([row[2] for row in together])


def test_many_terms_are_taken_out_a_part_of_the_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = listed(network())
    monkeypatch.setattr(explanation, "CELLS", 4)
    assert [row[2] for row in listed(network())] == pytest.approx([row[2] for row in whole])


def test_terms_are_taken_out_of_the_first_rows_alone_but_counted_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation, "OCCLUDED", 3)
    first, more = listed(network(), X[:3]), listed(network(), X[:2], X[2:])
    assert [row[:3] for row in more] == [row[:3] for row in first]
    assert dict(row[1::2] for row in more) == dict(row[1::2] for row in first) | {"good": 2}


def test_several_models_are_explained_by_the_same_pass() -> None:
    models = {"a": network(), "b": linear((9.0,) * 5, output="sigmoid")}
    found = top_terms(models, iter([X]), TERMS, 9)
    assert all(found[name].equals(explained(model, X)) for name, model in models.items())


def test_a_model_that_looks_at_no_term_has_none() -> None:
    assert listed(linear((), (), ())) == []


@pytest.mark.parametrize("kind", ["naive_bayes", "logistic_regression", "linear_svm", "nb_svm"])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_terms_that_a_class_has_more_of_speak_for_it(kind: str, classes: int, tmp_path: Path) -> None:
    part = samples.rows(classes, count=600)
    model = models.module(kind).fit(part, part, samples.settings(kind))
    terms = [str(n) for n in range(samples.TERMS)]
    found = top_terms({"a": samples.saved(model, tmp_path)}, [part.X], terms, 2)["a"]
    assert list(dict.fromkeys(found["class"])) == list(part.classes)
    right = [
        int(term) % classes == int(name.split()[1]) for term, name in zip(found["term"], found["class"], strict=True)
    ]
    assert np.mean(right) > 0.9
