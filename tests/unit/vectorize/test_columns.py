"""Other columns than the text as features: what is learned of them, and values that can't be read."""

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
    return [TextRow("text", {name: value}, f"t.csv:{place}") for place, value in enumerate(values, start=2)]


def fit(texts: Sequence[str], kind: str, name: str = "x") -> Any:
    return Representation.fit(iter(texts), Settings.model_validate({kind: [name]}))


def test_numbers_are_standardised_by_the_training_rows_and_a_missing_one_is_the_mean() -> None:
    fitted = fit(rows("1", " 3 ", "", "nan", "5"), "numbers")
    assert fitted.numbers == {"x": (3.0, (8 / 3) ** 0.5)}
    assert fitted.terms() == ["x"]  # one row alone is empty
    expected = [[-(1.5**0.5)], [0.0], [0.0], [10.0]]
    assert fitted.transform(rows("1", "3", "", "1e300")) == pytest.approx(np.array(expected))


def test_that_a_number_is_missing_is_a_feature_if_two_training_rows_lack_it() -> None:
    fitted = fit(rows("1", "", "", "1"), "numbers")
    assert fitted.terms() == ["x=missing"]
    assert fitted.transform(rows("7", "")).tolist() == [[0], [1]]


def test_categories_of_two_rows_are_features_and_others_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = rows("b", "a", "b ", "a", "c", "", "", "a")
    assert fit(texts, "categories").terms() == ["x=a", "x=b"]
    assert fit(texts, "categories").transform(rows("b", "c", "", "a")).tolist() == [[0, 1], [0, 0], [0, 0], [1, 0]]
    monkeypatch.setattr(representation, "MOST_CATEGORIES", 1)
    monkeypatch.setattr(representation, "ROWS", 2)  # so that they are counted in several batches
    assert fit(texts, "categories").terms() == ["x=a"]


def test_dates_are_years_months_weekdays_and_hours() -> None:
    fitted = fit(rows("2024-05-06", "2024-05-06T13:30", "2026-05-12 13:00:00Z", "", "2026-05-12"), "dates")
    assert fitted.numbers["x year"] == (2025.0, 1.0)
    categories = ["x hour=0", "x hour=13", "x month=5", "x weekday=Monday", "x weekday=Tuesday"]
    assert fitted.terms() == ["x year", *categories]
    assert fitted.transform(rows("2025-06-02T13:00", "")).tolist() == [[0, 0, 1, 0, 1, 0], [0] * 6]


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("numbers", "1,5", "a number, such as 12.5"),
        ("numbers", "1e400", "a number, such as 12.5"),
        ("numbers", "1_000", "a number, such as 12.5"),
        ("dates", "6 May", "a date in ISO 8601, such as 2024-05-31"),
    ],
)
def test_a_value_that_can_not_be_read_is_named_with_its_row(kind: str, value: str, rule: str) -> None:
    line = refusal(fit, rows("", value), kind)
    assert line == f"t.csv:3: x must be {rule}, or empty; got {value!r}; correct it"


def test_a_text_without_the_columns_is_refused() -> None:
    fitted = fit(rows("1", "2"), "numbers")
    expected = "a text must come with the columns x, which the model reads; got a text alone; give predict a table or "
    for texts in (["text"], rows("1", name="y")):
        assert refusal(fitted.transform, texts).startswith(expected)


def test_columns_that_tell_nothing_are_refused() -> None:
    assert "must have different values" in refusal(fit, rows("1", "1"), "numbers")
    assert "must have different values" in refusal(fit, rows("a", "b"), "categories")
