import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests import approved
from tests.metrics import MEASURED
from tests.results import facts, share
from tests.runs import HOSTILE
from textclf.core.settings import parse_yaml
from textclf.evaluate.registry import METRICS
from textclf.evaluate.results import Ends
from textclf.export import card
from textclf.export.sources import Source, list_sources
from textclf.fetch.catalogue import CORPORA

YELP = list_sources({CORPORA["yelp"].file: CORPORA["yelp"].sha256}, "data/raw")
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
    baseline: Mapping[str, Any] | None = None,
    sections: Mapping[str, Any] | None = None,
    **options: Any,
) -> str:
    """Return a model's card that differs so from one of 40 test rows of two classes."""
    measured = measured or {"accuracy": 0.875, "log_loss": 0.5}
    shown = {
        name: Ends(low=0.25, high=1.0)
        for name in measured
        if METRICS[name].interval and name != "f1"
    }
    decided = decision or ({"threshold": 0.5} if len(classes) == 2 else {})
    entry = {"kind": model, "features": "words"} | dict(settings or {})
    counts = {
        split: {"classes": dict.fromkeys(classes, 20)} for split in ("train", "validation", "test")
    }
    guessing = {
        name: 0.5 for name in ("accuracy", "cost", "log_loss", "micro_f1", "f1") if name in measured
    }
    run = facts(
        classes,
        sources,
        sections={"about": about or {}, "train": {model: entry}} | dict(sections or {}),
        evaluation={model: {"train": {"accuracy": 1.0}, "test": measured}},
        intervals={model: {"train": {}, "test": shown | dict(intervals or {})}},
        decisions={
            model: {**decided, "ece_if_calibrated": {"test": 0.045}},
            "guessing": guessing | dict(baseline or {}),
        },
        training={model: {"parameters": 3, "best_epoch": 2}},
        coverage={"protocol": ASKED, model: sets} if sets else {},
        unknown={model: {"test": unknown}} if unknown else {},
        splits=counts | dict(splits or {}),
    )
    return card.render(run, model, {"words": 5, "sentences": 384}, **options)


FOUND: dict[str, Any] = {
    "accuracy": share(0.9, 0.8, 0.95),
    "recall": share(0.5, 0.4, 0.6),
    "scores": {},
}
FIT = {"rows": 1000, "before": 0.6, "after": 0.5}


def test_a_card_is_as_it_was_approved() -> None:
    values = {name: (n + 1) / 16 for n, name in enumerate(MEASURED)}
    decision = {
        "threshold": 0.25,
        "slope": 2.0,
        "intercept": -1.0,
        "validation_mistakes": 3,
        "calibrated": FIT,
    }
    f1 = {"f1": Ends(low=0.25, high=1.0)}
    evaluate = {"coverage": 0.95, "calibration": "platt"}
    sections = {"evaluate": evaluate, "vectorize": {"words": {"method": "encoder"}}}
    text = render(measured=values, intervals=f1, decision=decision, sets=SETS, sections=sections)
    assert text == render(
        measured=values, intervals=f1, decision=decision, sets=SETS, sections=sections
    )
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    approved.check(text, Path(__file__).with_name("card.txt"))


def test_what_differs_in_the_card_of_each_run_is_as_it_was_approved() -> None:
    usual = render().splitlines()

    def say(case: str) -> list[str]:
        """Return what differs in a card; cases of `sets` and `unknown` change these."""
        run: dict[str, Any] = parse_yaml(f"{{{case}}}", "case")
        own = [Source(f"part{n}.csv", f"{n:064}") for n in range(run.pop("files", 0))]
        usually = {"sets": SETS, "unknown": FOUND}
        run |= {name: found | run[name] for name, found in usually.items() if name in run}
        return approved.changed(usual, render(**run, sources=own or YELP).splitlines())

    approved.check_cases(Path(__file__).with_name("cards.txt"), say)


def test_names_of_classes_and_paths_are_inert_in_markdown() -> None:
    classes = [
        *HOSTILE,
        "[a](javascript:alert(1))",
        "![x](http://example.org/x.png)",
        "| a | b |",
        "`code`",
        "# a",
    ]
    text = render(classes=classes, sources=[Source("<b>.csv", "0" * 64)])
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert not re.search(r"<(script|img|a|b|style|em)\b", html)
    assert len(re.findall("<th[ >]", html)) == 3 + 3  # no name adds a column
    assert "Markup" not in html
