import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core import quoting


def test_a_value_is_quoted_on_one_short_line() -> None:
    values = [None, {"a": 1}, [1], "a\nb", "x" * 41, True, 1.5, 10**50]
    kinds, numbers = ["nothing", "an object", "a list"], ["True", "1.5", "1" + "0" * 38 + "…"]
    assert [*map(quoting.quote_value, values)] == [*kinds, r"'a\nb'", f"'{'x' * 39}…'", *numbers]


def test_a_name_is_quoted_if_it_would_be_misread() -> None:
    for name in ("a", "the label", "é", "a-b.c"):
        assert quoting.quote_name(name) == name
    for name in ("", " a", "a ", "a,b", "a\tb", "x" * 41):
        assert quoting.quote_name(name) == quoting.quote_value(name)


def test_the_first_of_many_names_are_listed() -> None:
    assert quoting.list_names(["a", "b, c", ""]) == "a, 'b, c', ''"
    assert quoting.list_names([str(number) for number in range(13)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"


def test_of_many_classes_the_smallest_and_the_largest_are_shown() -> None:
    assert quoting.list_classes({"a": 1200, "b ": 3}) == "a (1,200), 'b ' (3)"
    many = {f"c{number}": 1000 - number for number in range(77)}
    assert quoting.list_classes(many) == "from 924 (c76) to 1,000 rows (c0)"
    assert quoting.list_classes({"a": 0.25, "b": 0.75}, ".3f", unit="") == "a (0.250), b (0.750)"


def test_the_first_line_of_a_message_is_printable() -> None:
    messages = ["wrong.\nMore of it.", "  wrong: ", "a\x1b[31m", "x" * 201, ""]
    lines = [quoting.first_line(ValueError(message)) for message in messages]
    assert lines == ["wrong", "wrong", r"a\x1b[31m", "x" * 199 + "…", "ValueError"]


@given(st.text() | st.none() | st.integers() | st.floats() | st.binary(), st.integers(1, 50))
def test_any_value_is_quoted_in_printable_characters(value: object, limit: int) -> None:
    text = quoting.quote_value(value, limit)
    assert text.isprintable()
    assert not isinstance(value, int | float) or len(text) <= limit


def test_an_argument_is_quoted_for_the_shell_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("plain.csv", "it's & two.csv")
    assert [*map(quoting.quote_argument, words)] == ["plain.csv", """'it'"'"'s & two.csv'"""]
    monkeypatch.setattr("sys.platform", "win32")
    assert [*map(quoting.quote_argument, words)] == ["plain.csv", '"it\'s & two.csv"']
