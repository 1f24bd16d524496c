"""The text of whole pages, as it was approved: whatever changes in a sentence, a number or their order is seen."""

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
from textclf.evaluate.results import Area, RejectedByScore, Unknown
from textclf.export.sources import Source
from textclf.models.settings import Train
from textclf.report.details import FILES
from textclf.report.page import SECTIONS
from textclf.report.run import Run
from textclf.vectorize.settings import Vectorize

CHANGES = [
    case(f"so {n}", said(n % 2 == 0, after="b"), said(n < 5, after="a"), changed=f"SO {n}", change=change)
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
        "cases": [case("meh", said(True, after="b"), said(False, after="c"), changed="great", change="append")],
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
    "settings": {"evaluate.costs": "{'no': {'yes': 10}, abstain: 0.6}", "evaluate.calibration": "platt"},
    "validation": True,
}
LESSON: dict[str, Any] = {
    "models": ("majority", "keras"),
    "classes": ("0", "1"),
    "sources": [YELP],
    "history": ["keras"],
}
ALL = [section for section in SECTIONS if section not in ("params", "unknown")]  # all defaults; no such texts
PAGES: dict[str, tuple[dict[str, Any], Sequence[str]]] = {
    "three_classes": (THREE_CLASSES, ALL),
    "many_classes": (MANY_CLASSES, ("errors", "doubt", "terms", "confusion", "curves", "data")),
    "several_labels": (SEVERAL_LABELS, [name for name in ALL if name not in ("slices", "behaviour")]),
    "costs": (COSTS, ("summary", "protocol", "models", "errors", "confusion")),
    "lesson": (LESSON, ("summary", "protocol", "models", "history", "errors", "terms")),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_text_of_a_page_is_as_it_was_approved(name: str) -> None:
    run, shown = PAGES[name]
    approved.check(approved.lines(without_pictures(make_run(**run)), *shown), Path(__file__).with_name(f"{name}.txt"))


# Single sections of runs that differ in one thing: which ones, and how the run is made

LAST: dict[str, Any] = {"models": ("logistic_regression", "majority")}
VALIDATED = LAST | {"validation": True}
DOUBTING: dict[str, Any] = {
    "models": ("majority", "logistic_regression", "keras"),
    "count": 120,
    "validation": True,
    "settings": {
        "evaluate.coverage": "0.8",
        "evaluate.coverage_by_class": "true",
        "evaluate.calibration": "platt",
        "train.keras.early_stopping": "3",
        "export.model": "null",
    },
}


def worse_than_guessing() -> Run:
    run = make_run(("logistic_regression", "keras"))
    decisions = to_json(run.results.decisions)
    decisions["keras"]["guessing"] = difference(0.3)
    return with_results(run, decisions=decisions)


def held_out() -> Run:
    run, scores = make_run(), {"rows": 40, "folds": 2, "accuracy": 0.5, "log_loss": 0.7}
    return with_results(run, decisions=to_json(run.results.decisions) | {"crossvalidation": {"majority": scores}})


def dependent_rows() -> Run:
    run = make_run(count=200)
    protocol = {"clusters": {"test": 50}, "independent_rows": {"test": 20.0}}
    return with_results(run, decisions=to_json(run.results.decisions) | {"protocol": protocol})


def unspaced() -> Run:
    shape = {"rows": 40, "features": 5, "nonzeros": 80}
    return with_results(make_run(), features={"words": {"train": shape, "test": shape, "unspaced": 0.5}})


def cut() -> Run:
    shape = {"rows": 40, "features": 5, "nonzeros": 80}
    run = with_results(make_run(), features={"words": {"train": shape | {"cut": 3}, "test": shape | {"cut": 1}}})
    pieces = Vectorize.model_validate({"words": {"method": "wordpieces"}})
    return replace(run, settings=replace(run.settings, vectorize=pieces))


def slices(entries: Mapping[str, tuple[Any, ...]], metric: str = "null") -> Run:
    run = make_run(settings={"evaluate.slice_metric": metric})
    protocol = {"left_out": {"class": 57, "plat\u202eform": 1}}
    of_model = {name: slice_of(*entry) for name, entry in entries.items()}
    return with_results(run, slices={"logistic_regression": of_model, "majority": {}, "protocol": protocol})


def weak_slices() -> Run:
    weak = {f"platform=p{n}": (-0.2, 0.0001 * (n + 1)) for n in range(5)}
    return slices(weak | {"platform=web": (-0.3, 0.004), "words=short": (-0.1, 0.2), "platform=": (0.3, 0.0001)})


def slices_with_a_metric(metric: str) -> Run:
    measured = [{metric: 0.2, f"{metric}_interval": ends(0.2)}, {metric: 0.2, f"{metric}_interval": None}, {}]
    return slices({f"platform={n}": (-0.1, 1.0, 20, metrics) for n, metrics in enumerate(measured)}, metric)


def behaviour() -> Run:
    easy = {"kind": "minimum_function", "about": "Words."}
    alike = [case(f"text {n}.", said(True), said(n == 7), expected="no") for n in range(9)]
    passed = [case("text", said(False), said(False), expected="yes")]
    halves = {f"t{n:02}": easy | {"cases": [case("one", said(n % 2 == 0), said(False))]} for n in range(10)}
    tests = {"typos": INVARIANCE, "passed": easy | {"cases": passed}, **halves, "alike": easy | {"cases": alike}}
    return make_run(settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": results_of(tests)})


def unknown(**settings: str) -> Run:
    run = make_run(validation=True, settings={"data.unknown": "<oos>", **settings})
    shares = {"accuracy": 0.8, "recall": 0.7, "precision": 0.6}
    found = {name: share(value, value - 0.1, value + 0.1, rows=40) for name, value in shares.items()}
    areas = {"probability": Area(value=0.9, low=0.85, high=0.95), "energy": Area(value=0.99)}
    scores = {name: RejectedByScore(threshold=0.5, roc_auc=area, **found) for name, area in areas.items()}
    return with_results(run, unknown={"logistic_regression": {"test": Unknown(**found, scores=scores)}})


def better(later: str) -> Run:
    run = make_run(("keras", "linear_svm", "nb_svm"), settings={"export.model": later})
    return with_results(run, comparisons=dict.fromkeys(run.results.comparisons, comparison(0.1, 0.05, 0.15)))


def rare_classes() -> Run:
    run = make_run()
    return with_results(run, splits=to_json(run.results.splits) | {"rare": {"dropped": {"<b>": 1}}})


def pretrained_weights() -> Run:
    run, shape = make_run(), {"rows": 40, "features": 384, "nonzeros": 40 * 384}
    entries = {"majority": "words", "logistic_regression": "sentences"}
    vectorize = Vectorize.model_validate({"words": {}, "sentences": {"method": "encoder"}})
    train = Train.model_validate({kind: {"kind": kind, "features": each} for kind, each in entries.items()})
    run = replace(run, settings=replace(run.settings, vectorize=vectorize, train=train))
    return with_results(run, features={"sentences": {"train": shape, "test": shape}})


def poorly_calibrated(**options: Any) -> Run:
    run = make_run(("majority", "keras"), count=400, **options)
    for name, error in (("majority", 0.01), ("keras", 0.2)):  # above what chance gives
        chance = run.results.decisions[name].ece_if_calibrated.get("test") or 0.0
        run.results.evaluation[name]["test"]["ece"] = chance + error
    return run


COMBINED = {"combine.both": "{first: words, second: letters}", "train.logistic_regression.features": "both"}
LETTERS = {"vectorize.letters": "{method: terms, analyzer: char}"} | COMBINED
BOTH_MIXED = {"vectorize.letters": "{method: terms}", "vectorize.words.analyzer": "word+char_wb"} | COMBINED


def terms(rows: Mapping[str, int], **settings: str) -> Run:
    run = make_run(("logistic_regression",), settings=settings)
    shared = {"model": "logistic_regression", "class": "no", "weight": 1.0, "method": "weight"}
    table = pd.DataFrame([shared | {"term": term, "rows": count} for term, count in rows.items()])
    return replace(run, tables={**run.tables, "terms": table})


def sources(words: str, letters: str, **settings: str) -> Run:
    """Return a run with terms of words and of letters, whose names have these beginnings."""
    names = {f"{letters} acc": 9, f"{words}my_account": 5, f"{letters}account": 9, f"{letters}cou": 12}
    return terms(names | ({"letters__account": 3} if words == "words__word__" else {}), **settings)


ONE: dict[str, tuple[str, Callable[[], Run]]] = {
    "the last model": ("summary", lambda: make_run(**LAST)),
    "the best on validation rows": ("summary", lambda: make_run(**VALIDATED)),
    "a named model": ("summary", lambda: make_run(**VALIDATED, settings={"export.model": "majority"})),
    "models that differ by chance": ("summary", lambda: make_run(("logistic_regression", "keras"))),
    "one model": ("summary", lambda: make_run(("logistic_regression",))),
    "a model worse than guessing": ("summary", worse_than_guessing),
    "the best of three, which warns of no other": ("summary", lambda: better("nb_svm")),
    "the second best": ("summary", lambda: better("linear_svm")),
    "the first, which is the worst": ("summary", lambda: better("keras")),
    "a threshold that was chosen": (
        "protocol",
        lambda: make_run(("logistic_regression",), validation=True, settings={"evaluate.threshold": "f1"}),
    ),
    "a model fitted again": ("protocol", lambda: make_run(**VALIDATED, settings={"export.refit": "true"})),
    "choices by held-out rows": ("protocol", held_out),
    "dependent rows": ("protocol", dependent_rows),
    "differences of dependent rows": ("models", dependent_rows),
    "texts without spaces": ("protocol", unspaced),
    "texts that are cut": ("protocol", cut),
    "weak slices": ("slices", weak_slices),
    "slices with a metric of loss": ("slices", lambda: slices_with_a_metric("log_loss")),
    "slices with a metric of shares": ("slices", lambda: slices_with_a_metric("f1")),
    "many behavioural tests": ("behaviour", behaviour),
    "sets of each class": ("doubt", lambda: make_run(**DOUBTING)),
    "texts of no class that are rejected": ("unknown", lambda: unknown(**{"evaluate.unknown_keep": "0.85"})),
    "texts of no class that train": ("unknown", lambda: unknown(**{"data.train_unknown": "true"})),
    "poor calibration": ("calibration", poorly_calibrated),
    "poor calibration of three classes": ("calibration", lambda: poorly_calibrated(classes=("a", "b", "c"))),
    "poor calibration with validation rows": ("calibration", lambda: poorly_calibrated(validation=True)),
    "poor calibration of several labels": ("calibration", lambda: poorly_calibrated(sets=(["no"], ["yes"], []))),
    "poor calibration that was set": (
        "calibration",
        lambda: poorly_calibrated(validation=True, settings={"evaluate.calibration": "temperature"}),
    ),
    "spaces of terms of letters": (
        "terms",
        lambda: terms(
            {"not": 1, " not": 2, "not ": 3, " not ": 4, "very good": 5}, **{"vectorize.words.analyzer": "char"}
        ),
    ),
    "pieces of a term in as many rows": (
        "terms",
        lambda: terms({"cou": 9, "account": 9, "ount": 9, "un": 12}, **{"vectorize.words.analyzer": "char_wb"}),
    ),
    "terms of two analyzers": (
        "terms",
        lambda: sources("word__", "char_wb__", **{"vectorize.words.analyzer": "word+char_wb"}),
    ),
    "terms of a pair": ("terms", lambda: sources("words__", "letters__", **LETTERS)),
    "terms of a pair that both have words": (
        "terms",
        lambda: sources("words__word__", "words__char_wb__", **BOTH_MIXED),
    ),
    "two labels, of which neither is positive": (
        "models confusion curves",
        lambda: make_run(**SEVERAL_LABELS | {"classes": ("a", "b"), "sets": ((), ("a",), ("a", "b"))}),
    ),
    "texts with different sets of labels": (
        "data",
        lambda: make_run(**SEVERAL_LABELS | {"texts": ("good food", "bad"), "sets": (("a",), ("a", "b"), ())}),
    ),
    "the same labels for all texts": (
        "errors",
        lambda: make_run(**SEVERAL_LABELS | {"settings": {"evaluate.threshold": "0.1"}}),
    ),
    "more files than are listed": (
        "data",
        lambda: make_run(sources=[Source(f"part{n}.csv", f"{n:064}") for n in range(FILES + 7)]),
    ),
    "classes too rare to be divided": ("protocol", rare_classes),
    "pretrained weights": ("data", pretrained_weights),
    "texts with one label each": ("data", lambda: make_run(texts=("no text", "yes text"))),
}


def test_a_section_of_each_run_is_as_it_was_approved() -> None:
    said = [
        f"# {name}\n{approved.lines(without_pictures(make()), *shown.split())}\n" for name, (shown, make) in ONE.items()
    ]
    approved.check("".join(said), Path(__file__).with_name("sections.txt"))
