from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.results import facts
from textclf.artifacts.split_report import SplitReport
from textclf.export import description
from textclf.models.settings import LESSON
from textclf.vectorize.terms.settings import UNITS, WEIGHTS, Terms

CLASSES = {"0": "negative (0)", "1": "positive (1)"}
MORE_CLASSES = {name: name for name in ("a", "b", "c")}
REPORT: dict[str, Any] = {
    "train": {"classes": {"0": 500, "1": 500}},
    "validation": {"classes": {"0": 50, "1": 50}},
    "test": {"classes": {"0": 5000, "1": 5000}},
    "leaks": {"normalised": {"validation_in_train": 0, "test_in_train": 0, "test_in_validation": 0}},
    "duplicates": {"normalised": {"train": 0, "validation": 0, "test": 0}},
    "label_conflicts": {"normalised": 0},
    "dropped": {"rows": 0, "label": 0, "text": 0},
}

CORRECTED = {"applied": {"train": 3, "validation": 1}, "unchanged": 2, "skipped": 0}


def protocol(
    models: Sequence[str] = (),
    classes: Mapping[str, str] = CLASSES,
    clusters: Mapping[str, int] | None = None,
    refitted: str | None = None,
    report: Mapping[str, Any] | None = None,
    **sections: Any,
) -> list[str]:
    """Return the protocol of a run with these sections of params.yaml; `report` is what differs in splits.json."""
    sections = {"export": {"model": refitted}, **sections, "train": LESSON | sections.get("train", {})}
    decisions = {"protocol": {"clusters": clusters or {}}}
    run = facts([*classes], sections=sections, splits=REPORT | dict(report or {}), decisions=decisions)
    return description.protocol(run, classes, models, refitted=refitted is not None)


def test_without_validation_rows_choices_are_made_on_held_out_training_rows() -> None:
    lines = protocol(report={"validation": None}, evaluate={"calibration": "temperature", "threshold": "f1"})
    assert "Probabilities are calibrated by temperature scaling, fitted on held-out training rows." in lines
    assert any(line.endswith("chosen per model for the highest F1 on held-out training rows.") for line in lines)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({}, "1,000 rows for training, 100 for validation and 10,000 for testing, drawn at random (seed 1000)."),
        ({"split": {"method": "hash"}}, "for testing, assigned by a hash of their text (seed 1000)."),
        ({"split": {"method": "hash"}, "data": {"group": "author"}}, "by a hash of their group (seed 1000), all rows"),
        ({"data": {"group": "au\x00thor"}}, "(seed 1000), all rows of one au⟨U+0000⟩thor in the same split."),
        (
            {"split": {"method": "time"}, "data": {"time": "day", "group": "author"}},
            "for testing, taken in the order of day.",
        ),
        ({"split": {"stratify": True}}, "(seed 1000), with the same class balance in each split."),
        ({"split": {"group_duplicates": True}}, "Rows with the same text, apart from case and spaces, are in the same"),
        ({}, "Probabilities are not calibrated after training."),
        ({"evaluate": {"calibration": "platt"}}, "calibrated by Platt scaling, fitted on the validation rows."),
        ({"evaluate": {"calibration": "temperature"}}, "calibrated by temperature scaling, fitted on the validation"),
        ({}, "A text gets class positive (1) if the probability of this class is above 0.5."),
        ({"evaluate": {"threshold": "accuracy"}}, "above a threshold, chosen per model for the highest accuracy on"),
        (
            {"evaluate": {"threshold": "precision", "target_precision": 0.4}},
            "above a threshold, chosen per model for a precision of at least 40.0% at 95% confidence on the",
        ),
        (
            {"evaluate": {"costs": {"0": {"1": 3}}}},
            "Decisions cost 3 for negative (0) decided as positive (1) and 1 for",
        ),
        (
            {"evaluate": {"costs": {"0": {"1": 3}}}},
            "cost: positive (1) if the probability of this class is above 0.75.",
        ),
        ({"evaluate": {"costs": {"0": {"1": 3}}}}, "Deciding negative (0) for every text, which costs least on the"),
        ({"evaluate": {"costs": {"0": {"1": 3}}}}, "training rows, costs 0.500 per test row."),
        ({"evaluate": {"costs": {"abstain": 0.2}}}, "Decisions cost 1 for any other mistake and 0.2 for no answer"),
        ({"evaluate": {"costs": {"abstain": 0.2}}}, "the lowest expected cost, or no answer if that costs less."),
        ({"evaluate": {"costs": {"abstain": 0.2}}}, "The accuracy counts a text without an answer as wrong."),
        ({"evaluate": {"costs": {"abstain": 0.2}}}, "Deciding no answer for every text, which costs least on the"),
        ({"evaluate": {"costs": {"0": {"0": -2, "1": 1}, "1": {"1": 2}}}}, "A text gets the class with the lowest exp"),
        (
            {
                "classes": MORE_CLASSES,
                "evaluate": {"costs": {name: dict.fromkeys("abc", 2) for name in "abc"}},
                "report": {split: {"classes": {"a": 1, "b": 2, "c": 3}} for split in ("train", "validation", "test")},
            },
            "2 for b decided as c, others for 3 pairs of classes and 1 for any other mistake (evaluate.costs).",
        ),
        ({"classes": MORE_CLASSES}, "A text gets the class with the highest probability."),
        ({"evaluate": {"confidence": 0.9}}, "Intervals are 90% intervals: Wilson score intervals"),
        ({"clusters": {"test": 450}}, "The 10,000 test rows are 450 clusters of rows with the same text."),
        ({"clusters": {"test": 450}, "data": {"group": "author"}}, "clusters of rows with the same author or text."),
    ],
)
def test_the_protocol_describes_the_settings(sections: dict[str, Any], sentence: str) -> None:
    lines = protocol(**sections)
    assert any(sentence in line for line in lines)
    assert any("clusters" in line for line in lines) == ("clusters" in sections)


