"""Differences of params, of the task and of the stages in dvc.lock."""

from typing import Any

import pytest

from textclf.core.differences import Difference, compare_values
from textclf.review import differences
from textclf.review.differences import StageChange


def test_values_are_compared_by_dotted_key_as_json() -> None:
    base = {"train": {"keras": {"epochs": 100, "units": [10]}, "seed": 0}, "gone": {}}
    head = {"train": {"keras": {"epochs": 2, "units": [10]}, "seed": 0}, "new": None, "text": "ü"}
    assert compare_values(base, head) == [
        Difference("train.keras.epochs", "100", "2"),
        Difference("gone", "{}", None),
        Difference("new", None, "null"),
        Difference("text", None, '"ü"'),
    ]


def test_1_and_1_0_and_true_are_different_values() -> None:
    assert len(compare_values({"a": 1, "b": 1}, {"a": 1.0, "b": True})) == 2


PARAMS: dict[str, Any] = {
    "fetch": {"corpus": "yelp"},
    "data": {"path": "data/raw", "label": "label"},
    "train": {"C": 1},
}
CLASSES = {"test": {"classes": {"0": 120, "1": 130}}}


def test_what_was_an_empty_mapping_is_not_said_to_be_gone_once_it_has_entries() -> None:
    empty: dict[str, Any]
    full: dict[str, Any]
    empty, full = {"minimum": {}, "slices": {}}, {"minimum": {}, "slices": {"keras": {"a=b": {}}}}
    assert compare_values(empty, full) == [Difference("slices.keras.a=b", None, "{}")]
    assert compare_values(full, empty) == [Difference("slices.keras.a=b", "{}", None)]
    assert compare_values(empty, {"minimum": {}}) == [Difference("slices", "{}", None)]


def test_a_table_of_ones_own_is_the_same_task_whatever_would_be_fetched() -> None:
    base: dict[str, Any] = {"fetch": {"corpus": "yelp"}, "data": {"path": "mine.csv"}}
    head: dict[str, Any] = {"fetch": {"corpus": "imdb"}, "data": {"path": "mine.csv"}}
    assert differences.task_differences([base, head], [CLASSES, CLASSES]) == []
    fetched: dict[str, Any] = {"fetch": {"corpus": "imdb"}, "data": {"path": "data/raw"}}
    assert differences.task_differences([base, fetched], [CLASSES, CLASSES]) == ["fetch.corpus", "data.path"]


@pytest.mark.parametrize(
    ("head_params", "head_splits", "expected"),
    [
        (PARAMS, CLASSES, []),
        ({**PARAMS, "train": {"C": 2}}, {"test": {"classes": {"1": 9, "0": 1}}}, []),
        ({**PARAMS, "data": PARAMS["data"] | {"slices": ["channel"]}}, CLASSES, []),
        ({**PARAMS, "fetch": {"corpus": ["imdb"]}}, CLASSES, ["fetch.corpus"]),
        (
            {**PARAMS, "data": {"path": "data/raw", "label": "source", "id": None}},
            {"test": {"classes": {"imdb": 120, "yelp": 130}}},
            ["data.label", "data.id", "test.classes"],
        ),
        (PARAMS, {"test": {"classes": {"0": 1, "1": 2, "2": 3}}}, ["test.classes"]),
        ({"train": {"C": 1}}, {}, []),  # an older version, which had neither
        ({"fetch": None, "data": []}, {"test": 1}, []),
    ],
)
def test_the_task_differs_by_params_of_the_rows_and_by_the_classes(
    head_params: dict[str, Any], head_splits: dict[str, Any], expected: list[str]
) -> None:
    assert differences.task_differences((PARAMS, head_params), (CLASSES, head_splits)) == expected


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
        return {"params": {"params.yaml": {name.replace("__", "."): value for name, value in params.items()}}}

    lock = {
        "check": stage(gate={"minimum": {}}, train={"models": ["keras"]}),
        "split": stage(data={"path": "a.csv", "id": None}, split__seed=0),
        "train@keras": stage(train__keras={"epochs": 100, "units": [10]}),
        "train@dropped": stage(train__dropped={"C": 1}),
        "vectorize@words": stage(vectorize__words={"min_df": 1}, vectorize__gone=3),
        "plot": {"deps": []},
    }
    params = {
        "gate": {"minimum": {"keras": {}}},
        "data": {"path": "a.csv", "id": None},
        "split": {"seed": 0},
        "vectorize": {"words": {"min_df": 1}},
        "train": {"models": ["keras"], "keras": {"epochs": 100, "units": [10]}, "dropped": {"C": 2}},
    }
    assert differences.not_run(params, lock, "params.yaml") == []
    params["train"]["keras"]["epochs"] = 3  # type: ignore[index]
    params["data"] = {"path": "b.csv", "id": None}
    assert differences.not_run(params, lock, "params.yaml") == ["data.path", "train.keras.epochs"]
    assert differences.not_run({}, lock, "params.yaml") == []
    assert differences.not_run(params, {}, "params.yaml") == []


ALL = ["data", "data.path", "data.label"]


@pytest.mark.parametrize(
    ("section", "names"),
    [("text", ALL), (["a"], ALL), (3, ALL), (None, []), ({"path": None}, ALL[1:])],
)
def test_a_section_that_is_no_mapping_is_compared(section: Any, names: list[str]) -> None:
    base = {"data": section, "train": section}
    assert differences.task_differences([base, PARAMS], [CLASSES, CLASSES]) == names
    lock = {"train@keras": {"params": {"params.yaml": {"train.keras": {"C": 1}}}}}
    assert differences.not_run(base, lock, "params.yaml") == []


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
