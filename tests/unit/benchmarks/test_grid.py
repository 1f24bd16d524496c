"""The grid of experiments: how a sweep is expanded, and the table that it ends with."""

from typing import Any

import pytest

from benchmarks import grid

METRICS = {"validation accuracy": 0.8, "validation log_loss": 0.5, "test accuracy": 0.7, "test log_loss": 0.6}


def row(experiment: str, model: str, weighting: str, **metrics: float) -> dict[str, Any]:
    settings = {"vectorize.words.weighting": weighting}
    return {"experiment": experiment, "settings": settings, "model": model, **METRICS, **metrics}


def test_values_separated_by_commas_are_a_sweep_and_a_list_is_one_value() -> None:
    sweep = grid.expand(["split.seed=1", "train.keras.epochs=15,25", "train.models=[keras,nb_svm]"])
    assert sweep == [
        ["split.seed=1", f"train.keras.epochs={epochs}", "train.models=[keras,nb_svm]"] for epochs in (15, 25)
    ]
    assert grid.varied(sweep) == [{"train.keras.epochs": "15"}, {"train.keras.epochs": "25"}]


def test_rows_are_sorted_by_validation_accuracy_and_then_by_log_loss() -> None:
    rows = [
        row("grid-1", "keras", "counts"),
        row("grid-2", "keras", "tfidf", **{"validation accuracy": 0.9}),
        row("grid-3", "keras", "binary", **{"validation log_loss": 0.4}),
    ]
    assert [each["experiment"] for each in grid.merged(rows)] == ["grid-2", "grid-3", "grid-1"]


def test_equal_results_of_a_model_that_ignores_a_setting_are_one_row() -> None:
    rows = [row(f"grid-{n}", model, w) for n, w in ((1, "counts"), (2, "tfidf")) for model in ("nb_svm", "keras")]
    rows[-1]["test accuracy"] = 0.75
    merged = grid.merged(rows)
    assert [(each["model"], each["settings"]["vectorize.words.weighting"]) for each in merged] == [
        ("nb_svm", ["counts", "tfidf"]),
        ("keras", ["counts"]),
        ("keras", ["tfidf"]),
    ]
    assert rows[0]["settings"] == {"vectorize.words.weighting": "counts"}


def test_the_table_names_the_settings_that_vary() -> None:
    lines = grid.table(grid.merged([row("grid-1", "nb_svm", "counts"), row("grid-2", "nb_svm", "tfidf")])).splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:5]] == [
        "experiment",
        "model",
        "weighting",
        "validation accuracy",
    ]
    assert [cell.strip() for cell in lines[2].split("|")[1:5]] == ["grid-1", "nb_svm", "counts, tfidf", "0.800"]
    assert len({len(line) for line in lines}) == 1


def test_a_run_without_validation_rows_can_not_be_chosen() -> None:
    with pytest.raises(SystemExit, match=r"split\.validation_size must be more than 0"):
        grid.measured({"test": {"accuracy": 0.8, "log_loss": 0.5}})
