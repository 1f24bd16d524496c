"""Which columns hold the texts and the labels."""

from pathlib import Path

import pytest

from tests.unit.tables.tables import delimited
from textclf.core.errors import UserError
from textclf.init.columns import find_columns, find_delimiter
from textclf.tables.layout import Layout

HEADER = ("ticket", "day", "message", "url", "team")
ROWS = [
    (f"T{n}", f"2024-05-{1 + n % 2}", f"The parcel {n} is late.", f"https://example.org/{'x' * 40}/{n}", "ab"[n % 2])
    for n in range(20)
]


def write(folder: Path, *extra: tuple[str, list[str]], name: str = "a.csv", delimiter: str = ",") -> Path:
    """Write the rows with extra columns."""
    header = [*HEADER, *(title for title, _ in extra)]
    rows = [[*row, *(values[n % len(values)] for _, values in extra)] for n, row in enumerate(ROWS)]
    path = folder / name
    path.write_text(delimited([header, *rows], delimiter=delimiter))
    return path


def find(path: Path, text: str | None = None, label: str | None = None) -> tuple[str, str]:
    return find_columns(path, Layout({}, option="--"), text, label)


def test_the_texts_are_the_longest_column_of_sentences_and_the_labels_the_one_of_few_values(tmp_path: Path) -> None:
    assert find(write(tmp_path)) == ("message", "team")


def test_given_columns_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert find(path, text="url") == ("url", "team")
    assert find(path, label="day") == ("message", "day")
    assert find(path, "no", "such") == ("no", "such")


def test_a_usual_name_decides_between_columns_of_few_values(tmp_path: Path) -> None:
    assert find(write(tmp_path, ("Category", ["x", "y", "z"]))) == ("message", "Category")


def test_decimals_are_labels_in_a_column_with_a_usual_name_only(tmp_path: Path) -> None:
    assert find(write(tmp_path, ("label", ["1.0", "2.0"]))) == ("message", "label")
    assert find(write(tmp_path, ("price", ["1.0", "2.0"]))) == ("message", "team")


def test_several_columns_that_could_be_labels_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--label must name .*; it could be team \(2 values\), place \(4 values\)"):
        find(write(tmp_path, ("place", ["q", "r", "s", "t"])))


def test_a_table_without_labels_or_texts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimited([("id", "text"), *((f"i{n}", f"a text {n}") for n in range(9))]))
    with pytest.raises(UserError, match=r"must have a column of labels, .* got none among id; name it by --label"):
        find(path)
    path.write_text(delimited([("id", "label"), *((f"i{n}", "ab"[n % 2]) for n in range(9))]))
    with pytest.raises(UserError, match="must have a column of texts; got none among id, label; name it by --text"):
        find(path)


def test_files_that_each_hold_a_class_are_labelled_by_their_names(tmp_path: Path) -> None:
    for name in ("good.csv", "bad.csv"):
        (tmp_path / name).write_text(delimited([("text",), *((f"a text {n}",) for n in range(9))]))
    assert find(tmp_path) == ("text", "source")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_seen_in_the_header(delimiter: str, tmp_path: Path) -> None:
    assert find_delimiter(write(tmp_path, delimiter=delimiter), Layout({})) == delimiter
    assert find_delimiter(write(tmp_path), Layout({})) is None
    assert find_delimiter(write(tmp_path), Layout({}, delimiter="~")) == "~"
