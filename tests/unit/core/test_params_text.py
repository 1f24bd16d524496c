"""Values of params.yaml that are set in place."""

from typing import Any

import pytest

from tests.settings import TEXT
from textclf.core.params_text import WIDTH, with_comments, with_sections, with_values
from textclf.core.settings import parse_yaml

VALUES: dict[str, Any] = {
    "data.path": "my rows.csv",
    "data.text": "1e3",
    "data.classes": ["no", "yes: it is"],
    "split.validation_size": 0.15,
    "split.stratify": True,
    "train.logistic_regression.C": [0.1, 1.0, 10.0],
    "gate.minimum": {},
    "gate.maximum_drop": {"keras": {"test": {"accuracy": 0.0}}},
    "export.model": None,
}


def changed_lines(text: str) -> set[str]:
    """Return the lines of a text that the project's params.yaml does not have."""
    return set(text.splitlines()) - set(TEXT.splitlines())


def test_without_values_the_text_stays() -> None:
    assert with_values(TEXT, {}) == TEXT


@pytest.mark.parametrize("key", VALUES)
def test_a_value_is_set_and_every_other_one_stays(key: str) -> None:
    content: Any = parse_yaml(TEXT, "")
    section: Any = content
    *sections, last = key.split(".")
    for name in sections:
        section = section[name]
    section[last] = VALUES[key]
    text = with_values(TEXT, {key: VALUES[key]})
    assert parse_yaml(text, "") == content
    assert len(changed_lines(text)) <= 2  # the value, and its comment if that moves above


def test_a_value_keeps_its_comment_which_moves_above_a_line_that_is_too_long() -> None:
    text, comment = "data:\n  classes: null            # labels in order\n", "# labels in order"
    assert (
        with_values(text, {"data.classes": ["a", "b"]})
        == f"data:\n  classes: [a, b]          {comment}\n"
    )
    comments = {"data.classes": comment.removeprefix("# ")}
    first = "a" * (WIDTH - len(f"  classes: [, b] {comment}"))
    for name, above in ((first, False), (f"{first}a", True)):
        lines = with_comments(
            with_values(text, {"data.classes": [name, "b"]}), comments
        ).splitlines()[1:]
        value = f"  classes: [{name}, b]"
        assert lines == ([f"  {comment}", value] if above else [f"{value} {comment}"])


def test_a_value_on_several_lines_is_replaced_whole() -> None:
    text = "a:\n  b:   # which\n    - 1\n    - 2\n  c: 3\n"
    assert with_values(text, {"a.b": [4]}) == "a:\n  b: [4] # which\n  c: 3\n"


def test_a_missing_section_is_added() -> None:
    assert parse_yaml(with_values("a: 1\n", {"b.c": [1]}), "") == {"a": 1, "b": {"c": [1]}}


def test_whole_sections_are_replaced_added_and_removed() -> None:
    text = "# what\n\na:  # one\n  b: 1\n\n  # inner\n  c: 2\n\n# two\nd: {}\n\ne:\n  f: [1]\n"
    sections: dict[str, Any] = {"a": {"x": {"y": [1, 2]}}, "new": {"z": None}, "e": {}}
    assert with_sections(text, sections) == (
        "# what\n\na:\n  x:\n    y: [1, 2]\n\nnew:\n  z: null\n\n# two\nd: {}\n"
    )
    assert with_sections(TEXT, {}) == TEXT
