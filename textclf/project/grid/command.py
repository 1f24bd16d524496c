"""Run an experiment of DVC per combination of settings, and print their validation accuracies, the highest first."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from textclf.core.errors import UserError
from textclf.core.formatting import align
from textclf.core.settings import PARAMS_FILE
from textclf.project.check.command import describe_settings, load_for_run
from textclf.project.run.command import dvc

MEASURE = "validation.accuracy"  # of metrics/models/<model>.json; the test rows decide nothing
STAGE = "evaluate"


def run(arguments: argparse.Namespace) -> int:
    """Queue the experiments, run all that are queued, and print a table; return 0, or 2 if one failed."""
    from dvc.api import exp_show

    changes = [word for word in arguments.words if "=" in word]
    keys = [change.partition("=")[0] for change in changes]
    if not keys:
        raise UserError("KEY=VALUE,VALUE must be given, such as train.logistic_regression.C=0.1,1,10")
    if load_for_run().split.validation_size == 0 and "split.validation_size" not in keys:
        raise UserError(
            f"{PARAMS_FILE}: split.validation_size must be greater than 0, since the test rows decide nothing; "
            "set it, or add split.validation_size=0.15"
        )
    describe_settings(keys)  # a key that is no setting
    for word in arguments.words:
        if "=" not in word and "." in word:
            raise UserError(f"{word} must have values, such as {word}=1,2")
    stages = [STAGE, *(word for word in arguments.words if "=" not in word)]
    taken = {grid_of(row) for row in exp_show()}
    name = next(name for number in itertools.count(1) if (name := f"grid{number}") not in taken)
    values = [f"--set-param=++{change}" for change in changes]  # ++ changes a setting, or adds it
    if status := dvc("exp", "run", "--queue", "--name", name, *values, *stages):
        return status
    status = dvc("exp", "run", "--run-all")
    print(*table([row for row in exp_show() if grid_of(row) == name], keys), sep="\n")
    return status


def grid_of(row: Mapping[str, Any]) -> str:
    """Return the name that the experiments of a grid share, such as grid1 of grid1-2."""
    return (row["Experiment"] or "").partition("-")[0]


def table(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    """Return a table of experiments: name, settings, and the validation accuracy of each model that they change.

    `rows` are of dvc.api.exp_show; for one that failed they have the metrics of the base, which are left out.
    """
    done = [row for row in rows if row["State"] == "Success"]
    measures = [column for column in (done or [{}])[0] if column.endswith(MEASURE)]
    measures = [column for column in measures if len({row[column] for row in done}) > 1] or measures
    done.sort(key=lambda row: -max(row[column] for column in measures))
    cells = [[row["Experiment"], *_values(row, keys), *(f"{row[column]:.3f}" for column in measures)] for row in done]
    cells += [[row["Experiment"], *_values(row, keys), "failed"] for row in rows if row not in done]
    names = [column.removeprefix("metrics/models/").replace(".json:", " ") for column in measures]
    return align([["experiment", *keys, *names], *cells])


def _values(row: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Return the values of settings as text; DVC has numbers as floats, and - where the value is a mapping."""
    values = (row.get(key, "-") for key in keys)
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
