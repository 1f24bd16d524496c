"""Which columns hold the texts and the labels."""

from pathlib import Path

import pytest

from tests.unit.tables.tables import delimited
from textclf.project.init.columns import find_columns, find_delimiter, find_groups, find_id, find_split, find_useful
from textclf.tables.layout import Layout

HEADER = ("ticket", "day", "message", "url", "team")
ROWS = [
    (f"T{n}", f"2024-05-{1 + n % 2}", f"The parcel {n} is late.", f"https://example.org/{'x' * 40}/{n}", "ab"[n % 2])
    for n in range(20)
]


def write(folder: Path, *extra: tuple[str, list[str]], name: str = "a.csv", delimiter: str = ",") -> Path:
    header = [*HEADER, *(title for title, _ in extra)]
    rows = [[*row, *(values[n % len(values)] for _, values in extra)] for n, row in enumerate(ROWS)]
    path = folder / name
    path.write_text(delimited([header, *rows], delimiter=delimiter))
    return path


def find(
    path: Path, text: list[str] | None = None, label: list[str] | None = None
) -> tuple[str | tuple[str, ...], str | tuple[str, ...]]:
    return find_columns(path, Layout({}, option="--"), text, label)[:2]


@pytest.mark.parametrize(
    ("extra", "given", "found"),
    [
        ({}, (None, None), ("message", "team")),  # the longest column of sentences, and the one of few values
        ({}, (["url"], None), ("url", "team")),
        ({}, (None, ["day"]), ("message", "day")),
        ({}, (["no"], ["such"]), ("no", "such")),
        ({}, (["url", "message"], None), (("url", "message"), "team")),
        ({"Category": ["x", "y", "z"]}, (None, None), ("message", "Category")),  # a usual name decides
        ({"topic": ["x", "y"], "class": ["x", "y"]}, (None, None), ("message", "class")),  # the likelier one
        ({"label": ["1.0", "2.0"]}, (None, None), ("message", "label")),
        ({"price": ["1.0", "2.0"]}, (None, None), ("message", "team")),
        ({"place": ["p", "q", "r", "s", "t", "u"]}, (None, None), ("message", "team")),  # fewer than 4 rows of each
        ({"sent by": [f"{name} of {'x' * 60}" for name in "abcdef"]}, (None, None), ("message", "team")),  # repeats
    ],
)
def test_texts_and_labels_are_found_by_what_is_in_the_columns(
    extra: dict[str, list[str]],
    given: tuple[list[str] | None, list[str] | None],
    found: tuple[str, str],
    tmp_path: Path,
) -> None:
    assert find(write(tmp_path, *extra.items()), *given) == found


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("split", ["train", "dev", "test"], "split"),
        ("split", ["train", "dev", "test", "more"], None),  # that is another kind of split
        ("Split", ["train", "test"], None),
    ],
)
def test_a_column_named_split_of_at_most_three_values_gives_the_splits(
    name: str, values: list[str], found: str | None, tmp_path: Path
) -> None:
    assert find_split(write(tmp_path, (name, values)), Layout({})) == found


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
        ({"platform": "p{three}", "class": "{three}", "a=b": "{three}"}, None, ["platform"], []),  # names of others
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
    assert (find_id(found, next(iter(columns))), find_useful(found)["slices"]) == (ids, tuple(slices))
    assert [column.name for column in find_groups(found)] == groups
