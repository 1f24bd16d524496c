"""Labels that look alike, and labels that are read as others."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.unit.tables.tables import delimited, frame_of
from textclf.core.errors import TooRareError, UserError
from textclf.tables import limits
from textclf.tables.corpus import Corpus
from textclf.tables.rare_labels import NAMES, Renamed, doubts, look_alikes, without_rare
from textclf.tables.settings import Data

DECOMPOSED = unicodedata.normalize("NFD", "café")
ALIKE = {"Billing": "billing", "billing ": "billing", "1.0": "1"}
ROWS = list(zip("abcdefg", ["Billing", "billing", "billing ", "1", "1.0", "1", "x"], strict=True))


@pytest.mark.parametrize(
    ("classes", "meant"),
    [
        (
            {"billing": 9, "Billing": 3, "billing ": 1, "x": 2},
            {"Billing": "billing", "billing ": "billing"},
        ),
        ({"Billing ": 9, "billing": 3}, {"Billing ": "Billing", "billing": "Billing"}),
        ({"café": 1, DECOMPOSED: 9}, {DECOMPOSED: "café"}),
        ({"1": 1, "1.0": 1, "2": 3, "3,00": 4}, {"1.0": "1"}),
        ({" a": 5, "b": 5}, {" a": "a"}),
        ({"late\u00a0night": 5, "late  night": 2}, {"late  night": "late\u00a0night"}),
        ({"1.5": 1, "1": 1, "a-b": 1, "ab": 1, "007": 1, "7": 1}, {}),
    ],
)
def test_labels_that_look_alike_are_meant_to_be_the_most_frequent_one(
    classes: Mapping[str, int], meant: Mapping[str, str]
) -> None:
    assert look_alikes(classes) == meant
    assert len(doubts(classes, multilabel=False)) == bool(meant)


def test_a_doubt_has_the_numbers_of_rows_and_the_setting() -> None:
    assert doubts({"Pay": 3, "pay": 40, "café": 1, DECOMPOSED: 9}, multilabel=True) == [
        (
            "warning: labels that look alike: 'Pay' (3) as 'pay' (40), "
            f"'cafe\\u0301' (9) as 'café' (1); if they are the same, set data.labels: {{Pay: pay, "
            f"{DECOMPOSED}: café}}"
        )
    ]


@pytest.mark.parametrize("rows", [1, 4096])
def test_labels_are_read_as_they_are_meant(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(limits, "BLOCK_ROWS", rows)
    table = {"c.csv": delimited([("text", "label"), *ROWS])}
    got = read(table, labels=ALIKE | {"gone": "x"})
    assert frame_of(got)["label"].tolist() == ["billing", "billing", "billing", "1", "1", "1", "x"]
    assert got.classes == ["1", "billing", "x"]
    assert {label: got.labels.written[label] for label in [*ALIKE, "gone"]} == dict.fromkeys(
        ALIKE, 1
    ) | {"gone": 0}
    assert read(table, labels=ALIKE, classes=["x", "billing", "1"]).classes == ["x", "billing", "1"]
    assert read(table, labels=ALIKE, unknown="1").classes == ["billing", "x"]
    with pytest.raises(
        UserError, match=r"label must be one of data\.classes \(x, billing\); got '1'"
    ):
        read(table, labels=ALIKE, classes=["x", "billing"])


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        (
            [("text", "label"), ("a", "A|b"), ("b", "a|A"), ("c", ""), ("d", "b")],
            {"label_separator": "|"},
        ),
        (
            [
                ("text", "b", "A", "a"),
                ("a", 1, 1, 0),
                ("b", 0, 1, 1),
                ("c", 0, 0, 0),
                ("d", 1, 0, 0),
            ],
            {},
        ),
        (
            [
                ("text", "label", "n"),
                *zip("aabbcd", ["b", "A", "a", "A", "", "b"], "112234", strict=True),
            ],
            {"id": "n"},
        ),
    ],
    ids=["cells", "columns", "rows"],
)
def test_sets_of_labels_are_read_as_they_are_meant(
    read: Callable[..., Corpus], table: list[tuple[Any, ...]], changed: dict[str, Any]
) -> None:
    if table[0][1:] == ("b", "A", "a"):
        changed = {"label": ["b", "A", "a"]}
    content = delimited([tuple(map(str, row)) for row in table])
    got = read({"c.csv": content}, task="multilabel", labels={"A": "a"}, **changed)
    assert frame_of(got)["label"].tolist() == [["a", "b"], ["a"], [], ["b"]]
    assert got.classes == (["b", "a"] if "label" in changed else ["a", "b"])


def test_data_labels_must_map_text_to_text() -> None:
    for wrong in ({"a": 1}, {"a": ""}, ["a"]):
        with pytest.raises(ValueError, match="labels"):
            Data.model_validate({"labels": wrong})


def test_a_header_with_spaces_is_named(read: Callable[..., Corpus]) -> None:
    with pytest.raises(
        UserError,
        match=r"must be one of its columns \(text, ' label'\); got 'label'; write ' label', ",
    ):
        read({"c.csv": "text, label\na, x\nb, y\n"})
    assert read({"c.csv": "text, label\na,x\nb,y\n"}, label=" label").classes == ["x", "y"]


# Classes that are too rare


UNITED = {"c": "other", "d": "other"}


def tried(rare: str, *refused: set[str], **changed: Any) -> list[Renamed]:
    """Return what is tried if these classes are refused, one set at a time; never an empty one."""
    tries: list[Renamed] = []

    def divide(renamed: Renamed) -> None:
        tries.append(dict(renamed))
        if len(tries) <= len(refused) and refused[len(tries) - 1]:
            classes = {"a", "b", "c", "d", *refused[0]} - set(renamed)
            raise TooRareError(
                "refused", refused[len(tries) - 1], {*classes, *filter(None, renamed.values())}
            )

    without_rare(Data(rare=rare, **changed), divide)  # type: ignore[arg-type]
    return tries


def test_classes_are_left_out_until_none_is_too_rare() -> None:
    assert tried("drop", {"c"}, {"d"}) == [{}, {"c": None}, {"c": None, "d": None}]


def test_classes_are_united_and_left_out_if_that_is_too_rare_as_well() -> None:
    left_out = {"c": None, "d": None}
    assert tried("merge", {"c"}, {"d"}, set(), {"other"}) == [
        {},
        {"c": None},
        left_out,
        UNITED,
        left_out,
    ]
    assert tried("merge", {"c"}) == [{}, {"c": None}]


def test_all_rare_classes_are_united_however_few_are_refused_at_a_time() -> None:
    assert tried("merge", {"c"}, {"d"}) == [{}, {"c": None}, {"c": None, "d": None}, UNITED]
    assert tried("merge", {"c", "d"}, set(), {"b"})[-1] == UNITED | {"b": "other"}
    assert tried("merge", {"b", "c", "d"}) == [
        {},
        UNITED | {"b": "other"},
    ]  # without them one class would be left


@pytest.mark.parametrize(
    ("refused", "unknown", "name"),
    [
        ({"c", "other"}, None, "other"),
        ({"c"}, "Other", "rare 1"),
        ({"c", "rare 1"}, "other", "rare 1"),
    ],
)
def test_the_united_class_has_a_name_of_its_own(
    refused: set[str], unknown: str | None, name: str
) -> None:
    assert set(tried("merge", refused | {"d"}, unknown=unknown)[-1].values()) == {name}
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("rare", "refused", "changed"),
    [
        ("refuse", {"c"}, {}),
        ("drop", {"b", "c", "d"}, {}),
        ("merge", {"a", "b", "c", "d"}, {}),
        ("drop", {"d"}, {"unknown": "d"}),
    ],
)
def test_the_error_stays_if_nothing_may_be_left_out(
    rare: str, refused: set[str], changed: dict[str, Any]
) -> None:
    with pytest.raises(match="refused"):
        tried(rare, refused, **changed)