@pytest.mark.parametrize(
    ("given", "sections", "end"),
    [
        (("train", "validation", "test"), {}, "its files."),
        (("train", "validation", "test"), {"data": {"split": "fo\x00ld"}}, "column fo⟨U+0000⟩ld."),
        (
            ("train", "test"),
            {"split": {"group_duplicates": True}},
            "its files; the validation rows are drawn at random (seed 1000)",
        ),
        (
            ("train",),
            {"data": {"group": "author"}, "split": {"method": "hash"}},
            "its files; the validation rows and test rows are assigned by a hash of their group (seed 1000)",
        ),
    ],
)
def test_the_protocol_says_which_splits_were_given(given: tuple[str, ...], sections: dict[str, Any], end: str) -> None:
    first, *others = protocol(report={"given": dict.fromkeys(given, 1)}, **sections)
    sizes = "1,000 rows for training, 100 for validation and 10,000 for testing"
    rest = " from the given training rows." if end.endswith(")") else ""
    assert first == f"{sizes}, as the table gives them by {end}{rest}"
    assert not any("in the same split" in line for line in others)


def test_the_protocol_has_the_notes_of_the_models_that_are_named() -> None:
    assert "100 epochs" in " ".join(protocol(("majority", "keras")))
    stopped = {"keras": LESSON["keras"] | {"early_stopping": 10}}
    assert "10 epochs" in " ".join(protocol(("keras",), train=stopped))
    candidates = {"logistic_regression": LESSON["logistic_regression"] | {"C": [0.1, 1.0]}}
    assert "chosen from 0.1 and 1" in " ".join(protocol(("logistic_regression",), train=candidates))
    assert "chosen from" not in " ".join(protocol(("keras",), train=candidates))
    assert protocol(("majority",), train=stopped) == protocol()


def test_of_a_refitted_model_it_is_the_measured_one_that_was_fitted_on_the_training_rows_alone() -> None:
    alone = "fitted on the training rows alone."
    usual, refitted = protocol(), protocol(refitted="nb_svm")
    assert f"The representation and the models are {alone}" in usual
    assert f"The representation and the models that were measured are {alone}" in refitted
    assert refitted[-1].startswith(
        "All metrics of nb svm and its numbers of terms and parameters are of a model fitted on the 1,000 training "
        "rows. The exported model was fitted anew on these and the 100 validation rows"
    )
    assert len(refitted) == len(usual) + 1


@pytest.mark.parametrize("sections", [{"evaluate": {"coverage": 0.9}}, {"data": {"unknown": "oos"}}])
def test_a_model_that_keeps_a_promise_of_the_measured_one_is_said_to_be_exported_as_measured(
    sections: dict[str, Any],
) -> None:
    usual, asked = protocol(**sections), protocol(refitted="nb_svm", **sections)
    (key,) = next(iter(sections.values()))
    assert asked[:-1] == usual
    assert asked[-1].startswith("The exported nb svm is the measured one, despite export.refit: the ")
    assert f".{key}) holds for no other." in asked[-1]


def test_notes_of_several_models_name_them_and_are_said_once() -> None:
    longer = {"long": LESSON["keras"] | {"epochs": 300}, "twin": LESSON["keras"]}
    lines = protocol(("majority", "keras", "long", "twin"), train=longer)
    assert [line.partition(":")[0] for line in lines if "epochs" in line] == ["Keras and twin", "Long"]


