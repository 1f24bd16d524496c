import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests import approved
from tests.metrics import MEASURED
from tests.runs import HOSTILE
from textclf.core.about import About
from textclf.core.formatting import join_names
from textclf.evaluate.registry import METRICS, metrics_of
from textclf.evaluate.settings import Evaluate
from textclf.export import card, description
from textclf.export.card import Results
from textclf.export.sources import Source, list_sources, list_weights
from textclf.fetch.catalogue import CORPORA
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.pretrained.catalogue import CATALOGUE
from textclf.split.settings import Split
from textclf.tables.settings import Data
from textclf.vectorize.settings import Vectorize

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


def results(metrics: Mapping[str, float] | None = None, decision: Mapping[str, Any] | None = None) -> Results:
    measured = {"accuracy": 0.875} if metrics is None else metrics
    ends = {name: {"low": 0.25, "high": 1.0} for name in measured if METRICS[name].interval}
    return Results(
        metrics={"train": {"accuracy": 1.0}, "test": measured},
        intervals={"train": {}, "test": ends},
        decision={"threshold": 0.5} if decision is None else decision,
        record={"parameters": 3, "best_epoch": 2},
        ece_if_calibrated={"test": 0.045},
    )


def render(
    model: str = "logistic_regression",
    classes: Sequence[str] = ("0", "1"),
    sources: Sequence[Source] = YELP,
    measured: Results | None = None,
    settings: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Return a card of made-up results."""
    arguments: dict[str, Any] = {
        "rows": {split: dict.fromkeys(classes, 20) for split in ("train", "test")},
        "representation": "counts of words",
        "protocol": ["First sentence.", "Second sentence."],
        "caveats": ["A caveat."],
        "confidence": 0.95,
        "warnings": [],
        "default": "keras: the only model",
    }
    chosen = load_model(model).Settings.model_validate(settings or {})
    measured = measured or results()
    return card.render(model, model, chosen, measured, sources=sources, classes=classes, **(arguments | changes))


SETS: dict[str, Any] = {
    "rows": 250,
    "coverage": {"value": 0.94, "low": 0.9, "high": 0.96, "rows": 250},
    "set_size": 1.25,
    "empty": 0.0,
    "answered": 0.75,
    "several": 0.25,
    "accuracy": {"value": 0.92, "low": 0.88, "high": 0.95, "rows": 188},
    "classes": {
        "0": {"value": 0.9, "low": 0.8, "high": 0.95, "rows": 100},
        "1": {"value": 0.96, "low": 0.9, "high": 0.98, "rows": 150},
    },
}


def test_a_card_states_the_rights_in_pretrained_weights_and_what_the_model_sees() -> None:
    words = {"sentences": {"method": "encoder"}, "words": {"method": "token_ids", "vectors": "glove-6b-50d"}}
    vectorize = Vectorize.model_validate(words)
    weights = list_weights(load_model("logistic_regression").Settings(), [vectorize[name] for name in words])
    limits = description.limits(vectorize, list(words))
    text = render(weights=weights, limits=limits)
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
    sequences = Vectorize.model_validate({"sequences": {"method": "token_ids", "vectors": "glove-6b-50d"}})["sequences"]
    weights = list_weights(load_model(model).Settings.model_validate(settings), [sequences])
    assert [each.name for each in weights] == names
    own = "own-abababababababab: your own; whether they may be passed on is yours to state.\n"
    assert (own in render(weights=weights)) == (model == "transformer")


def rows_of(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table in a section."""
    section = text.split(f"## {heading}\n")[1].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]


def test_a_card_is_as_it_was_approved() -> None:
    values = {name: (n + 1) / 16 for n, name in enumerate(MEASURED)}
    measured = replace(results(values, {"threshold": 0.25, "slope": 2.0, "intercept": -1.0}), sets=SETS)
    weights = list_weights(load_model("transformer").Settings(), [])
    text = render(measured=measured, coverage=0.95, weights=weights, warnings=["a warning"], limits=["A limit."])
    approved.check(text, Path(__file__).with_name("card.txt"))


def test_a_card_has_every_section_and_repeats() -> None:
    text = render()
    assert text == render()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


TITLES = f"The {join_names([metric.title for metric in metrics_of(False).values() if metric.per_class])}"
UNSURE = replace(
    results({"accuracy": 0.875, "log_loss": 0.5, "f1": 0.0}),
    intervals={"test": {"accuracy": {"low": 0.25, "high": 1.0}, "log_loss": None}},
)


