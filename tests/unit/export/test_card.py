import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests import approved
from tests.metrics import MEASURED
from tests.results import facts, share
from tests.runs import HOSTILE
from textclf.core.formatting import join_names
from textclf.evaluate.registry import METRICS, metrics_of
from textclf.evaluate.results import Ends
from textclf.export import card
from textclf.export.sources import Source, list_sources
from textclf.fetch.catalogue import CORPORA
from textclf.pretrained.catalogue import CATALOGUE

YELP = list_sources({CORPORA["yelp"].file: CORPORA["yelp"].sha256}, "data/raw")
OWN = [Source("rows.csv", "0" * 64)]
SECTIONS = [
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


SETS: dict[str, Any] = {
    "rows": 250,
    "coverage": share(0.94, 0.9, 0.96),
    "set_size": 1.25,
    "empty": 0.0,
    "answered": 0.75,
    "several": 0.25,
    "accuracy": share(0.92, 0.88, 0.95, 188),
    "classes": {"0": share(0.9, 0.8, 0.95, 100), "1": share(0.96, 0.9, 0.98, 150)},
}
ASKED = {"coverage": 0.95, "by_class": 0, "validation_rows": 100}
UNSURE: dict[str, Any] = {"measured": {"accuracy": 0.875, "log_loss": 0.5, "f1": 0.0}, "intervals": {"log_loss": None}}


def render(
    model: str = "logistic_regression",
    classes: Sequence[str] = ("0", "1"),
    sources: Sequence[Source] = YELP,
    measured: Mapping[str, float] | None = None,
    intervals: Mapping[str, Any] | None = None,
    decision: Mapping[str, Any] | None = None,
    sets: Mapping[str, Any] | None = None,
    unknown: Any = None,
    splits: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
    sections: Mapping[str, Any] | None = None,
    **options: Any,
) -> str:
    """Return the card of one model of made-up results, with what differs from those of 40 test rows of two classes."""
    measured = measured or {"accuracy": 0.875, "log_loss": 0.5}
    shown = {name: Ends(low=0.25, high=1.0) for name in measured if METRICS[name].interval and name != "f1"}
    decided = decision or ({"threshold": 0.5} if len(classes) == 2 else {})
    entry = {"kind": model, "features": "words"} | dict(settings or {})
    counts = {split: {"classes": dict.fromkeys(classes, 20)} for split in ("train", "validation", "test")}
    run = facts(
        classes,
        sources,
        sections={"about": about or {}, "train": {model: entry}} | dict(sections or {}),
        evaluation={model: {"train": {"accuracy": 1.0}, "test": measured}},
        intervals={model: {"train": {}, "test": shown | dict(intervals or {})}},
        decisions={model: {**decided, "ece_if_calibrated": {"test": 0.045}}},
        training={model: {"parameters": 3, "best_epoch": 2}},
        coverage={"protocol": ASKED, model: sets} if sets else {},
        unknown={model: {"test": unknown}} if unknown else {},
        splits=counts | dict(splits or {}),
    )
    return card.render(run, model, {"words": 5, "sentences": 384}, **options)


def test_a_card_states_the_rights_in_pretrained_weights_and_what_the_model_sees() -> None:
    words = {"method": "token_ids", "vectors": "glove-6b-50d"}
    sections = {
        "vectorize": {"sentences": {"method": "encoder"}, "words": words},
        "combine": {"both": {"first": "sentences", "second": "words"}},
    }
    text = render(settings={"features": "both"}, sections=sections)
    for name in ("all-minilm-l6-v2", "glove-6b-50d"):
        entry = CATALOGUE[name]
        assert f"The pretrained weights {name}: {entry.licence}. {entry.citation}.\n" in text
    assert "Predicting reads `../pretrained/all-minilm-l6-v2`" in text
    assert "../pretrained/glove-6b-50d" not in text
    assert "byte for byte, on machines of the same type." in text
    assert "- By sentences, the model sees of a text the first 256 word pieces.\n" in text
    assert "- By words, the model sees of a text only words of the training rows, and of more than 100 of them" in text


OWN_WEIGHTS = {"pretrained": None, "path": "mine", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("model", "settings", "names"),
    [
        ("cnn", {"vectors": None}, []),
        ("cnn", {"vectors": "frozen"}, ["glove-6b-50d"]),
        ("transformer", OWN_WEIGHTS, ["glove-6b-50d", "own-" + "ab" * 8]),
    ],
)
def test_weights_are_listed_if_the_network_starts_from_them(
    model: str, settings: dict[str, Any], names: list[str]
) -> None:
    words = {"words": {"method": "token_ids", "vectors": "glove-6b-50d"}}
    text = render(model, settings=settings, sections={"vectorize": words})
    assert re.findall("^The pretrained weights (.+?):", text, re.MULTILINE) == names
    own = "own-abababababababab: your own; whether they may be passed on is yours to state.\n"
    assert (own in text) == (model == "transformer")


def rows_of(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table in a section."""
    section = text.split(f"## {heading}\n")[1].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]


def test_a_card_is_as_it_was_approved() -> None:
    values = {name: (n + 1) / 16 for n, name in enumerate(MEASURED)}
    decision = {"threshold": 0.25, "slope": 2.0, "intercept": -1.0, "validation_mistakes": 3}
    f1 = {"f1": Ends(low=0.25, high=1.0)}
    sections = {"evaluate": {"coverage": 0.95}, "vectorize": {"words": {"method": "encoder"}}}
    text = render(measured=values, intervals=f1, decision=decision, sets=SETS, sections=sections)
    approved.check(text, Path(__file__).with_name("card.txt"))


def test_a_card_has_every_section_and_repeats() -> None:
    text = render()
    assert text == render()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


TITLES = f"The {join_names([metric.title for metric in metrics_of(False).values() if metric.per_class])}"


@pytest.mark.parametrize(
    ("given", "said", "silent"),
    [
        (
            {"settings": {"C": 2.0}},
            ["- C: 2.0\n"],
            ["pretrained", "on machines of the same type", "ignores the text", "Warning", "--coverage"],
        ),
        (
            {"model": "majority", "ignores_text": True},
            ["- The model ignores the text.\n- It "],
            ["The model sees"],
        ),
        ({"classes": ("a", "b", "c")}, [f"{TITLES} are means over the classes, each against the rest."], []),
        (
            {"sources": OWN},
            ["2 classes: 0, 1.\n", "depends on the rights in the data, which only their owner knows"],
            ["language: en"],
        ),
        (
            {"sources": OWN, "about": {"language": "German"}},
            ["\nlanguage: de\n---", "- Language: German.\n"],
            [],
        ),
        (
            {"sources": OWN, "about": {"language": "Klingon"}},
            ["- Language: Klingon.\n"],
            ["\nlanguage: "],
        ),
        (
            {
                "sources": OWN,
                "sections": {"about": {"title": "Tickets", "licence": "CC0", "class_names": {"1": "urgent"}}},
            },
            ["- Origin: Tickets.\n", "2 classes: 0, urgent (1).\n", "The data: CC0.\nWhoever"],
            [],
        ),
        (
            {"decision": {"threshold": 0.25, "temperature": 1.5}},
            ["is above 0.25.\n- temperature: 1.5\n"],
            ["| MCC |"],  # which was not measured
        ),
        (
            {"classes": ("a", "b", "c"), "decision": {"slope": 2.0, "intercept": -1.0}},
            ["highest probability.\n- intercept: -1.0\n- slope: 2.0\n"],
            [],
        ),
        (
            {"sets": SETS | {"accuracy": None}, "sections": {"evaluate": {"coverage": 0.95}}},
            ["The model answers 75.0% of the rows.\nFor texts of another kind"],
            [],
        ),
        (
            {"sets": SETS | {"coverage": None}, "sections": {"evaluate": {"coverage": 0.95}}},  # no row has a label
            [],
            ["--coverage"],
        ),
        (UNSURE, ["0.500 (too few rows)", "| 0.0% |", "87.5% (25.0% to 100.0%)"], []),
    ],
)
def test_a_card_says(given: dict[str, Any], said: list[str], silent: list[str]) -> None:
    text = render(**given)
    assert [sentence for sentence in said if sentence not in text] == []
    assert [words for words in silent if words in text] == []


def test_long_lists_are_cut() -> None:
    classes = [f"class {n:03d}" for n in range(25)]
    text = render(classes=classes, sources=[Source(f"part{n}.csv", f"{n:064}") for n in range(27)])
    assert "class 019 and 5 more.\n" in text
    assert "- and 7 more files\n" in text
    assert len(rows_of(text, "Data")) == 2 + 25 + 1
    assert [row[0] for row in rows_of(render(), "Data")] == ["class", "---", "negative (0)", "positive (1)", "all"]
    assert rows_of(render(), "Data")[-1] == ["all", "40", "40"]


def test_names_of_classes_and_paths_are_inert_in_markdown() -> None:
    classes = [*HOSTILE, "[a](javascript:alert(1))", "![x](http://example.org/x.png)", "| a | b |", "`code`", "# a"]
    text = render(classes=classes, sources=[Source("<b>.csv", "0" * 64)])
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert not re.search(r"<(script|img|a|b|style|em)\b", html)
    assert len(re.findall("<th[ >]", html)) == 3 + 3  # no name adds a column
    assert "Markup" not in html


CELL = share(0.9, 0.8, 0.95)
FOUND: dict[str, Any] = {"accuracy": CELL, "recall": share(0.5, 0.4, 0.6), "precision": None, "scores": {}}
REJECTING = {"threshold": 0.5, "rejection": {"score": "energy", "threshold": 1.25}}


def test_a_card_says_which_texts_get_no_label_and_how_many_of_no_class_are_found() -> None:
    text = render(decision=REJECTING, unknown=FOUND)
    assert "A text whose energy is below 1.25 gets no label; `model.onnx` has no such rule.\n" in text
    assert "belong to no class 50.0% (40.0% to 60.0%) are found; of the others 90.0% (80.0% to 95.0%) get" in text
    assert "rejection" not in text
    assert "no class" not in render()


@pytest.mark.parametrize(
    ("decision", "unknown", "silent"),
    [
        ({"threshold": 0.5}, None, False),
        ({"costs": ((0.0, 2.0), (1.0, 0.0))}, None, False),
        ({"costs": ((0.0, 2.0, 0.5), (1.0, 0.0, 0.5))}, None, True),
        (REJECTING, None, True),
        ({"threshold": 0.5}, FOUND, True),  # they are a class
    ],
)
def test_only_the_card_of_a_model_that_answers_every_text_says_so(
    decision: dict[str, Any], unknown: Any, silent: bool
) -> None:
    text = render(decision=decision, unknown=unknown)
    assert ('the model cannot answer "none of these"' not in text) == silent


@pytest.mark.parametrize("trained", [False, True])
def test_the_protocol_says_whether_texts_of_no_class_train(trained: bool) -> None:
    data = {"unknown": "oos", "train_unknown": trained}
    text = render(splits={"unknown": {"oos": {"train": 3, "test": 4}}}, sections={"data": data})
    end = "the models learn this label" if trained else "those texts train no model, and the validation rows choose"
    assert f"- 4 test rows labelled oos measure how texts of no class are found; {end}" in text


def test_the_card_of_several_labels_has_a_threshold_for_each() -> None:
    of_labels = dict(zip(("a*", "b"), SETS["classes"].values(), strict=True))
    sizes = {"train": 30, "test": 25}
    text = render(
        classes=("a*", "b"),
        sources=OWN,
        measured={"accuracy": 0.875, "micro_f1": 0.9, "f1": 0.8, "log_loss": 0.5},
        intervals={"f1": Ends(low=0.25, high=1.0)},
        decision={"thresholds": (0.5, 0.25)},
        sets=SETS | {"accuracy": None, "classes": of_labels},
        splits={
            split: {"classes": {"a*": 20, "b": 20}, "rows": size, "without_labels": 0} for split, size in sizes.items()
        },
        sections={"evaluate": {"coverage": 0.9}},
    )
    first, second, *_ = text.partition("# logistic regression\n\n")[2].splitlines()
    assert first == "Finds which of 2 labels a text has: a\\*, b."
    assert second == (
        "It finds exactly the labels of **87.5%** of 25 test rows (subset accuracy; 95% interval 25.0% to 100.0%); "
        "micro F1 90.0% (25.0% to 100.0%); macro F1 80.0% (25.0% to 100.0%)."
    )
    assert "| subset accuracy | 100.0% | 87.5% (25.0% to 100.0%) |\n| micro F1 |" in text
    assert "- Output: one probability per label, and the labels decided, of which there may be none." in text
    assert "| label | train rows | test rows |" in text
    assert "| all | 30 | 25 |" in text
    assert "| label | threshold |\n| --- | ---: |\n| a\\* | 0.5 |\n| b | 0.25 |\n\n" in text
    assert "are means over the labels, each against the rest." in text
    assert "adds a set of labels: of the texts that have labels, it holds 90% of the labels on average." in text
    for wrong in ("highest probability", "none of these", "- thresholds", "The model answers 75", "class, "):
        assert wrong not in text
