"""Which columns hold the texts and the labels."""

from pathlib import Path

import pytest
import yaml

from tests import approved
from tests.refusal import refusal
from tests.unit.tables.tables import delimited, excel
from textclf.project.init.columns import (
    find_columns,
    find_groups,
    find_id,
    find_split,
    find_useful,
    look_like_texts,
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


def test_files_may_differ_in_columns_if_all_have_those_that_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, ("note", ["x", "y"]), name="b.csv")
    assert f"{tmp_path}: the files have different columns: a.csv (lacks note)" in refusal(
        find, tmp_path, ["message"]
    )
    assert find(tmp_path, ["message"], ["team"]) == ("message", "team")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("5000,The soup was cold.,b", "5000 is a number, like the values below it"),
        ("first,The soup was cold.,b", "b is a value of its column, too"),
    ],
)
def test_a_first_row_that_looks_like_the_others_is_no_header(
    header: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{n},The parcel {n} is late.,{'ab'[n % 2]}" for n in range(20)]
    path.write_text("\n".join([header, *rows]) + "\n")
    error = refusal(find, path)
    assert error == (
        f"{path}:1 must be the names of the columns; got what looks like a row: {reason}; "
        "add --no-header, or name the columns by --text and --label"
    )
    assert find(path, ["The soup was cold."], ["b"]) == ("The soup was cold.", "b")
    layout = Layout({}, option="--", header=0)
    assert find_columns(path, layout, None, None)[:2] == ("2", "3")
    path.write_text("\n".join(["2024,message,team", *rows]) + "\n")
    assert find(path) == ("message", "team")


def test_formulas_without_values_are_named_unless_the_columns_to_read_are(tmp_path: Path) -> None:
    rows = [(f"Parcel {n}, late", f'=A{n + 2} & "!"', "ab"[n % 2]) for n in range(20)]
    (tmp_path / "a.xlsx").write_bytes(excel(("message", "loud", "team"), *rows))
    assert "a.xlsx:2: loud must be a value; got a formula" in refusal(find, tmp_path / "a.xlsx")
    assert find(tmp_path / "a.xlsx", ["message"], ["team"]) == ("message", "team")


def test_other_columns_that_may_hold_the_texts_are_named(tmp_path: Path) -> None:
    note = ("note", [f"called customer {n} back later" for n in range(20)])
    lists = ("fields", [f'[{{"id": {n}, "value": "a long one"}}]' for n in range(20)])
    forms = [
        "2024-05-31 10:15:{:02} UTC",
        "2024/05/31 3:15:{:02} PM GMT+2",
        "Tue Mar 12 10:15:{:02} +0000 2024",
        "Tue, 12 Mar 2024 10:15:{:02} +0000",
    ]
    dates = [(form, [form.format(n) for n in range(20)]) for form in forms]
    path = write(tmp_path, note, ("place", ["a street in town", "a square"]), lists, *dates)
    _, _, others = find_columns(path, Layout({}, option="--"), ["message"], ["team"])
    assert look_like_texts(others) == ["note"]


def test_a_header_that_is_repeated_below_is_one(tmp_path: Path) -> None:
    """Tables that were put together repeat it."""
    header = "nr,message,team"
    rows = [f"{n},The parcel {n} is late.,{'ab'[n % 2]}" for n in range(20)]
    (tmp_path / "a.csv").write_text("\n".join([header, *rows, header, *rows]) + "\n")
    assert find(tmp_path / "a.csv") == ("message", "team")


def test_decimals_with_a_comma_are_no_lists_of_labels(tmp_path: Path) -> None:
    rows = [f"The parcel {n} is late.;{n % 7},{n % 3}9;{'ab'[n % 2]}" for n in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["message;price;team", *rows]) + "\n")
    layout = Layout({}, option="--", delimiter=";")
    assert find_columns(tmp_path / "a.csv", layout, None, None)[:2] == ("message", "team")


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
