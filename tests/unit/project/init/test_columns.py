"""Which columns hold the texts and the labels."""

from pathlib import Path

import pytest
import yaml

from tests import approved
from tests.unit.tables.tables import delimited
from textclf.project.init.columns import (
    find_columns,
    find_delimiter,
    find_groups,
    find_id,
    find_split,
    find_useful,
)
from textclf.tables.layout import Layout

HEADER = ("ticket", "day", "message", "url", "team")
ROWS = [
    (
        f"T{n}",
        f"2024-05-{1 + n % 2}",
        f"The parcel {n} is late.",
        f"https://example.org/{'x' * 40}/{n}",
        "ab"[n % 2],
    )
    for n in range(20)
]


def write(
    folder: Path, *extra: tuple[str, list[str]], name: str = "a.csv", delimiter: str = ","
) -> Path:
    header = [*HEADER, *(title for title, _ in extra)]
    rows = [[*row, *(values[n % len(values)] for _, values in extra)] for n, row in enumerate(ROWS)]
    path = folder / name
    path.write_text(delimited([header, *rows], delimiter=delimiter))
    return path


def find(
    path: Path, text: list[str] | None = None, label: list[str] | None = None
) -> tuple[str | tuple[str, ...], str | tuple[str, ...]]:
    return find_columns(path, Layout({}, option="--"), text, label)[:2]


def test_texts_and_labels_are_found_by_what_is_in_the_columns(tmp_path: Path) -> None:
    def say(case: str) -> list[str]:
        """Return text and label columns; a case is columns in YAML, and named ones after a bar."""
        extra, given = map(yaml.safe_load, (*case.split(" | "), "[null, null]")[:2])
        return list(map(str, find(write(tmp_path, *extra.items()), *given)))

    approved.check_cases(Path(__file__).with_name("columns.txt"), say)


@pytest.mark.parametrize(
    ("name", "values", "split"),
    [
        ("split", ["train", "dev", "test"], "split"),
        # That is another kind of split.
        ("split", ["train", "dev", "test", "more"], None),
        ("Split", ["train", "test"], None),
    ],
)
def test_a_column_named_split_of_at_most_three_values_gives_the_splits(
    name: str, values: list[str], split: str | None, tmp_path: Path
) -> None:
    assert find_split(write(tmp_path, (name, values)), Layout({})) == split


def test_files_that_each_hold_a_class_are_labelled_by_their_names(tmp_path: Path) -> None:
    for name in ("good.csv", "bad.csv"):
        (tmp_path / name).write_text(delimited([("text",), *((f"a text {n}",) for n in range(9))]))
    assert find(tmp_path) == ("text", "source")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_seen_in_the_header(delimiter: str, tmp_path: Path) -> None:
    assert find_delimiter(write(tmp_path, delimiter=delimiter), Layout({})) == delimiter
    assert find_delimiter(write(tmp_path), Layout({})) is None
    assert find_delimiter(write(tmp_path), Layout({}, delimiter="~")) == "~"


def test_ids_slices_and_groups_are_found_among_the_other_columns(tmp_path: Path) -> None:
    def say(case: str) -> list[str]:
        """Return what is found in columns of templates, in YAML."""
        columns, rows = yaml.safe_load(case), []
        for n in range(160):
            values = {"n": n, "three": n % 3, "seven": n % 7, "forty": n % 40, "hundred": n % 100}
            others = [template.format(**values) for template in columns.values()]
            rows.append([*others, f"The parcel {n} is late.", "ab"[n % 2]])
        (tmp_path / "a.csv").write_text(delimited([[*columns, "message", "label"], *rows]))
        text, label, rest = find_columns(tmp_path / "a.csv", Layout({}), None, None)
        assert (text, label) == ("message", "label")
        several = {
            "slices": find_useful(rest)["slices"],
            "groups": [column.name for column in find_groups(rest)],
        }
        said = [f"{what}: {', '.join(names)}" for what, names in several.items() if names]
        return [f"id: {find_id(rest, next(iter(columns)))}", *said]

    approved.check_cases(Path(__file__).with_name("useful_columns.txt"), say)
