"""The outcome of a run in a few lines."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Ended
from tests.results import comparison, ends
from tests.settings import put
from textclf.core import result_files
from textclf.core.result_files import to_json
from textclf.evaluate.looks import widen
from textclf.evaluate.results import Results
from textclf.export import outcome

MODELS = ("majority", "logistic_regression", "keras")
ACCURACY = {"majority": 0.5, "logistic_regression": 0.8, "keras": 0.75}
LOSS = {"majority": 0.693, "logistic_regression": 0.45, "keras": 5.05}
MEASURED = {name: {"test": {"accuracy": ACCURACY[name], "log_loss": LOSS[name]}} for name in MODELS}
COMPARISONS = {
    "logistic_regression_vs_majority": comparison(0.3, 0.2, 0.35),
    "keras_vs_majority": comparison(0.25, 0.15, 0.3),
    "keras_vs_logistic_regression": comparison(-0.05, -0.08, 0.01),
}


def describe(
    measured: Any = MEASURED, models: Sequence[str] = MODELS, confidence: float = 0.95, **options: Any
) -> list[str]:
    """Return the outcome of a run whose default model is named, the last one."""
    worth = {"effective_rows": 250.0}
    intervals = {name: {"test": {"accuracy": to_json(ends(value, 0.05)) | worth}} for name, value in ACCURACY.items()}
    results = Results.of(evaluation=measured, intervals=intervals, comparisons=COMPARISONS)
    return outcome.describe(results, models, options.pop("named", models[-1]), confidence, **options)


TABLE = """\
on the test rows     accuracy (95% interval)  log loss  against majority        against logistic regression
logistic regression  80.0% (75.0% to 85.0%)   0.450     +30.0 (+20.0 to +35.0)
keras                75.0% (70.0% to 80.0%)   5.050     +25.0 (+15.0 to +30.0)  -5.0 (-8.0 to +1.0)
majority             50.0% (45.0% to 55.0%)   0.693                             -30.0 (-35.0 to -20.0)
""".replace("-", "\N{MINUS SIGN}").splitlines()


def test_models_are_compared_with_the_floor_and_the_most_accurate_one_and_the_default_is_named_last() -> None:
    assert describe() == [*TABLE, "default model: keras", "named by export.model"]
    elsewhere = describe(models=MODELS[:2], named="majority", external=MODELS[2:])
    assert elsewhere == [*TABLE, "default model: majority", "named by export.model"]


@pytest.mark.parametrize("looks", [2, 20])
def test_the_number_of_results_on_the_test_rows_widens_the_interval_of_the_default_model(looks: int) -> None:
    *others, last = describe(looks=looks)
    assert others == describe()
    low, high = widen(0.75, 250.0, 0.95, looks)
    assert low < 0.7 < 0.8 < high
    assert last == (
        f"Git has {looks} results on these test rows: if keras was chosen as the best of them, its 95% interval is "
        f"{low:.1%} to {high:.1%} (Bonferroni)"
    )


def test_with_costs_the_mean_cost_takes_the_place_of_the_log_loss() -> None:
    costly, gained = (
        {name: {"test": MEASURED[name]["test"] | {"cost": cost}} for name in MODELS} for cost in (0.25, -0.25)
    )
    header, first, *_ = describe(costly)
    assert header == TABLE[0].replace("log loss ", "mean cost ")
    assert first == TABLE[1].replace("0.450   ", "0.250    ")
    assert describe(gained)[1] == first.replace("0.250 ", "\N{MINUS SIGN}0.250")


def test_with_several_labels_the_accuracy_is_that_of_sets_beside_micro_and_macro_f1() -> None:
    measured = {"keras": {"test": {"accuracy": 0.654, "log_loss": 0.2, "micro_f1": 0.889, "f1": 0.8}}}
    assert describe(measured, ("keras",))[:2] == [
        "on the test rows  subset accuracy (95% interval)  micro F1  macro F1  log loss",
        "keras             65.4% (70.0% to 80.0%)          88.9%     80.0%     0.200",
    ]


def test_a_single_model_is_compared_with_none() -> None:
    assert describe(models=("keras",), confidence=0.9)[:2] == [
        "on the test rows  accuracy (90% interval)  log loss",
        "keras             75.0% (70.0% to 80.0%)   5.050",
    ]


def test_of_equally_accurate_models_the_one_with_the_lower_log_loss_comes_first() -> None:
    table = describe(MEASURED | {"majority": {"test": {"accuracy": 0.75, "log_loss": 6.0}}})
    assert [line.split("  ")[0] for line in table[1:4]] == ["logistic regression", "keras", "majority"]


def test_the_command_lists_predictions_made_elsewhere_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, command_line: Callable[..., Ended]
) -> None:
    monkeypatch.chdir(project)
    params = Path("params.yaml")
    settings = put("evaluate.external", "{rules: rules.csv}", text=params.read_text(encoding="utf-8"))
    params.write_text(settings, encoding="utf-8")
    for name in ("evaluation", "intervals", "decisions"):
        path = Path("metrics", f"{name}.json")
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "rules": content["majority"]}))
    result_files.write(Path("metrics", "comparisons.json"), {"rules_vs_majority": COMPARISONS["keras_vs_majority"]})
    status, out, err = command_line("metrics")
    assert (status, err) == (0, "")
    assert re.search(r"^rules .*\+25\.0 \(\+15\.0 to \+30\.0\)$", out, re.MULTILINE)
    assert "default model: majority" in out


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("evaluation", '{"majority": {"test": {"accuracy": NaN}}}', " must be JSON with finite numbers; got something"),
        ("evaluation", "[]", " must be a mapping; got list"),
        ("evaluation", "{}", ": majority.train.accuracy is missing; it must be set"),
        ("decisions", '{"protocol": []}', ": protocol must be a mapping; got []"),
    ],
)
def test_a_damaged_file_is_told_in_a_line(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    command_line: Callable[..., Ended],
    file: str,
    content: str,
    said: str,
) -> None:
    monkeypatch.chdir(project)
    path = Path("metrics", f"{file}.json")
    path.write_text(content, encoding="utf-8")
    status, out, err = command_line("metrics")
    assert err.startswith(f"error: metrics: {path}{said}")
    assert (status, out, err.count("\n")) == (2, "", 1)
