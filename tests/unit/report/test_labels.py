"""What the page says of a run of several labels per text."""

from tests.page import sections
from tests.runs import make_run
from textclf.report import curves
from textclf.report.run import tables_of

MODELS = ("majority", "logistic_regression", "keras")
SETS = (("a",), ("a", "b"), (), ("c",), ("b", "c"), ("a", "b", "c"), ("b",))


def test_metrics_of_two_labels_are_means_and_not_those_of_a_positive_class() -> None:
    two = make_run(MODELS, ("a", "b"), 70, validation=True, sets=[[n for n in each if n != "c"] for each in SETS])
    text = sections(two)
    assert "are means over the labels, each against the rest" in text["models"]
    assert "Mistakes by class" not in text["confusion"]
    assert [chart.title for chart in curves.curves(two)["charts"][:2]] == ["ROC, label a", "ROC, label b"]


def test_a_model_that_decides_the_same_labels_for_all_rows_is_told_by_its_labels() -> None:
    run = make_run(MODELS, ("a", "b", "c"), 70, validation=True, sets=SETS, settings={"evaluate.threshold": "0.1"})
    assert run.constant("majority") == [0, 1, 2]
    assert "It gives every text the labels a, b, c and is wrong on 60 of them." in sections(run)["errors"]


def test_texts_with_different_sets_of_labels_are_listed() -> None:
    run = make_run(MODELS, ("a", "b", "c"), 70, validation=True, texts=("good food", "bad"), sets=SETS[:2] + SETS[2:3])
    text = sections(run)["data"]
    assert "Texts with different sets of labels (2)" in text
    assert "a, b, 36 rows:" in text
    assert "no label, 33 rows:" in text


def test_average_precision_is_read_of_labels_alone() -> None:
    assert "average_precision" in tables_of("multilabel")["classes"]
    assert "average_precision" not in tables_of("multiclass")["classes"]
