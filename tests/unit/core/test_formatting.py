from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import formatting


@pytest.mark.parametrize(
    ("show", "value", "text"),
    [
        *((formatting.points, *case) for case in ((0.004, "+0.4"), (-0.044, "\N{MINUS SIGN}4.4"), (-0.0001, "0.0"))),
        *((formatting.confidence_level, *case) for case in ((0.95, "95%"), (0.9, "90%"), (0.975, "97.5%"))),
        *((formatting.p_value, *case) for case in ((0.0004, "< 0.001"), (0.001, "0.001"), (0.5, "0.500"))),
        *((formatting.join_names, *case) for case in (([], ""), (["a"], "a"), (["a", "b", "c"], "a, b and c"))),
        (lambda count: formatting.count_noun(count, "row"), 1, "1 row"),
        (lambda count: formatting.count_noun(count, "class", "classes"), 2000, "2,000 classes"),
    ],
)
def test_values_are_shown_as_in_a_sentence(show: Callable[[Any], str], value: Any, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize("value", [3.2e-12, 1.234567e-300, 0.123457, 0.0, 1.0])
def test_significant_digits_are_kept_however_small_a_number_is(value: float) -> None:
    assert formatting.round_significant(value) == pytest.approx(value, rel=1e-6)
    assert formatting.round_significant(0.12345678) == 0.123457


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any))
def test_whole_percentages_sum_to_100_and_are_off_by_less_than_1(counts: list[int]) -> None:
    shares = [count / sum(counts) for count in counts]
    shown = formatting.largest_remainder(shares)
    assert sum(shown) == 100
    assert all(abs(number - 100 * share) < 1 for number, share in zip(shown, shares, strict=True))


def test_the_largest_remainders_are_rounded_up() -> None:
    assert formatting.largest_remainder([1 / 3, 1 / 3, 1 / 3]) == [34, 33, 33]
    assert formatting.largest_remainder([0.005, 0.995]) == [1, 99]
    assert formatting.largest_remainder([0.29, 0.71]) == [29, 71]
    assert formatting.largest_remainder([0.0, 0.0]) == [0, 0]
