import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.runs import HOSTILE, SOURCE, made
from textclf.export import card
from textclf.fetch import catalogue
from textclf.report import page as report

YELP = catalogue.CORPORA["yelp"]


def written(run: report.Run, name: str, **changes: Any) -> str:
    """The card of a model of the run."""
    return card.card(
        name,
        run.settings,
        run.classes,
        run.evaluation[name],
        run.intervals[name],
        run.decisions[name],
        run.training[name],
        run.splits_report,
        run.features,
        **({"raw": run.sources} | changes),
    )


def test_a_card_repeats_and_has_every_section() -> None:
    text = written(made(), "logistic_regression")
    assert text == written(made(), "logistic_regression")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Model details",
        "Intended use",
        "Out of scope",
        "How to use it",
        "Data",
        "Training and protocol",
        "Evaluation",
        "Probabilities and decisions",
        "Limitations and caveats",
        "Licence and citation",
    ]
    assert "C: 1" in text
    assert 'textclf.load("models/logistic_regression")' in text
    assert "| accuracy |" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_names_of_classes_and_paths_are_inert_in_markdown() -> None:
    classes = [*HOSTILE, "[a](javascript:alert(1))", "![x](http://example.org/x.png)", "| a | b |", "`code`", "# a"]
    run = made(("logistic_regression",), classes, count=60)
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        written(run, "logistic_regression", raw=[card.Source("<b>.csv", "0" * 64)])
    )
    assert not re.search(r"<(script|img|a|b|style|em)\b", html)
    assert len(re.findall("<th[ >]", html)) == 3 + 3  # no name adds a column
    assert "Markdown" not in html


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"evaluate.threshold": "accuracy"}, "chosen, for each model, for the highest accuracy on the validation rows"),
        ({"evaluate.threshold": "precision", "evaluate.target_precision": "0.4"}, "for a precision of at least 40.0%"),
        ({"evaluate.calibration": "temperature"}, "- temperature: "),
        ({"evaluate.calibration": "platt"}, "Platt's scaling, fitted on the validation rows"),
        ({"split.stratify": "true"}, "with the same balance of classes in each split"),
        ({"split.group_duplicates": "true"}, "were kept in one split"),
        ({"train.logistic_regression.C": "[0.1, 1.0]"}, "chosen from 0.1 and 1 by cross-validation"),
        ({"data.group": "author"}, "all rows of one author in one split"),
        ({"vectorize.analyzer": "word+char_wb"}, "runs of 2 to 5 letters"),
        ({"vectorize.hashing": "4096"}, "hashed columns"),
    ],
)
def test_a_card_says_what_the_settings_do(settings: dict[str, str], said: str) -> None:
    assert said in written(made(validation=True, settings=settings), "logistic_regression")


def test_a_split_by_hash_is_not_said_to_be_drawn() -> None:
    assert "drawn at random (seed 1000)" in written(made(), "logistic_regression")
    hashed = written(made(settings={"split.method": "hash"}), "logistic_regression")
    assert "each by a hash of its text (seed 1000)" in hashed
    assert "drawn at random" not in hashed


def test_a_network_says_how_long_it_trained() -> None:
    assert "trained for all of its 100 epochs" in written(made(("keras",)), "keras")
    stopped = made(("keras",), validation=True, settings={"train.keras.early_stopping": "10"})
    assert "or until 10 epochs brought no lower loss" in written(stopped, "keras")
    assert (
        "network" not in written(made(("majority", "keras")), "majority").split("## Limitations")[0].split("##", 6)[6]
    )


def test_watched_test_rows_and_missing_validation_rows_are_a_caveat() -> None:
    assert "keras watched the test rows" in written(made(("keras",)), "keras", watched=True)
    assert "watched" not in written(made(("keras",)), "keras")
    assert "There are no validation rows" in written(made(("keras",)), "keras")
    assert "There are no validation rows" not in written(made(("keras",), validation=True), "keras", watched=True)


def report_of(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "train": {"classes": {"a": 500, "b": 500}},
        "test": {"classes": {"a": 5000, "b": 5000}},
        "leaks": {"exact": {"test_in_train": 0}, "normalised": {"test_in_train": 0}},
        "duplicates": {"exact": {"train": 0, "test": 0}, "normalised": {"train": 0, "test": 0}},
        "label_conflicts": {"exact": 0, "normalised": 0},
        "dropped": {"rows": 0, "label": 0, "text": 0},
    }
    return found | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"leaks": {"normalised": {"test_in_train": 1}}}, "that of 1 test row among the training rows"),
        ({"label_conflicts": {"normalised": 2}}, "2 texts stand under more than one class"),
        ({"dropped": {"rows": 1}}, "1 row without a text or a label was left out"),
        ({"test": {"classes": {"a": 5000, "b": 9}}}, "Class b has fewer than 20 test rows"),
        ({"test": {"classes": {"a": 5000}}}, "Class b has fewer than 20 test rows"),
        ({"train": {"classes": {"a": 90_000, "b": 500}}}, "from 5,550 rows (b) to 95,050 (a)"),
        ({"test": {"classes": {"a": 50, "b": 50}}}, "known to about ±10 points at worst"),
    ],
)
def test_caveats_say_what_is_amiss_and_nothing_else(changes: dict[str, Any], said: str | None) -> None:
    settings = made(validation=True).settings
    validated = report_of(validation={"classes": {"a": 50, "b": 50}})
    found = card.caveats(settings, validated | changes, ["a", "b"], [])
    assert (found == []) if said is None else any(said in sentence for sentence in found)


def test_what_was_looked_for_and_not_found_is_said() -> None:
    assert card.fine(report_of()) == ["No text stands in two splits.", "No text stands twice in a split."]
    assert card.fine(made().splits_report) == []


def test_a_built_in_corpus_brings_its_rights_and_another_has_none() -> None:
    found = card.sources({YELP.file: YELP.sha256}, "data/raw")
    assert found == [card.Source(f"data/raw/{YELP.file}", YELP.sha256, "yelp", YELP.licence, YELP.citation)]
    assert card.rights(found)["language"] == "English"
    own = card.sources({"rows.csv": "0" * 64}, "some/rows.csv")
    assert own == [card.Source("some/rows.csv", "0" * 64)]
    assert set(card.rights(own).values()) == {card.YOURS, "your own file"}
    assert card.rights([*found, SOURCE])["licence"] == f"{YELP.licence} and {card.YOURS}"


def test_characters_that_hide_or_reorder_others_are_made_visible() -> None:
    assert card.visible("a\u202eb\x00c\x1b[0m\u2028\u200b") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+001B⟩[0m⟨U+2028⟩⟨U+200B⟩"
    assert card.visible("ünï \N{FAMILY}\u200d\n\t") == "ünï \N{FAMILY}\u200d\n\t"


def test_labels_are_short_visible_and_distinct() -> None:
    found = card.labels(["a" * 99, "a" * 98, " ", "", "b\nc", "\u202e"], limit=10)
    assert len(set(found.values())) == len(found)
    assert all(len(label) <= 10 for label in found.values())
    assert found["\u202e"] == "⟨U+202E⟩"