def caveats(
    watching: Sequence[str] = (),
    independent: Mapping[str, float] | None = None,
    held_out: Sequence[str] = (),
    **report: Any,
) -> list[str]:
    """Return the caveats of a run; `report` is what differs in splits.json."""
    scores = {"rows": 1, "folds": 2, "accuracy": 0.5, "log_loss": 0.7}
    decisions = {
        "protocol": {"independent_rows": independent or {}},
        "crossvalidation": dict.fromkeys(held_out, scores),
    }
    run = facts([*CLASSES], watching=watching, splits=REPORT | report, decisions=decisions)
    return description.caveats(run, CLASSES, watching)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"leaks": {"normalised": {"validation_in_train": 2, "test_in_train": 0, "test_in_validation": 1}}},
            "2 validation rows have the same text as a training row and 1 test row has the same text as a validation",
        ),
        (
            {"leaks": {"normalised": {}, "group": {"test_in_train": 3}}},
            "3 test rows have the same group as a training row: the numbers are not those of groups that",
        ),
        (
            {"leaks": {"normalised": {"test_in_train": 1}}},
            "A model can have memorised such texts; split.group_duplicates keeps their rows in one split.",
        ),
        (
            {"leaks": {"normalised": {"test_in_train": 1}}, "given": {"train": 1, "test": 1}},
            "A model can have memorised such texts.",
        ),
        ({"label_conflicts": {"normalised": 1}}, "1 text occurs with more than one class, so no model can be right"),
        ({"label_conflicts": {"normalised": 2}}, "2 texts occur with more than one class"),
        ({"dropped": {"rows": 1}}, "1 row without a text or a label was left out."),
        ({"dropped": {"rows": 2}}, "2 rows without a text or a label were left out."),
        (
            {"rare": {"dropped": {"b": 1, "a": 2}, "other": {"c": 1}}},
            (
                "2 classes too rare to be divided, left out (data.rare): a (2), b (1); 1 class too rare to be divided, "
                "united as other (data.rare): c (1)."
            ),
        ),
        ({"test": {"classes": {"0": 5000, "1": 19}}}, "Class positive (1) has fewer than 20 test rows"),
        ({"test": {"classes": {"0": 5000}}}, "Class positive (1) has fewer than 20 test rows"),
        ({"test": {"classes": {"0": 9, "1": 9}}}, "2 of 2 classes have fewer than 20 test rows"),
        (
            {"test": {"classes": {"0": 90_000, "1": 5000}}},
            "The classes differ in size among the test rows, from 5,000 rows (positive (1)) to 90,000 (negative (0)): ",
        ),
        (
            {"test": {"classes": {"0": 50, "1": 50}}},
            "With 100 test rows, an accuracy is known to about ±10 points at worst.",
        ),
        ({"test": {"classes": {"0": 1}}}, "With 1 test row, an accuracy is known to about ±98 points"),
        ({"validation": None}, "There are no validation rows. Settings chosen by looking at these test numbers"),
        (
            {"validation": None, "watching": ("keras",)},
            "During training, keras watched the test rows, as in the lesson",
        ),
        (
            {"independent": {"test": 99.6}},
            "With 10,000 test rows, worth at least 100 independent ones, an accuracy is known to about ±10 points at w",
        ),
        (
            {"corrections": CORRECTED | {"applied": {"test": 2}}},
            "The labels of 2 test rows were corrected by hand (data.correct_test_rows), so the metrics",
        ),
        (
            {"corrections": {"applied": {}, "skipped": 1}},
            "1 correction of test rows was not applied: the test rows have the labels of the table",
        ),
        ({"corrections": CORRECTED}, "were corrected, but of no test row: models, thresholds,"),
    ],
)
def test_a_problem_of_the_rows_is_a_caveat(changes: dict[str, Any], sentence: str) -> None:
    assert any(sentence in line for line in caveats(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"watching": ("keras",)},  # validation rows
        {"held_out": ("keras",)},
        {"train": {"classes": {"0": 90_000, "1": 500}}},  # accuracy is that of the test rows, half of each
        {"test": {"classes": {"0": 7500, "1": 2500}}},  # three times as many
        {"corrections": CORRECTED | {"applied": {}}},
        {"independent": {"train": 3.0}},
    ],
)
def test_rows_without_a_problem_have_no_caveats(changes: dict[str, Any]) -> None:
    assert caveats(**changes) == []


