"""The command `textclf grid`, without DVC itself; docs/experiments.md runs it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Ended
from tests.settings import put
from textclf.project.grid.command import table

C, UNITS = "train.logistic_regression.C", "train.keras.units"
REGRESSION, NETWORK = (f"metrics/models/{name}.json:validation.accuracy" for name in ("logistic_regression", "keras"))


def experiment(name: str | None, C: float, regression: float, state: str | None = "Success") -> dict[str, Any]:
    """Return a row of dvc.api.exp_show; other columns are there too."""
    return {
        "Experiment": name,
        "State": state,
        "train.logistic_regression.C": C,
        REGRESSION: regression,
        REGRESSION.replace("validation", "test"): 1 - regression,
        NETWORK: 0.9,
    }


def test_experiments_are_ordered_by_the_validation_accuracy_of_the_models_that_they_change() -> None:
    rows = [experiment("grid1-1", 0.1, 0.75), experiment("grid1-2", 10.0, 0.8125), experiment("grid1-3", 1.0, 0.75)]
    assert [line.split() for line in table(rows, [C])] == [
        ["experiment", C, "logistic_regression", "validation.accuracy"],
        ["grid1-2", "10", "0.812"],
        ["grid1-1", "0.1", "0.750"],
        ["grid1-3", "1", "0.750"],
    ]


def test_a_failed_experiment_has_no_accuracy_since_those_of_its_base_stand_there() -> None:
    rows = [experiment("grid1-1", -1.0, 0.99, "Failed"), experiment("grid1-2", 1.0, 0.75)]
    (header, *lines) = (line.split() for line in table(rows, [C]))
    assert lines == [["grid1-2", "1", "0.750", "0.900"], ["grid1-1", "-1", "failed"]]
    assert header.count("validation.accuracy") == 2  # there is nothing to compare, so that no model is left out


def test_a_value_that_dvc_has_in_parts_is_a_dash() -> None:
    assert table([{"Experiment": "grid1", "State": "Success", "validation.accuracy": 0.5}], ["a.b"]) == [
        "experiment  a.b  validation.accuracy",
        "grid1       -    0.500",
    ]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the list to which each command of DVC is added, in a folder with a params.yaml; the last one fails."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(put("split.validation_size", "0.15"))
    Path("data/raw").mkdir(parents=True)
    commands: list[list[str]] = []

    def main(words: list[str]) -> int:
        commands.append(words)
        return 1 if "--run-all" in words else 0

    monkeypatch.setattr("dvc.cli.main", main)
    rows = [experiment(None, 1.0, 0.5, None), experiment("grid1-1", 1.0, 0.5), experiment("grid2", 3.0, 0.6)]
    monkeypatch.setattr("dvc.api.exp_show", lambda: [*rows, experiment("grid3", 7.0, 0.7)] if commands else rows)
    return commands


@pytest.mark.parametrize(("words", "stages"), [([], ["evaluate"]), (["report"], ["evaluate", "report"])])
def test_a_grid_is_queued_under_a_new_name_and_run(
    words: Sequence[str], stages: Sequence[str], ran: list[list[str]], command_line: Callable[..., Ended]
) -> None:
    status, out, _ = command_line("grid", f"{C}=3,7", f"{UNITS}=[10],[20]", *words)
    values = [f"--set-param=++{C}=3,7", f"--set-param=++{UNITS}=[10],[20]"]
    assert ran == [["exp", "run", "--queue", "--name", "grid3", *values, *stages], ["exp", "run", "--run-all"]]
    assert (status, [line.split()[0] for line in out.splitlines()]) == (2, ["experiment", "grid3"])


@pytest.mark.parametrize(
    ("size", "words", "line"),
    [
        ("0.15", ["evaluate"], "KEY=VALUE,VALUE must be given, such as train.logistic_regression.C=0.1,1,10"),
        ("0.15", ["train.keras.epoch=1,2"], "train.keras.epoch is no setting; did you mean train.keras.epochs?"),
        ("0.0", [f"{C}=1,2"], "params.yaml: split.validation_size must be greater than 0, since the test rows decide "),
    ],
)
def test_a_grid_that_says_nothing_is_refused_before_dvc_starts(
    size: str, words: list[str], line: str, ran: list[list[str]], command_line: Callable[..., Ended]
) -> None:
    Path("params.yaml").write_text(put("split.validation_size", size))
    status, out, err = command_line("grid", *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: grid: {line}")
    assert ran == []


def test_a_grid_may_set_the_validation_rows_itself(ran: list[list[str]], command_line: Callable[..., Ended]) -> None:
    Path("params.yaml").write_text(put("split.validation_size", "0.0"))
    command_line("grid", "split.validation_size=0.15", f"{C}=1,2")
    assert len(ran) == 2
