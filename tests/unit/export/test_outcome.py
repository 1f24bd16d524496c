"""The outcome of a run in a few lines."""

from pathlib import Path
from typing import Any

import pytest

from textclf import cli
from textclf.export.outcome import compare, describe

MODELS = ("majority", "logistic_regression", "keras")
ACCURACY = {"majority": 0.5, "logistic_regression": 0.8, "keras": 0.75}
LOSS = {"majority": 0.693, "logistic_regression": 0.45, "keras": 5.05}
MEASURED = {name: {"test": {"accuracy": ACCURACY[name], "log_loss": LOSS[name]}} for name in MODELS}
INTERVALS: dict[str, Any] = {
    name: {"test": {"accuracy": {"low": value - 0.05, "high": value + 0.05}}} for name, value in ACCURACY.items()
}
COMPARISONS = {
    "logistic_regression_vs_majority": {"difference": 0.3, "low": 0.2, "high": 0.35},
    "keras_vs_majority": {"difference": 0.25, "low": 0.15, "high": 0.3},
    "keras_vs_logistic_regression": {"difference": -0.05, "low": -0.08, "high": 0.01},
}


METRICS = {
    "evaluation": MEASURED,
    "intervals": INTERVALS,
    "comparisons": COMPARISONS,
    "decisions": {},
}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_models_are_compared_with_the_floor_and_with_the_most_accurate_one() -> None:
    table = compare(MEASURED, INTERVALS, COMPARISONS, MODELS, 0.95)
    assert [cells(line) for line in table] == [
        ["on the test rows", "accuracy (95% interval)", "log loss", "against majority", "against logistic regression"],
        ["logistic regression", "80.0% (75.0% to 85.0%)", "0.450", "+30.0 (+20.0 to +35.0)"],
        [
            "keras",
            "75.0% (70.0% to 80.0%)",
            "5.050",
            "+25.0 (+15.0 to +30.0)",
            "\N{MINUS SIGN}5.0 (\N{MINUS SIGN}8.0 to +1.0)",
        ],
        [
            "majority",
            "50.0% (45.0% to 55.0%)",
            "0.693",
            "\N{MINUS SIGN}30.0 (\N{MINUS SIGN}35.0 to \N{MINUS SIGN}20.0)",
        ],
    ]


def test_columns_are_aligned() -> None:
    table = compare(MEASURED, INTERVALS, COMPARISONS, MODELS, 0.95)
    assert len({line.index(start) for line, start in zip(table[1:], ("80.0%", "75.0%", "50.0%"), strict=True)}) == 1


def test_a_single_model_is_compared_with_none() -> None:
    table = compare(MEASURED, INTERVALS, {}, ("keras",), 0.9)
    assert [cells(line) for line in table] == [
        ["on the test rows", "accuracy (90% interval)", "log loss"],
        ["keras", "75.0% (70.0% to 80.0%)", "5.050"],
    ]


def test_the_last_lines_name_the_default_model_and_why() -> None:
    assert describe(METRICS, MODELS, "keras", 0.95)[-2:] == [
        "default model: keras",
        "named by export.model",
    ]


def test_models_made_elsewhere_are_compared_too() -> None:
    trained = ("majority", "logistic_regression")
    table = describe(METRICS, trained, "majority", 0.95, ["keras"])
    assert cells(table[2])[:3] == ["keras", "75.0% (70.0% to 80.0%)", "5.050"]
    assert table[-2] == "default model: majority"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("evaluation", '{"majority": {"test": {"accuracy": NaN}}}', " must be JSON with finite numbers; got something"),
        ("evaluation", "[]", " must be a mapping; got list"),
        ("evaluation", "{}", ": majority.train.accuracy is missing; it must be set"),
        ("intervals", '{"majority": {"test": {"accuracy": 1}}}', ": majority.test.accuracy must be a mapping; got 1"),
        ("decisions", '{"protocol": []}', ": protocol must be a mapping; got []"),
        ("comparisons", '{"a": null}', ": a must be a mapping; got null"),
    ],
)
def test_a_damaged_file_is_told_in_a_line(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    file: str,
    content: str,
    said: str,
) -> None:
    monkeypatch.chdir(project)
    path = Path("metrics", f"{file}.json")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        cli.main(["metrics"])
    printed = capfd.readouterr()
    assert printed.err.startswith(f"error: metrics: {path}{said}")
    assert (stop.value.code, printed.out, printed.err.count("\n")) == (2, "", 1)
