"""Values of columns: an array is checked as its values are, one by one."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core.arrow import array_of
from textclf.tables import limits
from textclf.tables.layout import Record
from textclf.tables.values import CONTROL, NUL, are_valid, label_of, text_of, to_array

SOUP = st.text(st.sampled_from("aB z \t\n\x1c\0\x7f\x85\xa0é\u1680İß\u2003\u3000語\ufb01"), max_size=12)
TEXTS = st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), SOUP), max_size=40)


def is_value(value_of: Callable[[Record, str], str | None], value: object) -> bool:
    try:
        return bool((value_of({"": value}, "") or "").strip())
    except ValueError:
        return False


@pytest.mark.parametrize(("forbidden", "value_of"), [(NUL, text_of), (CONTROL, label_of)])
@given(texts=TEXTS, longest=st.integers(1, 13))
def test_an_array_is_checked_as_its_values_are(
    forbidden: re.Pattern[str], value_of: Callable[[Record, str], str | None], texts: list[str], longest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "TEXT_CHARACTERS", longest)
        assert are_valid(array_of(texts), forbidden).tolist() == [is_value(value_of, text) for text in texts]


def test_every_character_is_blank_or_forbidden_as_python_says() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert are_valid(array_of(every), NUL).tolist() == [bool(each.strip("\0").strip()) for each in every]
    after_a_letter = array_of([f"a{each}" for each in every])
    assert are_valid(after_a_letter, CONTROL).tolist() == [not CONTROL.search(each) for each in every]


@pytest.mark.parametrize(("numbers", "value_of"), [(False, text_of), (True, label_of)])
def test_a_list_becomes_an_array_of_what_its_values_are_as_text(
    numbers: bool, value_of: Callable[[Record, str], str | None]
) -> None:
    values: list[object] = ["a", "é", "", None, 1, -7, 2**70, True, False, 1.5, [1], "a\ud800", "b\0"]
    texts = to_array(values, numbers).to_pylist()
    forbidden = CONTROL if numbers else NUL
    assert are_valid(to_array(values, numbers), forbidden).tolist() == [is_value(value_of, each) for each in values]
    assert all(
        text == value_of({"": each}, "") for text, each in zip(texts, values, strict=True) if is_value(value_of, each)
    )
