"""The text of whole pages, as approved: any change in a sentence or number is seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import approved
from tests.behaviours import case, results_of, said
from tests.page import without_pictures
from tests.results import comparison, difference, ends, share, slice_of, with_results
from tests.runs import YELP, make_run
from textclf.core.result_files import to_json
from textclf.core.settings import parse_yaml
from textclf.evaluate.results import Area, Foreseen, OfLabels, RejectedByScore, Unknown
from textclf.export.sources import Source
from textclf.models.settings import Train
from textclf.report.details import FILES
from textclf.report.page import SECTIONS
from textclf.report.run import Run
from textclf.vectorize.settings import Vectorize

CHANGES = [
    case(
        f"so {n}",
        said(n % 2 == 0, after="b"),
        said(n < 5, after="a"),
        changed=f"SO {n}",
        change=change,
    )
    for n, change in enumerate(["typo", "upper_case"] * 4)
]
INVARIANCE: dict[str, Any] = {"kind": "invariance", "about": "Small changes.", "cases": CHANGES}
BEHAVIOUR: dict[str, dict[str, Any]] = {
    "typos": INVARIANCE,
    "praise": {
        "kind": "direction",
        "about": "Words of praise.",
        "must_not_fall": "c",
        "tolerance": 0.1,
        "cases": [
            case(
                "meh",
                said(True, after="b"),
                said(False, after="c"),
                changed="great",
                change="append",
            )
        ],
    },
}
THREE_CLASSES: dict[str, Any] = {
    "models": ("majority", "logistic_regression", "keras"),
    "classes": ("a", "b", "c"),
    "count": 48,
    "validation": True,
    "history": ["keras"],
    "texts": ("Good  food", "bad", "good food", "never again, and the place is dear", "so so"),
    "columns": {"platform": ["web", "ios"]},
    "settings": {
        "evaluate.coverage": "0.8",
        "evaluate.calibration": "temperature",
        "evaluate.slice_metric": "f1",
        "behave.tests": "{mine: mine.yaml}",
    },
    "behaviour": {"mine": results_of(BEHAVIOUR)},
}
MANY_CLASSES: dict[str, Any] = {
    "models": ("majority", "naive_bayes", "linear_svm"),
    "classes": [f"c{n}" for n in range(44)],
    "count": 132,
    "validation": True,
    "settings": {"evaluate.coverage": "0.5"},
}
SEVERAL_LABELS: dict[str, Any] = {
    "models": ("majority", "logistic_regression", "keras"),
    "classes": ("a", "b", "c"),
    "count": 70,
    "validation": True,
    "texts": ("good food", "Bad place", "fine", "dear", "so so"),
    "settings": {"evaluate.threshold": "f1", "evaluate.coverage": "0.8"},
    "sets": (("a",), ("a", "b"), (), ("c",), ("b", "c"), ("a", "b", "c"), ("b",)),
    "history": ["keras"],
}
COSTS: dict[str, Any] = {
    "count": 200,
    "settings": {
        "evaluate.costs": "{'no': {'yes': 10}, abstain: 0.6}",
        "evaluate.calibration": "platt",
    },
    "validation": True,
}
LESSON: dict[str, Any] = {
    "models": ("majority", "keras"),
    "classes": ("0", "1"),
    "sources": [YELP],
    "history": ["keras"],
}
ALL = [
    section for section in SECTIONS if section not in ("params", "unknown", "labels")
]  # all defaults; none
PAGES: dict[str, tuple[dict[str, Any], Sequence[str]]] = {
    "three_classes": (THREE_CLASSES, ALL),
    "many_classes": (MANY_CLASSES, ("errors", "doubt", "terms", "confusion", "curves", "data")),
    "several_labels": (
        SEVERAL_LABELS,
        [name for name in ALL if name not in ("slices", "behaviour")],
    ),
    "costs": (COSTS, ("summary", "protocol", "models", "errors", "confusion")),
    "lesson": (LESSON, ("summary", "protocol", "models", "history", "errors", "terms")),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_text_of_a_page_is_as_it_was_approved(name: str) -> None:
    run, shown = PAGES[name]
    approved.check(
        approved.lines(without_pictures(make_run(**run), *shown), *shown),
        Path(__file__).with_name(f"{name}.txt"),
    )


# Runs of which single sections are shown


def several(**changes: Any) -> Run:
    return make_run(**SEVERAL_LABELS | changes)


def many_files() -> Run:
    return make_run(sources=[Source(f"part{n}.csv", f"{n:064}") for n in range(FILES + 7)])


def worse_than_guessing() -> Run:
    run = make_run(("logistic_regression", "keras"))
    decisions = to_json(run.results.decisions)
    decisions["keras"]["guessing"] = difference(0.3)
    return with_results(run, decisions=decisions)


def held_out() -> Run:
    run, scores = make_run(), {"rows": 40, "folds": 2, "accuracy": 0.5, "log_loss": 0.7}
    return with_results(
        run, decisions=to_json(run.results.decisions) | {"crossvalidation": {"majority": scores}}
    )


def dependent_rows() -> Run:
    run = make_run(count=200)
    protocol = {"clusters": {"test": 50}, "independent_rows": {"test": 20.0}}
    return with_results(run, decisions=to_json(run.results.decisions) | {"protocol": protocol})


def unspaced() -> Run:
    shape = {"rows": 40, "features": 5, "nonzeros": 80}
    return with_results(
        make_run(), features={"words": {"train": shape, "test": shape, "unspaced": 0.5}}
    )


def cut() -> Run:
    shape = {"rows": 40, "features": 5, "nonzeros": 80}
    run = with_results(
        make_run(), features={"words": {"train": shape | {"cut": 3}, "test": shape | {"cut": 1}}}
    )
    pieces = Vectorize.model_validate({"words": {"method": "wordpieces"}})
    return replace(run, settings=replace(run.settings, vectorize=pieces))


def slices(entries: Mapping[str, tuple[Any, ...]], metric: str = "null") -> Run:
    run = make_run(settings={"evaluate.slice_metric": metric})
    protocol = {"left_out": {"class": 57, "plat\u202eform": 1}}
    of_model = {name: slice_of(*entry) for name, entry in entries.items()}
    return with_results(
        run, slices={"logistic_regression": of_model, "majority": {}, "protocol": protocol}
    )


def weak_slices() -> Run:
    weak = {f"platform=p{n}": (-0.2, 0.0001 * (n + 1)) for n in range(5)}
    return slices(
        weak
        | {"platform=web": (-0.3, 0.004), "words=short": (-0.1, 0.2), "platform=": (0.3, 0.0001)}
    )


def slices_with_a_metric(metric: str) -> Run:
    measured = [
        {metric: 0.2, f"{metric}_interval": ends(0.2)},
        {metric: 0.2, f"{metric}_interval": None},
        {},
    ]
    return slices(
        {f"platform={n}": (-0.1, 1.0, 20, metrics) for n, metrics in enumerate(measured)}, metric
    )


def behaviour() -> Run:
    easy = {"kind": "minimum_function", "about": "Words."}
    alike = [case(f"text {n}.", said(True), said(n == 7), expected="no") for n in range(9)]
    passed = [case("text", said(False), said(False), expected="yes")]
    halves = {
        f"t{n:02}": easy | {"cases": [case("one", said(n % 2 == 0), said(False))]}
        for n in range(10)
    }
    tests = {
        "typos": INVARIANCE,
        "passed": easy | {"cases": passed},
        **halves,
        "alike": easy | {"cases": alike},
    }
    return make_run(
        settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": results_of(tests)}
    )


def unknown(**settings: str) -> Run:
    run = make_run(validation=True, settings={"data.unknown": "<oos>", **settings})
    shares = {"accuracy": 0.8, "recall": 0.7, "precision": 0.6}
    result = {
        name: share(value, value - 0.1, value + 0.1, rows=40) for name, value in shares.items()
    }
    areas = {"probability": Area(value=0.9, low=0.85, high=0.95), "energy": Area(value=0.99)}
    scores = {
        name: RejectedByScore(threshold=0.5, roc_auc=area, **result) for name, area in areas.items()
    }
    return with_results(
        run, unknown={"logistic_regression": {"test": Unknown(**result, scores=scores)}}
    )


def of_labels(number: int | None = None, **gaps: float) -> Run:
    history = {
        labels: share(value, value - 0.1, value + 0.1)
        for labels, value in (("60", 0.7), ("1060", 0.8))
    }
    numbers = {"value": number, "low": 1200, "high": None}
    law = (
        Foreseen(now=0.79, accuracy=0.83, low=0.78, high=0.88, target=0.81, labels=numbers)
        if gaps
        else None
    )
    suggested = {labels: difference(gap, 0.05) for labels, gap in gaps.items()}
    result = {"logistic_regression": OfLabels(history=history, foreseen=law, suggested=suggested)}
    return with_results(make_run(), labels=result)


def better(later: str) -> Run:
    run = make_run(("keras", "linear_svm", "nb_svm"), settings={"export.model": later})
    return with_results(
        run, comparisons=dict.fromkeys(run.results.comparisons, comparison(0.1, 0.05, 0.15))
    )


def rare_classes() -> Run:
    run = make_run()
    return with_results(run, splits=to_json(run.results.splits) | {"rare": {"dropped": {"<b>": 1}}})


def pretrained_weights() -> Run:
    run, shape = make_run(), {"rows": 40, "features": 384, "nonzeros": 40 * 384}
    entries = {"majority": "words", "logistic_regression": "sentences"}
    vectorize = Vectorize.model_validate({"words": {}, "sentences": {"method": "encoder"}})
    train = Train.model_validate(
        {kind: {"kind": kind, "features": each} for kind, each in entries.items()}
    )
    run = replace(run, settings=replace(run.settings, vectorize=vectorize, train=train))
    return with_results(run, features={"sentences": {"train": shape, "test": shape}})


def poorly_calibrated(**options: Any) -> Run:
    run = make_run(("majority", "keras"), count=400, **options)
    for name, error in (("majority", 0.01), ("keras", 0.2)):  # above what chance gives
        chance = run.results.decisions[name].ece_if_calibrated.get("test") or 0.0
        run.results.evaluation[name]["test"]["ece"] = chance + error
    return run


def terms(rows: Mapping[str, int], **settings: str) -> Run:
    run = make_run(("logistic_regression",), settings=settings)
    shared = {"model": "logistic_regression", "class": "no", "weight": 1.0, "method": "weight"}
    table = pd.DataFrame([shared | {"term": term, "rows": count} for term, count in rows.items()])
    return replace(run, tables={**run.tables, "terms": table})


def sources(words: str, letters: str, **settings: str) -> Run:
    """Return a run with terms of words and of letters, whose names have these beginnings."""
    names = {
        f"{letters} acc": 9,
        f"{words}my_account": 5,
        f"{letters}account": 9,
        f"{letters}cou": 12,
    }
    return terms(names | ({"letters__account": 3} if words == "words__word__" else {}), **settings)


MAKERS: dict[str, Callable[..., Run]] = {
    each.__name__: each
    for each in (
        *(
            make_run,
            several,
            many_files,
            poorly_calibrated,
            better,
            worse_than_guessing,
            held_out,
            dependent_rows,
        ),
        *(
            unspaced,
            cut,
            weak_slices,
            slices_with_a_metric,
            behaviour,
            unknown,
            terms,
            sources,
            rare_classes,
        ),
        *(pretrained_weights, of_labels),
    )
}


def test_a_section_of_each_run_is_as_it_was_approved() -> None:
    def say(case: str) -> list[str]:
        shown, _, call = case.partition(": ")
        name, _, given = call.partition(" ")
        run = MAKERS[name](**parse_yaml(given or "{}", "case"))
        names = shown.split()
        return approved.lines(without_pictures(run, *names), *names).splitlines()

    approved.check_cases(Path(__file__).with_name("sections.txt"), say)