@pytest.mark.parametrize(
    ("given", "said", "silent"),
    [
        (
            {"settings": {"C": 2.0}},
            ["- C: 2.0\n"],
            ["pretrained", "on machines of the same type", "ignores the text", "Warning", "--coverage"],
        ),
        (
            {"model": "majority", "ignores_text": True, "limits": ["A limit."]},
            ["- The model ignores the text.\n- It "],
            ["A limit."],
        ),
        ({"limits": ["A limit."]}, ["- A limit.\n- It repeats"], []),
        ({"classes": ("a", "b", "c")}, [f"{TITLES} are means over the classes, each against the rest."], []),
        (
            {"sources": OWN},
            ["2 classes: 0, 1.\n", "depends on the rights in the data, which only their owner knows"],
            ["language: en"],
        ),
        ({"sources": OWN, "about": About(language="German")}, ["\nlanguage: de\n---", "- Language: German.\n"], []),
        ({"sources": OWN, "about": About(language="Klingon")}, ["- Language: Klingon.\n"], ["\nlanguage: "]),
        (
            {"sources": OWN, "about": About(title="Tickets", licence="CC0", class_names={"1": "urgent"})},
            ["- Origin: Tickets.\n", "2 classes: 0, urgent (1).\n", "The data: CC0.\nWhoever"],
            [],
        ),
        (
            {"measured": results(decision={"threshold": 0.25, "temperature": 1.5})},
            ["is above 0.25.\n- temperature: 1.5\n"],
            ["| MCC |"],  # which was not measured
        ),
        (
            {"classes": ("a", "b", "c"), "measured": results(decision={"slope": 2.0, "intercept": -1.0})},
            ["highest probability.\n- intercept: -1.0\n- slope: 2.0\n"],
            [],
        ),
        (
            {"measured": replace(results(), sets=SETS | {"accuracy": None}), "coverage": 0.95},
            ["The model answers 75.0% of the rows.\nFor texts of another kind"],
            [],
        ),
        ({"measured": UNSURE}, ["0.500 (too few rows)", "| 0.0% |", "87.5% (25.0% to 100.0%)"], []),
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
    text = render(classes=classes, sources=[Source("<b>.csv", "0" * 64)], measured=results(decision={}))
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert not re.search(r"<(script|img|a|b|style|em)\b", html)
    assert len(re.findall("<th[ >]", html)) == 3 + 3  # no name adds a column
    assert "Markup" not in html


def test_a_card_says_which_texts_get_no_label_and_how_many_of_no_class_are_found() -> None:
    cells = {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}, "recall": {"value": 0.5, "low": 0.4, "high": 0.6}}
    decision = {"threshold": 0.5, "rejection": {"score": "energy", "threshold": 1.25}}
    text = render(measured=replace(results(decision=decision), unknown=cells))
    assert "A text whose energy is below 1.25 gets no label; `model.onnx` has no such rule.\n" in text
    assert "belong to no class 50.0% (40.0% to 60.0%) are found; of the others 90.0% (80.0% to 95.0%) get" in text
    assert "rejection" not in text
    assert "no class" not in render()


@pytest.mark.parametrize(
    ("decision", "unknown", "silent"),
    [
        ({"threshold": 0.5}, False, False),
        ({"costs": [[0, 2], [1, 0]]}, False, False),
        ({"costs": [[0, 2, 0.5], [1, 0, 0.5]]}, False, True),
        ({"threshold": 0.5, "rejection": {"score": "energy", "threshold": 1.25}}, False, True),
        ({"threshold": 0.5}, True, True),  # they are a class
    ],
)
def test_only_the_card_of_a_model_that_answers_every_text_says_so(
    decision: dict[str, Any], unknown: bool, silent: bool
) -> None:
    cell = {"value": 0.9, "low": 0.8, "high": 0.95}
    found = {"accuracy": cell, "recall": cell} if unknown else None
    text = render(measured=replace(results(decision=decision), unknown=found))
    assert ('the model cannot answer "none of these"' not in text) == silent


@pytest.mark.parametrize("trained", [False, True])
def test_the_protocol_says_whether_texts_of_no_class_train(trained: bool) -> None:
    data = Data(unknown="oos", train_unknown=trained)
    counts = {split: {"classes": {"a": 5, "b": 5}} for split in ("train", "test")}
    report = counts | {"unknown": {"oos": {"train": 3, "test": 4}}}
    train = Train.model_validate({"majority": {"kind": "majority", "features": "words"}})
    sentences = description.protocol(data, Split(), train, Evaluate(), report, {"a": "a", "b": "b"}, ["majority"])
    end = "the models learn this label" if trained else "those texts train no model, and held-out training rows choose"
    (found,) = [sentence for sentence in sentences if "labelled oos" in sentence]
    assert found.startswith("4 test rows labelled oos measure how texts of no class are found; ")
    assert end in found


def test_the_card_of_several_labels_has_a_threshold_for_each() -> None:
    of_labels = dict(zip(("a*", "b"), SETS["classes"].values(), strict=True))
    measured = replace(
        results({"accuracy": 0.875, "micro_f1": 0.9, "f1": 0.8}, {"thresholds": [0.5, 0.25]}),
        sets=SETS | {"accuracy": None, "classes": of_labels},
    )
    text = render(classes=("a*", "b"), measured=measured, sizes={"train": 30, "test": 25}, coverage=0.9, sources=OWN)
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
