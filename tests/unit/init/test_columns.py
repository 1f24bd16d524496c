"""Which columns hold the texts and the labels."""

from pathlib import Path

import pytest

from tests.unit.tables.tables import delimited
from textclf.core.errors import UserError
from textclf.init.columns import find_columns, find_delimiter, find_groups, find_id, find_slices, find_split
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
    return find_columns(path, Layout({}, option="--"), text, label)[:2]


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


@pytest.mark.parametrize(
    ("columns", "ids", "slices", "groups"),
    [
        ({"ticket": "T{n}"}, "ticket", [], []),
        ({"": "{n}"}, None, [], []),  # can't be named in params.yaml
        ({"day": "2024-01-{n}"}, None, [], []),
        ({"size": "{n}.5"}, None, [], []),
        ({"title": "Parcel {n}"}, None, [], []),  # a text
        ({"votes": "{seven}", "tweetID": "{n}"}, "tweetID", [], []),
        ({"stars": "{seven}", "votes": "{n}"}, None, [], []),  # unique by chance
        ({"ticket": "{n}", "user id": "{n}"}, "user id", [], []),
        ({"platform": "p{three}", "priority": "{three}"}, None, ["platform", "priority"], []),
        (
            {"platform": "p{three}", "class": "{three}", "a=b": "{three}"},
            None,
            ["platform"],
            [],
        ),  # names of other slices
        ({"price": "{three}.5", "city": "c{seven}"}, None, [], []),  # measured; too few rows of each
        ({"author": "Ann {forty}", "votes": "{forty}", "thread_id": "{forty}"}, None, [], ["author", "thread_id"]),
        ({"session": "s{hundred}"}, None, [], []),  # few repeat
    ],
)
def test_ids_slices_and_groups_are_found_among_the_other_columns(
    columns: dict[str, str], ids: str | None, slices: list[str], groups: list[str], tmp_path: Path
) -> None:
    rows = []
    for n in range(160):
        values = {"n": n, "three": n % 3, "seven": n % 7, "forty": n % 40, "hundred": n % 100}
        others = [each.format(**values) for each in columns.values()]
        rows.append([*others, f"The parcel {n} is late.", "ab"[n % 2]])
    (tmp_path / "a.csv").write_text(delimited([[*columns, "message", "label"], *rows]))
    text, label, found = find_columns(tmp_path / "a.csv", Layout({}), None, None)
    assert (text, label) == ("message", "label")
    assert (find_id(found, next(iter(columns))), find_slices(found)) == (ids, slices)
    assert [column.name for column in find_groups(found)] == groups


@pytest.mark.parametrize(("values", "found"), [(["train", "dev", "test"], "split"), (["1", "2", "3", "4"], None)])
def test_the_column_split_holds_the_splits_if_it_has_at_most_three_values(
    tmp_path: Path, values: list[str], found: str | None
) -> None:
    layout = Layout({}, option="--")
    assert find_split(write(tmp_path, ("split", values)), layout) == found
    assert find_split(write(tmp_path, ("fold", values)), layout) is None
