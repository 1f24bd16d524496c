"""The comments of params.yaml."""

import pytest

from tests.refusal import refusal
from tests.settings import TEXT, put
from textclf.project.comments import commented


def test_params_yaml_has_the_comments_of_the_settings() -> None:
    assert commented(TEXT) == TEXT
    bare = "\n".join(line.partition(" # ")[0].rstrip() for line in TEXT.splitlines() if line.strip()[:1] != "#")
    again = commented(bare).splitlines()
    without_header = TEXT[TEXT.index("fetch:") :].splitlines()
    assert [line for line in again if line] == [line for line in without_header if line]


@pytest.mark.parametrize("value", ['"a #b"', "'a #b'", "a#b", "it's.csv", 'a"b'])
def test_a_value_survives_the_comments(value: str) -> None:
    assert f"  group: {value} " in commented(put("data.group", value))


def test_a_comment_too_long_for_the_line_stands_above_and_replaces_the_old_one() -> None:
    text = commented(put("data.group", "x" * 100).replace("  group:", "  # an old comment\n  group:"))
    lines = text.splitlines()
    place = lines.index(f"  group: {'x' * 100}")
    assert lines[place - 1].startswith("  # column whose equal values")
    assert "an old comment" not in text
    assert commented(text) == text


def test_a_value_that_would_be_lost_in_the_comment_is_refused() -> None:
    assert "on one line" in refusal(commented, put("data.group", '"a\n    b"'))