def test_without_validation_rows_a_reader_is_told_by_which_rows_to_choose() -> None:
    (told,) = caveats(validation=None, watching=("keras",), held_out=("keras",))
    assert told == (
        "There are no validation rows; held-out training rows make the choices. During training, keras watched the "
        "test rows: their curve is drawn and was used for nothing. Settings chosen by looking at these test numbers "
        "make them too optimistic; choose by the scores of held-out training rows (crossvalidation in "
        "metrics/decisions.json)."
    )
    (lesson,) = caveats(validation=None, watching=("keras",))
    assert lesson == (
        "There are no validation rows. During training, keras watched the test rows, as in the lesson: their curve is "
        "drawn and was used for nothing. Settings chosen by looking at these test numbers make them too optimistic; "
        "set split.validation_size before you choose any."
    )


def test_a_class_of_twenty_test_rows_is_not_rare() -> None:
    assert not any("fewer than" in line for line in caveats(test={"classes": {"0": 20, "1": 20}}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "counts of words, 1,714 terms of the training rows"),
        ({"weighting": "binary", "ngram_range": (1, 2)}, "presence of words (runs of 1 to 2 words), 1,714 terms"),
        ({"ngram_range": (3, 3)}, "counts of words (runs of 3 words), 1,714 terms"),
        (
            {"analyzer": "word+char_wb", "weighting": "tfidf"},
            "tf-idf of words, and characters within words (runs of 2 to 5 characters), 1,714 terms",
        ),
        ({"hashing": 1714}, "counts of words, 1,714 hashed columns"),
    ],
)
def test_a_representation_is_described(settings: dict[str, Any], words: str) -> None:
    run_settings = facts(sections={"vectorize": {"words": settings}}).settings
    assert description.representation(run_settings, "keras", {"words": 1714}).startswith(words)


def test_every_analyzer_and_weighting_is_described() -> None:
    properties = Terms.model_json_schema()["properties"]
    assert set(UNITS) == set(properties["analyzer"]["enum"])
    assert set(WEIGHTS) == set(properties["weighting"]["enum"])


def test_corrected_labels_are_part_of_the_protocol() -> None:
    sentence = "Labels of 3 training rows and 1 validation row were corrected by hand."
    assert sentence in protocol(report={"corrections": CORRECTED})
    assert not any("corrected" in line for line in protocol())
    assert not any("corrected" in line for line in protocol(report={"corrections": CORRECTED | {"applied": {}}}))


def test_corrections_of_test_rows_are_the_first_caveat_after_missing_validation_rows() -> None:
    lines = caveats(
        validation=None, corrections=CORRECTED | {"applied": {"test": 2}}, label_conflicts={"normalised": 1}
    )
    assert [line.split()[0] for line in lines] == ["There", "The", "1"]


# Several labels per text


def of_labels(test: dict[str, int], rows: int, **changes: Any) -> dict[str, Any]:
    """Return what a report says of so many test rows, of which some have each label."""
    return {"test": {"classes": test, "rows": rows, "without_labels": 0}} | changes


def test_rows_with_several_labels_are_counted_once() -> None:
    report = REPORT | of_labels({"0": 70, "1": 60}, 100)
    assert SplitReport.model_validate(report).sizes == {"train": 1000, "validation": 100, "test": 100}
    assert any("100 for testing" in line for line in protocol(report=report))
    assert any("With 100 test rows" in line for line in caveats(**report))


@pytest.mark.parametrize(
    ("evaluate", "sentence"),
    [
        ({}, "A text gets each label whose probability is above 0.5."),
        (
            {"threshold": "f1"},
            "above a threshold, chosen per label and model for the highest F1 on the validation rows.",
        ),
        (
            {"coverage": 0.9},
            "Prediction sets are to contain 90% of the labels of the texts that have any, on average; their ",
        ),
    ],
)
def test_the_protocol_speaks_of_labels(evaluate: dict[str, Any], sentence: str) -> None:
    report = of_labels({"0": 70, "1": 60}, 100)
    lines = protocol(report=report, evaluate=evaluate, split={"stratify": True})
    assert any(sentence in line for line in lines)
    assert any("with about the same share of each label in each split" in line for line in lines)
    assert not any("class" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            of_labels({"0": 9000, "1": 19}, 9000),
            "Label positive (1) has fewer than 20 test rows; metrics of such a label",
        ),
        (of_labels({"0": 9, "1": 0}, 9000), "2 of 2 labels have fewer than 20 test rows"),
        (of_labels({"0": 9000, "1": 50}, 9500), "(negative (0)): micro averages mostly reflect the large ones."),
        (
            of_labels({"0": 9000, "1": 9000}, 9500, label_conflicts={"normalised": 2}),
            "2 texts occur with different sets of labels, so no model can be right on all rows.",
        ),
    ],
)
def test_a_caveat_speaks_of_labels(changes: dict[str, Any], sentence: str) -> None:
    found = caveats(**changes)
    assert any(sentence in line for line in found)
    assert not any("class" in line for line in found)
