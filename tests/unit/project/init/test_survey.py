"""What a table of labelled texts holds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import delimited
from textclf.project.init.survey import Survey, detect_language, survey, tells_label
from textclf.tables.settings import Data

ROWS = [
    ("A b", "x"),
    ("a  B", "x"),
    ("a b", "y"),
    ("c", "y"),
    ("d e f g", "x"),
    ("", "x"),
    ("h", " "),
]
LABELS = ["no", "yes"] * 100


def look(folder: Path, rows: list[tuple[str, str]]) -> Survey:
    path = folder / "a.csv"
    path.write_text(delimited([("text", "label"), *rows]))
    return survey(path, Data(path=str(path), missing="drop"))


def test_rows_classes_repeats_conflicts_and_lengths_are_counted(tmp_path: Path) -> None:
    result = look(tmp_path, ROWS)
    assert result == Survey(
        {"x": 3, "y": 2}, {"x": 2, "y": 1}, 2, 1, 2, 2, 4, characters=18, worth=25 / 11 / 5
    )
    assert (result.rows, result.unit) == (5, "words")


def test_given_test_rows_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        ("a b", "x", "train"),
        ("c", "y", "train"),
        ("de", "y", "validation"),
        ("fghi", "x", "test"),
    ]
    path.write_text(delimited([("text", "label", "part"), *rows]))
    result = survey(path, Data(path=str(path), split="part"))
    assert (result.untested, result.characters, result.untested_characters) == (3, 10, 6)
    assert (result.classes, result.distinct) == ({"x": 1, "y": 2}, {"x": 1, "y": 1})


def test_rows_of_no_class_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        ("a b", "x", "train"),
        ("c", "y", "train"),
        ("de f", "oos", "train"),
        ("fg", "oos", "test"),
        ("h", "x", "test"),
    ]
    path.write_text(delimited([("text", "label", "part"), *rows]))
    result = survey(path, Data(path=str(path), split="part", unknown="oos"))
    assert (result.classes, result.given, result.unknown) == (
        {"x": 1, "y": 1},
        {"train": 2, "test": 1},
        2,
    )
    assert (result.rows, result.untested, result.untested_characters, result.longest) == (
        3,
        2,
        4,
        2,
    )


def test_texts_without_spaces_are_counted_in_characters(tmp_path: Path) -> None:
    result = look(
        tmp_path, [("很好吃的菜", "x"), ("太慢了", "y"), ("服务很好", "y"), ("not good", "x")]
    )
    assert (result.unspaced, result.unit, result.median_length, result.longest) == (
        0.75,
        "characters",
        4,
        8,
    )


def test_rows_with_each_of_several_labels_are_counted(tmp_path: Path) -> None:
    rows = [("a b", "x|y"), ("A b", "x"), ("c", ""), ("d", "y"), ("d", "y")]
    path = tmp_path / "a.csv"
    path.write_text(delimited([("text", "label"), *rows]))
    result = survey(path, Data(path=str(path), task="multilabel", label_separator="|"))
    assert (result.classes, result.distinct) == ({"x": 2, "y": 3}, {"x": 1, "y": 2})
    assert (result.rows, result.sets, result.without_labels, result.repeated, result.conflicts) == (
        5,
        5,
        1,
        2,
        1,
    )
    assert not result.unites


@pytest.mark.parametrize(("ids", "unites"), [("1123", True), ("1234", False)])
def test_rows_of_one_id_are_united(tmp_path: Path, ids: str, unites: bool) -> None:
    path = tmp_path / "a.csv"
    rows = zip(ids, ["a", "a", "b", "c"], ["x", "y", "y", "x"], strict=True)
    path.write_text(delimited([("id", "text", "label"), *rows]))
    assert survey(path, Data(path=str(path), task="multilabel", id="id")).unites == unites


def test_a_table_of_one_class_is_refused(tmp_path: Path) -> None:
    assert "at least two classes" in refusal(look, tmp_path, [("a", "x"), ("b", "x")])


# The language of the texts


GERMAN = [
    "Das Paket kam zu spät.",
    "Der Kundendienst war freundlich.",
    "Die Rechnung stimmt nicht.",
    "Nie wieder!",
]
CHINESE = ["快递太慢了。", "客服态度很好。", "质量很差。", "物流很快。"]
ARABIC = [
    "تأخرت الشحنة كثيرا.",
    "خدمة العملاء ممتازة.",
    "المنتج سيئ جدا ولا أنصح به.",
    "وصل الطلب بسرعة.",
]
ENGLISH = [
    "The parcel is late.",
    "Great service, thank you!",
    "The invoice is wrong.",
    "Never again.",
]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        [*GERMAN, *ENGLISH],
        [*ENGLISH, *CHINESE, *ARABIC],
        ["ERR-4432 0x1f", "12345", "A12 B77"],
    ],
)
def test_several_languages_and_none_are_not_named(texts: list[str]) -> None:
    assert detect_language(texts) is None


def test_short_texts_that_are_of_one_language_together_are_of_it() -> None:
    short = ["late again", "never again", "not good", "the best", "no comment", "Guten Tag"]
    assert detect_language(short) == "English"


def test_a_few_texts_of_another_language_change_nothing() -> None:
    assert detect_language([*GERMAN * 5, ENGLISH[0]]) == "German"


@pytest.mark.parametrize(
    ("values", "telling"),
    [
        (["-", "late"] * 100, True),  # a reason that only one class has
        (["-", "late", "-", "wet"] * 50, True),
        (["-"] * 3 + ["late"] + (["-"] * 7 + ["wet"]) * 24 + ["-"] * 4, False),  # in few rows
        (["web", "ios", "ios", "web"] * 50, False),
        ([str(number % 2 * 100 + number / 10) for number in range(200)], True),  # a score
        ([str(number) for number in range(200)], False),
        ([f"2024-01-{1 + number % 27:02}" for number in range(200)], False),
    ],
)
def test_a_column_tells_the_label_if_many_values_have_one_label_alone(
    values: Sequence[str], telling: bool
) -> None:
    assert tells_label(pd.Series(values), pd.Series(LABELS)) is telling
