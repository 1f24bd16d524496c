"""The search itself, with models that train in no time."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages import search
from tests.refusal import refusal
from tests.unit.studies.audits import write_splits
from tests.unit.studies.samples import CLASSES, corpus, sections, setup
from textclf.core import files
from textclf.core.errors import UserError
from textclf.evaluate.comparisons import corrected_t
from textclf.studies import measure
from textclf.studies.search.space import Dimension, Values, combinations
from textclf.studies.search.summary import expected_best, summarize, trial_table
from textclf.studies.search.trials import (
    PATTERN,
    SCORES,
    Outer,
    Proposals,
    Scores,
    Trial,
    best_of,
    run_search,
)
from textclf.studies.settings import CompleteSearch, Search
from textclf.vectorize.settings import Vectorize

SPACE = {"C": [0.1, 1.0, 10.0], "vectorize.words.min_df": [1, 2]}
MIXED = {
    "C": Dimension(None, 0.01, 100.0, log=True),
    "size": Dimension(None, 1, 9, whole=True),
    "units": Dimension(((10,), (64, 32))),
}
FINITE = {
    "a": Dimension((1, 2, 3)),
    "b": Dimension(("x", "y")),
    "c": Dimension(None, 0, 1, whole=True),
}


def settings(**changes: Any) -> CompleteSearch:
    return CompleteSearch.model_validate(
        {"model": "logistic_regression", "trials": 5, "folds": 3, "space": SPACE} | changes
    )


def table(folder: Path, **changes: Any) -> pd.DataFrame:
    trials, _ = run_search(corpus(40), CLASSES, setup(), settings(**changes), folder)
    return trial_table(trials, settings(**changes))


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    original = measure.measure_features

    def measured(features: Any, model: Any, evaluate: Any) -> Any:
        calls.append((features, model))
        return original(features, model, evaluate)

    monkeypatch.setattr(measure, "measure_features", measured)
    return calls


def test_a_trial_has_its_settings_and_the_score_of_each_fold(tmp_path: Path) -> None:
    result = table(tmp_path)
    folds = ["fold_1", "fold_2", "fold_3"]
    assert result.columns.tolist() == [
        "trial",
        "C",
        "vectorize.words.min_df",
        "score",
        *folds,
        "expected",
    ]
    assert result["trial"].tolist() == [1, 2, 3, 4, 5]
    assert result["score"].tolist() == pytest.approx(result[folds].mean(axis=1).tolist())
    assert result.groupby(["C", "vectorize.words.min_df"])["score"].nunique().max() == 1
    assert result["score"].nunique() == 5
    # The best of all, by log loss.
    assert result["expected"].iloc[-1] == pytest.approx(result["score"].min())


def test_each_fold_is_held_out_once_and_brings_no_word_of_its_own(
    tmp_path: Path, fitted: list[Any]
) -> None:
    rows = corpus(40)
    run_search(rows, CLASSES, setup(), settings(trials=1, space={"C": [1.0]}), tmp_path)
    held_out = [features["test"].ids.tolist() for features, _ in fitted]
    assert sorted(itertools.chain(*held_out)) == sorted(rows["id"])
    for features, _ in fitted:
        assert set(features) == {"train", "test"}
        assert not set(features["train"].ids) & set(features["test"].ids)
        assert (
            features["train"].X.sum(axis=0) > 0
        ).all()  # each column is a word of the training part


def test_features_are_made_once_for_trials_of_other_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    original = measure.make_features
    monkeypatch.setattr(
        measure,
        "make_features",
        lambda *given: made.append(1) or original(*given),  # type: ignore[func-returns-value]
    )
    table(tmp_path, space={"C": [0.1, 1.0, 10.0]})
    assert len(made) == 3


def test_a_trial_may_read_another_representation(tmp_path: Path, fitted: list[Any]) -> None:
    both = replace(
        setup(), vectorize=Vectorize.model_validate({"words": {}, "letters": {"analyzer": "char"}})
    )
    space = {"features": ["words", "letters"]}
    chosen = settings(sampler="grid", space=space)
    run_search(corpus(40), CLASSES, both, chosen, tmp_path)
    columns = [features["train"].X.shape[1] for features, _ in fitted]
    assert max(columns[:3]) < min(columns[3:])


def test_there_are_no_more_trials_than_combinations(tmp_path: Path) -> None:
    assert len(table(tmp_path, trials=100)) == 6


@pytest.mark.parametrize(("sampler", "done"), [("random", 1), ("tpe", 4), ("random", 14)])
def test_a_search_that_was_killed_resumes_with_the_same_trials(
    tmp_path: Path, fitted: list[Any], monkeypatch: pytest.MonkeyPatch, sampler: str, done: int
) -> None:
    whole = table(tmp_path / "whole", sampler=sampler)
    assert len(fitted) == 15
    original = measure.measure_features

    def killed(*arguments: Any) -> Any:
        if len(fitted) == 15 + done:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(measure, "measure_features", killed)
    with pytest.raises(KeyboardInterrupt):
        table(tmp_path / "killed", sampler=sampler)
    monkeypatch.setattr(measure, "measure_features", original)
    (scores,) = (tmp_path / "killed").glob(f"{PATTERN}/{SCORES}")
    with scores.open("a", encoding="utf-8") as file:
        file.write('["cut off by a kil')
    resumed = table(tmp_path / "killed", sampler=sampler)
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert len(fitted) == 30  # nothing was trained twice
    fitted.clear()
    pd.testing.assert_frame_equal(
        table(tmp_path / "killed", sampler=sampler), whole, check_exact=True
    )
    assert fitted == []


def test_scores_that_are_no_json_say_what_to_remove(tmp_path: Path) -> None:
    scores = Scores(tmp_path / "scratch")
    scores.get("rows metric C=1", lambda: 0.5)
    scores.path.write_bytes(b"?\n" + scores.path.read_bytes())
    with pytest.raises(
        UserError, match=rf"^{re.escape(str(scores.path))} is damaged; remove .* and search again"
    ):
        Scores(tmp_path / "scratch")


def test_other_rows_and_other_settings_are_not_taken_for_those_that_are_done(
    tmp_path: Path, fitted: list[Any]
) -> None:
    one = {"trials": 1, "space": {"C": [1.0]}}
    for rows, chosen, changes in (
        (40, setup(), one),
        (44, setup(), one),
        (40, setup(), one | {"space": {"C": [2.0]}}),
        (40, setup(), one | {"metric": "accuracy"}),
        (40, setup(split={"validation_size": 0.2}), one),
    ):
        run_search(corpus(rows), CLASSES, chosen, settings(**changes), tmp_path)
    assert len(fitted) == 5 * 3


def test_a_trial_that_fails_is_named(tmp_path: Path) -> None:
    line = refusal(lambda: table(tmp_path, space={"C": [1.0], "vectorize.words.min_df": [39]}))
    assert line.startswith("trial 1 (C 1.0, vectorize.words.min_df 39): no vocabulary ")


def test_too_few_rows_for_the_folds_name_the_setting(tmp_path: Path) -> None:
    assert "set a smaller search.folds" in refusal(table, tmp_path, folds=30)
    assert "set a smaller search.nested" in refusal(table, tmp_path, nested=30)


@pytest.mark.parametrize(("metric", "best"), [("accuracy", 1), ("log_loss", 0)])
def test_the_best_trial_is_that_of_the_metrics_direction_and_of_equal_ones_the_first(
    metric: str, best: int
) -> None:
    trials = [
        Trial({"C": n}, scores)
        for n, scores in enumerate([(0.1, 0.3), (0.4, 0.6), (0.6, 0.4), (0.2, 0.2)])
    ]
    assert best_of(trials, metric) is trials[best]


def test_nested_searches_see_no_row_of_their_outer_test_fold(
    tmp_path: Path, fitted: list[Any]
) -> None:
    trials, outer = run_search(corpus(40), CLASSES, setup(), settings(trials=2, nested=2), tmp_path)
    # The first six are the search itself: two trials of three folds.
    calls, fitted[:] = fitted[6:], []
    for fold in range(2):
        *inner, final = calls[7 * fold : 7 * fold + 7]
        seen = {row for features, _ in inner for part in features.values() for row in part.ids}
        assert seen == set(final[0]["train"].ids)
        assert not seen & set(final[0]["test"].ids)
        assert outer[fold].best.settings["C"] == final[1].C
    assert len(calls) == 14
    assert len(trials) == 2


def test_outer_folds_are_others_than_those_that_scored_the_trials(
    tmp_path: Path, fitted: list[Any]
) -> None:
    chosen = settings(trials=1, folds=3, nested=3, space={"C": [1.0]}, seed=2**31 - 2)
    (trial,), outer = run_search(corpus(40), CLASSES, setup(), chosen, tmp_path)
    scored, honest = (
        {frozenset(features["test"].ids) for features, _ in part}
        for part in (fitted[:3], fitted[6::4])
    )
    assert len(honest) == 3
    assert not scored & honest
    assert not set(trial.scores) & {fold.honest for fold in outer}


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("scores", [[0.5], [0.3, 0.9, 0.2, 0.9, 0.4]])
def test_the_expected_score_is_the_mean_best_of_every_choice(
    scores: list[float], higher_is_better: bool
) -> None:
    best = max if higher_is_better else min
    by_number = [list(itertools.combinations(scores, number + 1)) for number in range(len(scores))]
    means = [np.mean([best(choice) for choice in choices]) for choices in by_number]
    assert expected_best(np.array(scores), higher_is_better) == pytest.approx(means)


def test_many_trials_have_an_expected_score() -> None:
    result = expected_best(np.arange(3000.0), True)
    assert result[0] == pytest.approx(1499.5)
    assert result[-1] == 2999
    assert (np.diff(result) > 0).all()


def test_trials_that_learn_from_each_other_have_no_expected_score(tmp_path: Path) -> None:
    assert "expected" in table(tmp_path)
    assert "expected" not in table(tmp_path, sampler="tpe")


@pytest.mark.parametrize(("metric", "sign"), [("accuracy", 1), ("log_loss", -1)])
def test_optimism_is_how_much_better_the_best_score_looks(metric: str, sign: int) -> None:
    trials = [Trial({"units": (3, 4)}, (0.5, 0.7)), Trial({"units": None}, (0.6, 0.6))]
    outer = [
        Outer(Trial({"units": None}, (0.5, 0.7)), 0.5),
        Outer(Trial({"units": (3, 4)}, (0.8, 0.8)), 0.6),
    ]
    content = summarize(trials[0], trials, outer, settings(folds=2, metric=metric), 0.95)
    expected = corrected_t(np.array([0.5, 0.7]), 1.0, 0.95)
    assert content["best"] == {
        "trial": 1,
        "settings": {"units": [3, 4]},
        "score": {
            "mean": 0.6,
            "sd": 0.141421,
            "low": round(expected.low, 6),
            "high": round(expected.high, 6),
        },
    }
    nested = content["nested"]
    assert (nested["folds"], nested["naive"], nested["honest"]["mean"]) == (2, 0.7, 0.55)
    assert nested["optimism"]["mean"] == sign * 0.15
    assert nested["settings"] == [{"units": None}, {"units": [3, 4]}]


def test_a_setting_that_does_not_apply_is_left_out_of_a_trial(
    tmp_path: Path, fitted: list[Any]
) -> None:
    space = {
        "vectorize.words.sublinear_tf": [False, True],
        "vectorize.words.weighting": ["counts", "tfidf"],
    }
    sublinear = Vectorize.model_validate({"words": {"weighting": "tfidf", "sublinear_tf": True}})
    chosen = settings(space=space, sampler="grid")
    trials, _ = run_search(
        corpus(40), CLASSES, replace(setup(), vectorize=sublinear), chosen, tmp_path
    )
    result = trial_table(trials, chosen)
    assert result.columns[:3].tolist() == ["trial", *space]
    assert result[[*space]].fillna("").to_numpy().tolist() == [
        ["", "counts"],
        ["false", "tfidf"],
        ["true", "tfidf"],
    ]
    assert len(fitted) == 3 * 3
    assert summarize(trials[0], trials, [], chosen, 0.95)["best"]["settings"] == {
        "vectorize.words.weighting": "counts"
    }


def test_the_optimism_is_the_difference_of_both_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search.run(
        Search(trials=6, folds=2, nested=2),
        sections("logistic_regression"),
        splits=write_splits(tmp_path / "splits"),
        pretrained=tmp_path / "pretrained",
        summary=tmp_path / "search.json",
        trials=tmp_path / "search.csv",
        figure=tmp_path / "search.svg",
    )
    printed = capsys.readouterr().out
    number = r"(-?[0-9.]+)"
    line = (
        rf"repeated 2 times: {number} on the rows that chose, {number} on unseen rows; "
        rf"too optimistic by {number}\n"
    )
    inside, unseen, optimism = map(float, re.findall(line, printed)[0])
    # The numbers are of the log loss, and each is rounded.
    assert optimism == pytest.approx(unseen - inside, abs=0.0015)
    expected = files.read_csv(tmp_path / "search.csv", ["expected"])["expected"]
    assert f"with half as many trials: {expected[2]:.3f} on average\n" in printed


def propose(
    sampler: str, space: Any, number: int, score: Callable[[Values], float], seed: int = 0
) -> list[Values]:
    settings = Search.model_validate(
        {"sampler": sampler, "seed": seed, "trials": 20, "space": {"C": [1]}}
    )
    proposals, tried = Proposals(settings, space, higher_is_better=False), []
    for _ in range(number):
        tried.append(proposals.ask())
        proposals.tell(score(tried[-1]))
    return tried


def distance(values: Values) -> float:
    return abs(float(values["C"]) - 2) + int(values["size"])


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_scores_give_the_same_trials_in_the_same_order(sampler: str) -> None:
    tried = propose(sampler, MIXED, 20, distance)
    assert propose(sampler, MIXED, 20, distance) == tried
    assert propose(sampler, MIXED, 20, distance, seed=1) != tried


def test_tpe_learns_from_the_scores_and_random_does_not() -> None:
    def opposite(values: Values) -> float:
        return -distance(values)

    assert propose("random", MIXED, 20, opposite) == propose("random", MIXED, 20, distance)
    near, far = (propose("tpe", MIXED, 20, score) for score in (distance, opposite))
    assert near[:10] == far[:10]  # TPE starts with random trials
    assert sum(map(distance, near[10:])) < sum(map(distance, far[10:]))


def test_values_are_within_their_limits_and_decimals_are_short() -> None:
    for values in propose("random", MIXED, 50, distance):
        assert 0.01 <= values["C"] <= 100.0
        assert values["C"] == float(f"{values['C']:.4g}")
        assert isinstance(values["size"], int)
        assert 1 <= values["size"] <= 9
        assert values["units"] in {(10,), (64, 32)}


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_a_combination_has_only_settings_that_apply_and_is_tried_once(sampler: str) -> None:
    conditional = {
        "depth": Dimension((1, 2), other="kind", needed=("tree", "forest"), otherwise=1),
        "kind": Dimension(("linear", "tree", "forest")),
        "a": Dimension((1, 2)),
    }
    number = 2 * (1 + 2 + 2)
    assert combinations(conditional) == number
    tried = propose(sampler, conditional, number, lambda values: float(values["a"]))
    assert all(list(values) == [name for name in conditional if name in values] for values in tried)
    assert all(("depth" in values) == (values["kind"] != "linear") for values in tried)
    assert len({tuple(values.items()) for values in tried}) == number


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_every_combination_is_tried_once_and_those_of_a_grid_in_the_order_of_the_space(
    sampler: str,
) -> None:
    tried = [
        tuple(values.values())
        for values in propose(sampler, FINITE, 12, lambda values: float(values["a"]))
    ]
    whole = [(a, b, c) for a in (1, 2, 3) for b in "xy" for c in (0, 1)]
    assert sorted(tried) == sorted(whole)
    assert (tried == whole) == (sampler == "grid")
