from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unspaced import WORDS, rows
from textclf.core import formatting, quoting
from textclf.core.display import cut, display_labels, visible
from textclf.core.writing_systems import is_unspaced, unspaced_share


@pytest.mark.parametrize(
    ("show", "value", "text"),
    [
        *(
            (formatting.points, *case)
            for case in ((0.004, "+0.4"), (-0.044, "\N{MINUS SIGN}4.4"), (-0.0001, "0.0"))
        ),
        *(
            (formatting.confidence_level, *case)
            for case in ((0.95, "95%"), (0.9, "90%"), (0.975, "97.5%"))
        ),
        *(
            (formatting.p_value, *case)
            for case in ((0.0004, "< 0.001"), (0.001, "0.001"), (0.5, "0.500"))
        ),
        *(
            (formatting.join_names, *case)
            for case in (([], ""), (["a"], "a"), (["a", "b", "c"], "a, b and c"))
        ),
        (lambda count: formatting.count_noun(count, "row"), 1, "1 row"),
        (lambda count: formatting.count_noun(count, "class", "classes"), 2000, "2,000 classes"),
        # The largest remainders are rounded up.
        (formatting.largest_remainder, [1 / 3, 1 / 3, 1 / 3], [34, 33, 33]),
        (formatting.largest_remainder, [0.005, 0.995], [1, 99]),
        (formatting.largest_remainder, [0.29, 0.71], [29, 71]),
        (formatting.largest_remainder, [0.0, 0.0], [0, 0]),
    ],
)
def test_values_are_shown_as_in_a_sentence(
    show: Callable[[Any], object], value: Any, text: object
) -> None:
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


def test_invisible_and_reordering_characters_are_replaced() -> None:
    assert (
        visible("a\u202eb\x00c\x1b[0m\u2028\u200b")
        == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+001B⟩[0m⟨U+2028⟩⟨U+200B⟩"
    )
    assert visible("ünï \N{FAMILY}\u200d\n\t") == "ünï \N{FAMILY}\u200d\n\t"


def test_a_text_is_cut_by_its_width() -> None:
    assert [cut(text, 24) for text in ("y" * 24, "y" * 25)] == ["y" * 24, "y" * 23 + "…"]
    assert [cut("中" * count, 24) for count in (12, 13)] == ["中" * 12, "中" * 11 + "…"]
    assert cut("a" + "中" * 12, 24) == "a" + "中" * 11 + "…"


def test_labels_are_short_visible_and_unique() -> None:
    names = ["a" * 99, "a" * 98, " ", "", "b\nc", "\u202e", *(f"{'d' * 20}{n}" for n in range(120))]
    shown = display_labels(names, limit=12)
    assert list(shown) == names
    assert len(set(shown.values())) == len(shown)
    assert all(0 < len(label) <= 12 for label in shown.values())
    assert shown["\u202e"] == "⟨U+202E⟩"


def test_a_title_is_shown_instead_of_a_name() -> None:
    assert display_labels(["0", "1", "2"], {"0": "no", "1": "no"}) == {
        "0": "no",
        "1": "no (2)",
        "2": "2",
    }


@pytest.mark.parametrize("language", WORDS)
def test_sentences_without_spaces_are_recognised(language: str) -> None:
    assert unspaced_share([text for text, _ in rows(language, 50)]) == 1


PHRASES = "ລົດຊາດດີຫຼາຍ ຂ້ອຍຈະກັບມາອີກ"  # Lao, with a space between phrases
SET_APART = ("这 家 店 的 菜 很 好吃", "ร้าน นี้ อร่อย มาก และ ถูก")  # by a tool
SPACED = (
    *SET_APART,
    "음식이 정말 맛있어요",
    "The sign says 出口 in red",
    "Très bon café, naïve façade",
    "👍👍",
    "",
)


def test_texts_with_spaces_between_words_are_others() -> None:
    assert [
        text for text in ("iPhone很好用", "好", PHRASES, "བོད་སྐད་ཡག་པོ་འདུག") if not is_unspaced(text)
    ] == []
    assert [text for text in SPACED if is_unspaced(text)] == []


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert not is_unspaced("word " * 1000 + "好" * 100_000)


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
    assert (
        quoting.list_names([str(number) for number in range(13)])
        == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"
    )


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
