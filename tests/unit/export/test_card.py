import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests import approved
from tests.metrics import MEASURED
from tests.results import facts, share
from tests.runs import HOSTILE
from textclf.evaluate.registry import METRICS
from textclf.evaluate.results import Ends
from textclf.export import card
from textclf.export.sources import Source, list_sources
from textclf.fetch.catalogue import CORPORA

YELP = list_sources({CORPORA["yelp"].file: CORPORA["yelp"].sha256}, "data/raw")
OWN = [Source("rows.csv", "0" * 64)]
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


MORE_CLASSES = {"classes": ("a", "b", "c")}
CELL = share(0.9, 0.8, 0.95)
FOUND: dict[str, Any] = {"accuracy": CELL, "recall": share(0.5, 0.4, 0.6), "precision": None, "scores": {}}
REJECTING = {"threshold": 0.5, "rejection": {"score": "energy", "threshold": 1.25}}
TOKEN_IDS = {"method": "token_ids", "vectors": "glove-6b-50d"}
OWN_WEIGHTS = {"pretrained": None, "path": "mine", "sha256": "ab" * 32}
UNKNOWN = {"unknown": {"oos": {"train": 3, "test": 4}}}
FIT = {"rows": 1000, "before": 0.6, "after": 0.5}
CALIBRATING = {"evaluate": {"calibration": "temperature"}}
WITH_SETS = {"evaluate": {"coverage": 0.95}}
CARDS: dict[str, dict[str, Any]] = {
    "a setting": {"settings": {"C": 2.0}},
    "a model that ignores the text": {"model": "majority", "ignores_text": True},
    "three classes": MORE_CLASSES,
    "your own file": {"sources": OWN},
    "your own file in a language with a code": {"sources": OWN, "about": {"language": "German"}},
    "your own file in another language": {"sources": OWN, "about": {"language": "Klingon"}},
    "what you state of it": {
        "sources": OWN,
        "about": {"title": "Tickets", "licence": "CC0", "class_names": {"1": "urgent"}},
    },
    "a temperature": {"decision": {"threshold": 0.25, "temperature": 1.5, "calibrated": FIT}, "sections": CALIBRATING},
    "a temperature of no use": {"decision": {"threshold": 0.25, "calibrated": FIT}, "sections": CALIBRATING},
    "several labels of which one is calibrated": {
        "decision": {"thresholds": [0.5, 0.5], "slopes": [1.0, 0.5], "intercepts": [0.0, 0.0], "calibrated": FIT},
        "sections": CALIBRATING,
    },
    "costs": {"decision": {"costs": ((0.0, 2.0), (1.0, 0.0))}},
    "costs of no answer": {"decision": {"costs": ((0.0, 2.0, 0.5), (1.0, 0.0, 0.5))}},
    "prediction sets of which none is an answer": {"sets": SETS | {"accuracy": None}, "sections": WITH_SETS},
    "prediction sets of texts without labels": {"sets": SETS | {"coverage": None}, "sections": WITH_SETS},
    "an interval that cannot be given": {
        "measured": {"accuracy": 0.875, "log_loss": 0.5, "f1": 0.0},
        "intervals": {"log_loss": None},
    },
    "texts of no class that are rejected": {"decision": REJECTING, "unknown": FOUND},
    "texts of no class that are a class": {"unknown": FOUND},
    "texts of no class that train nothing": {"splits": UNKNOWN, "sections": {"data": {"unknown": "oos"}}},
    "texts of no class that train": {
        "splits": UNKNOWN,
        "sections": {"data": {"unknown": "oos", "train_unknown": True}},
    },
    "two representations of pretrained weights": {
        "settings": {"features": "both"},
        "sections": {
            "vectorize": {"sentences": {"method": "encoder"}, "words": TOKEN_IDS},
            "combine": {"both": {"first": "sentences", "second": "words"}},
        },
    },
    "a network that starts from vectors": {
        "model": "cnn",
        "settings": {"vectors": "frozen"},
        "sections": {"vectorize": {"words": TOKEN_IDS}},
    },
    "a network that starts from none": {
        "model": "cnn",
        "settings": {"vectors": None},
        "sections": {"vectorize": {"words": TOKEN_IDS}},
    },
    "weights of your own": {
        "model": "transformer",
        "settings": OWN_WEIGHTS,
        "sections": {"vectorize": {"words": TOKEN_IDS}},
    },
    "more classes and files than are listed": {
        "classes": [f"class {n:03d}" for n in range(25)],
        "sources": [Source(f"part{n}.csv", f"{n:064}") for n in range(27)],
    },
    "several labels": {
        "classes": ("a*", "b"),
        "sources": OWN,
        "measured": {"accuracy": 0.875, "micro_f1": 0.9, "f1": 0.8, "log_loss": 0.5},
        "intervals": {"f1": Ends(low=0.25, high=1.0)},
        "decision": {"thresholds": (0.5, 0.25)},
        "sets": SETS | {"accuracy": None, "classes": dict(zip(("a*", "b"), SETS["classes"].values(), strict=True))},
        "splits": {
            split: {"classes": {"a*": 20, "b": 20}, "rows": size, "without_labels": 0}
            for split, size in {"train": 30, "test": 25}.items()
        },
        "sections": {"evaluate": {"coverage": 0.9}},
    },
}


def test_a_card_is_as_it_was_approved() -> None:
    values = {name: (n + 1) / 16 for n, name in enumerate(MEASURED)}
    decision = {"threshold": 0.25, "slope": 2.0, "intercept": -1.0, "validation_mistakes": 3, "calibrated": FIT}
    f1 = {"f1": Ends(low=0.25, high=1.0)}
    evaluate = WITH_SETS["evaluate"] | {"calibration": "platt"}
    sections = {"evaluate": evaluate, "vectorize": {"words": {"method": "encoder"}}}
    text = render(measured=values, intervals=f1, decision=decision, sets=SETS, sections=sections)
    assert text == render(measured=values, intervals=f1, decision=decision, sets=SETS, sections=sections)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    approved.check(text, Path(__file__).with_name("card.txt"))


def test_what_differs_in_the_card_of_each_run_is_as_it_was_approved() -> None:
    usual = render().splitlines()
    said = {name: approved.changed(usual, render(**run).splitlines()) for name, run in CARDS.items()}
    text = "".join(f"# {name}\n" + "".join(f"{line}\n" for line in lines) + "\n" for name, lines in said.items())
    approved.check(text, Path(__file__).with_name("cards.txt"))


def test_names_of_classes_and_paths_are_inert_in_markdown() -> None:
    classes = [*HOSTILE, "[a](javascript:alert(1))", "![x](http://example.org/x.png)", "| a | b |", "`code`", "# a"]
    text = render(classes=classes, sources=[Source("<b>.csv", "0" * 64)])
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert not re.search(r"<(script|img|a|b|style|em)\b", html)
    assert len(re.findall("<th[ >]", html)) == 3 + 3  # no name adds a column
    assert "Markup" not in html
