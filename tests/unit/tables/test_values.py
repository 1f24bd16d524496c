"""Values of columns as text: which ones can be labels or texts, and how others are written."""

from textclf.core.arrow import array_of
from textclf.tables.values import CONTROL, NUL, are_valid, to_array


def test_every_character_is_blank_or_forbidden_as_python_says() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert are_valid(array_of(every), NUL).tolist() == [bool(each.strip("\0").strip()) for each in every]
    after_a_letter = array_of([f"a{each}" for each in every])
    assert are_valid(after_a_letter, CONTROL).tolist() == [not CONTROL.search(each) for each in every]


def test_integers_and_booleans_are_written_as_text_where_labels_may_be_and_others_are_refused() -> None:
    values: list[object] = ["a", "é", None, 1, -7, 2**70, True, False, 1.5, [1], "a\ud800", "b\0"]
    labels = to_array(values, numbers=True)
    written = ["a", "é", "", "1", "-7", str(2**70), "true", "false"]
    assert labels.to_pylist()[:8] == written
    assert are_valid(labels, CONTROL).tolist() == [bool(text) for text in written] + [False] * 4
    assert are_valid(to_array(values, numbers=False), NUL).tolist() == [True, True, *[False] * 10]
