"""Differences of params, of the task and of the stages in dvc.lock."""

import json
from pathlib import Path
from typing import Any

from tests import approved
from textclf.core.differences import compare_values
from textclf.review import differences
from textclf.review.differences import StageChange


def test_values_are_compared_by_dotted_key_as_json() -> None:
    def say(case: str) -> list[str]:
        """Return the differences of two mappings in JSON, with a bar between them."""
        return [
            repr((each.name, each.base, each.head))
            for each in compare_values(*map(json.loads, case.split(" | ")))
        ]

    approved.check_cases(Path(__file__).with_name("differences.txt"), say)


CLASSES = {"test": {"classes": {"0": 120, "1": 130}}}


def test_the_task_differs_by_params_of_the_rows_and_by_the_classes() -> None:
    def say(case: str) -> list[str]:
        base, head, splits = map(json.loads, case.split(" | "))
        return differences.task_differences((base, head), (CLASSES, splits))

    approved.check_cases(Path(__file__).with_name("tasks.txt"), say)


def record(dep: str = "1", out: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "cmd": "run",
        "deps": [{"path": "code.py", "md5": dep}],
        "params": {"params.yaml": {"train.keras": {"epochs": 1}}},
        "outs": [{"path": "out", "md5": out}],
        **more,
    }


def test_settings_with_which_the_stages_did_not_run_are_named() -> None:
    def stage(**params: Any) -> dict[str, Any]:
        return {
            "params": {
                "params.yaml": {name.replace("__", "."): value for name, value in params.items()}
            }
        }

    lock = {
        "check": stage(gate={"minimum": {}}, train={"svm": {"C": 1}}),
        "split": stage(data={"path": "a.csv", "id": None}, split__seed=0),
        "train@keras": stage(train__keras={"epochs": 100, "units": [10]}),
        "external@mine": stage(evaluate__seed=0),
        "external@dropped": stage(evaluate__seed=1),
        "vectorize@words": stage(vectorize__words={"min_df": 1}, vectorize__gone=3),
        "plot": {"deps": []},
    }
    params = {
        "gate": {"minimum": {"keras": {}}},
        "data": {"path": "a.csv", "id": None},
        "split": {"seed": 0},
        "vectorize": {"words": {"min_df": 1}},
        "train": {"keras": {"epochs": 100, "units": [10]}},
        "evaluate": {"external": {"mine": "mine.csv"}, "seed": 0},
    }
    assert differences.not_run(params, lock, "params.yaml") == []
    params["train"]["keras"]["epochs"] = 3  # type: ignore[index]
    params["data"] = {"path": "b.csv", "id": None}
    assert differences.not_run(params, lock, "params.yaml") == ["data.path", "train.keras.epochs"]
    assert differences.not_run({}, lock, "params.yaml") == []
    assert differences.not_run(params, {}, "params.yaml") == []
    for section in ("text", ["a"], 3, None):  # no mapping
        assert differences.not_run({"train": section}, lock, "params.yaml") == []


def test_a_changed_stage_lists_its_changed_inputs_and_outputs() -> None:
    params = {"params.yaml": {"train.keras": {"epochs": 2}}}
    base = {"same": record(), "code": record(), "params": record(), "gone": record()}
    head = {
        "same": record(),
        "code": record(dep="2", out="2"),
        "params": record(params=params, cmd="go"),
        "new": record(),
    }
    assert differences.compare_stages(base, head) == [
        StageChange("code", ["code.py"], ["out"]),
        StageChange("params", ["train.keras.epochs", "command"], []),
        StageChange("gone", ["removed stage"], ["out"]),
        StageChange("new", ["new stage"], ["out"]),
    ]
    assert differences.compare_stages({}, {}) == []


def test_a_setting_that_is_left_out_is_its_default_at_both_revisions() -> None:
    gate: dict[str, Any] = {"minimum": {"keras": {"test": {"f1": 0.5}}}}
    short: dict[str, Any] = {"data": {"path": "a.csv"}, "gate": gate, "train": {"a": {}}}
    long = {
        **short,
        "data": {"path": "a.csv", "missing": "error", "slices": []},
        "gate": gate | {"slices": {}},
    }
    assert differences.with_defaults(short) == differences.with_defaults(long)
    other = {**short, "data": {"path": "a.csv", "missing": "drop"}}
    filled = [differences.with_defaults(params) for params in (short, other)]
    assert differences.task_differences(filled, (CLASSES, CLASSES)) == ["data.missing"]
    wrong = {"data": {"paths": 1}}
    assert differences.with_defaults(wrong) == wrong


def test_a_cause_is_a_changed_input_that_no_other_changed_stage_wrote() -> None:
    stages = [
        StageChange("check", ["params.yaml"], ["data/settings.json"]),
        StageChange(
            "train@keras",
            ["train.keras.epochs", "data/features/words"],
            ["data/predictions/keras.parquet"],
        ),
        StageChange(
            "evaluate", ["data/predictions", "data/settings.json"], ["metrics/evaluation.json"]
        ),
        StageChange("vectorize@words", ["textclf/vectorize"], ["data/features/words"]),
        StageChange("nb", ["data/features/words_of_others", "data/feature"], []),
        StageChange("report", ["data/features/words/train.npz"], []),
    ]
    assert differences.find_causes(stages) == {
        "check": ["params.yaml"],
        "train@keras": ["train.keras.epochs"],
        "vectorize@words": ["textclf/vectorize"],
        "nb": ["data/features/words_of_others", "data/feature"],
    }
