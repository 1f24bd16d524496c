"""Columns that tell the label are known from those that only help."""

from collections.abc import Sequence

import pandas as pd
import pytest

from textclf.project.init.survey import tells_label

LABELS = ["no", "yes"] * 100


@pytest.mark.parametrize(
    ("values", "telling"),
    [
        (["-", "late"] * 100, True),  # a reason that only one class has
        (["-", "late", "-", "wet"] * 50, True),
        (["-"] * 3 + ["late"] + (["-"] * 7 + ["wet"]) * 24 + ["-"] * 4, False),  # in few rows
        (["web", "ios", "ios", "web"] * 50, False),
        ([str(number % 2 * 100 + number / 10) for number in range(200)], True),  # a score
        ([str(number) for number in range(200)], False),
        ([f"2024-01-{1 + number % 27:02}" for number in range(200)], False),
    ],
)
def test_a_column_tells_the_label_if_many_values_have_one_label_alone(values: Sequence[str], telling: bool) -> None:
    assert tells_label(pd.Series(values), pd.Series(LABELS)) is telling
