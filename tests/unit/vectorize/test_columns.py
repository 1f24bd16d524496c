"""Other columns as features: what is learned of them, and values that can't be read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.refusal import refusal
from textclf.core.text_row import TextRow
from textclf.vectorize.columns import representation
from textclf.vectorize.columns.representation import Representation
from textclf.vectorize.columns.settings import Settings


def rows(*values: str, name: str = "x") -> list[str]:
    return [
        TextRow("text", {name: value}, f"t.csv:{place}")
        for place, value in enumerate(values, start=2)
    ]


def fit(texts: Sequence[str], kind: str, name: str = "x") -> Any:
    return Representation.fit(iter(texts), Settings.model_validate({kind: [name]}))


DATES = ("2024-05-06", "2024-05-06T13:30", "2026-05-13 01:00:00+12:00", "", "2026-05-12")
PARTS = ["x hour=0", "x hour=13", "x month=5", "x weekday=Monday", "x weekday=Tuesday"]


@pytest.mark.parametrize(
    ("kind", "train", "terms", "new"),
    [
        (
            "numbers",
            ("1", " 3 ", "", "NaN", "5"),
            ["x", "x=missing"],
            {"1": [-(1.5**0.5), 0], "3": [0, 0], "": [0, 1], "nan": [0, 1], "1e300": [10, 0]},
        ),
        ("numbers", ("0,5", "1.5", ",5", "1,5"), ["x"], {"1,0": [0], "-1,0000": [-4]}),
        ("numbers", ("1", "", "", "1"), ["x=missing"], {"7": [0], "": [1]}),
        (
            "categories",
            ("b", "a", "b ", "a", "c", "", ""),
            ["x=a", "x=b"],
            {"b": [0, 1], "c": [0, 0], "": [0, 0]},
        ),
        (
            "categories",
            ("True", "TRUE", "2.0", "2", "-0.0", "0", "1e+15", "1" + "0" * 15, "-1.50", "-1.50"),
            [f"x={value}" for value in ("-1.50", "0", "1000000000000000", "2", "true")],
            {"true": [0, 0, 0, 0, 1], "2.00": [0, 0, 0, 1, 0], "-1.5": [0] * 5, "02": [0] * 5},
        ),
        ("categories", ("007", "007", "7", "7"), ["x=007", "x=7"], {"7.0": [0, 1], "7.5": [0, 0]}),
        ("dates", DATES, ["x year", *PARTS], {"2025-06-02T13:00": [0, 0, 1, 0, 1, 0], "": [0] * 6}),
    ],
)
def test_values_become_features(
    kind: str, train: Sequence[str], terms: Sequence[str], new: dict[str, list[float]]
) -> None:
    fitted = fit(rows(*train), kind)
    assert fitted.terms() == terms
    assert fitted.transform(rows(*new)) == pytest.approx(np.array([*new.values()]))


def test_only_the_most_frequent_categories_are_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(representation, "MOST_CATEGORIES", 1)
    monkeypatch.setattr(representation, "ROWS", 2)  # so that they are counted in several batches
    assert fit(rows("b", "a", "b", "a", "c", "a"), "categories").terms() == ["x=a"]


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        *(("numbers", value, "a number, such as 12.5") for value in ("1,500", "1e400", "1_000")),
        ("dates", "6 May", "a date in ISO 8601, such as 2024-05-31"),
        ("dates", "0001-01-01 00:00+01:00", "a date in ISO 8601, such as 2024-05-31"),
    ],
)
def test_a_value_that_can_not_be_read_is_named_with_its_row(
    kind: str, value: str, rule: str
) -> None:
    line = refusal(fit, rows("", value), kind)
    assert line == f"t.csv:3: x must be {rule}, or empty; got {value!r}; correct it"


def test_a_text_without_the_columns_is_refused() -> None:
    fitted = fit(rows("1", "2"), "numbers")
    expected = (
        "a text must come with the columns x, which the model reads; got a text alone; "
        "give predict a table or "
    )
    for texts in (["text"], rows("1", name="y")):
        assert refusal(fitted.transform, texts).startswith(expected)


@pytest.mark.parametrize(("kind", "values"), [("numbers", "11"), ("categories", "ab")])
def test_columns_that_tell_nothing_are_refused(kind: str, values: str) -> None:
    assert "must have different values" in refusal(fit, rows(*values), kind)
