"""The parts of a page: texts that are cut, and texts with several labels."""

import pytest

from textclf.pages.parts import IDS, Labelled, LabelledText, Text, excerpt


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short", Text("short", "", 0, 5)),
        ("a" * 12, Text("a" * 12, "", 0, 12)),  # a little more than what is shown at once
        ("a" * 15, Text("a" * 10, "a" * 5, 0, 15)),
        ("a" * 9 + " " + "b" * 30, Text("a" * 9, " " + "b" * 10, 20, 40)),
    ],
)
def test_a_text_is_cut_between_words_if_possible(text: str, parts: Text) -> None:
    assert excerpt(text, 10, 20) == parts


@pytest.mark.parametrize(
    ("number", "end"), [(IDS - 1, ""), (IDS, ""), (IDS + 1, ", 1 more"), (2000, ", 1,995 more")]
)
def test_of_the_rows_of_a_label_some_are_named_and_the_others_counted(
    number: int, end: str
) -> None:
    shown = min(number, IDS)
    rows = Labelled(number, [("train", f"r{place}") for place in range(shown)])
    (label,) = LabelledText("fine", {"1": rows}).shown({"1": "good"})["labels"]
    assert label["ids"] == ", ".join(f"r{place} (train)" for place in range(shown)) + end
    assert (label["name"], label["rows"]) == ("good", f"{number:,} rows")


def test_labels_stand_by_their_rows_the_most_first() -> None:
    rows = {"0": Labelled(1, [("test", "a")]), "1": Labelled(2, [("test", "b"), ("test", "c")])}
    labels = LabelledText("fine", rows).shown({"0": "bad", "1": "good"})["labels"]
    assert [label["name"] for label in labels] == ["good", "bad"]
