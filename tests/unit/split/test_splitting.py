import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from textclf.core import files
from textclf.core.errors import UserError
from textclf.params import MAX_SEED, Split
from textclf.split import splitting


def corpus(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(rows)],
            "text": [f"text {number}" for number in range(rows)],
            "label": [str(number % 2) for number in range(rows)],
        }
    )


def positions(part: pd.DataFrame) -> list[int]:
    return [int(name.removeprefix("c:")) for name in part["id"]]


def params(
    test_size: float,
    validation_size: float = 0.0,
    seed: int = 1,
    stratify: bool = False,
    group_duplicates: bool = False,
) -> Split:
    return Split(
        method="random",
        test_size=test_size,
        validation_size=validation_size,
        seed=seed,
        stratify=stratify,
        group_duplicates=group_duplicates,
    )


def texts_of(parts: dict[str, pd.DataFrame]) -> dict[str, set[str]]:
    return {name: set(part["text"].map(splitting.normalised)) for name, part in parts.items()}


@given(
    rows=st.integers(4, 60),
    test_size=st.floats(0.01, 0.6),
    validation_size=st.just(0.0) | st.floats(0.01, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
    group_duplicates=st.booleans(),  # of which there are none
)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=False, group_duplicates=False)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=True, group_duplicates=False)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=False, group_duplicates=True)
@example(rows=1000, test_size=0.25, validation_size=0.15, seed=1000, stratify=True, group_duplicates=True)
@settings(deadline=None)
def test_splits_are_those_of_train_test_split(
    rows: int, test_size: float, validation_size: float, seed: int, stratify: bool, group_duplicates: bool
) -> None:
    chosen = params(test_size, validation_size, seed, stratify, group_duplicates)
    labels = np.arange(rows) % 2
    try:
        kept, test = train_test_split(
            np.arange(rows), test_size=test_size, random_state=seed, stratify=labels if stratify else None
        )
        validation = np.array([], dtype=int)
        if validation_size:
            kept, validation = train_test_split(
                kept,
                test_size=math.ceil(validation_size * rows),  # a share of all rows
                random_state=seed,
                stratify=labels[kept] if stratify else None,
            )
    except ValueError:
        with pytest.raises(UserError):
            splitting.split(corpus(rows), chosen)
        return
    assume(len(set(labels[kept])) == len(set(labels[test])) == 2)
    parts = splitting.split(corpus(rows), chosen)
    assert positions(parts["train"]) == kept.tolist()
    assert positions(parts["test"]) == test.tolist()
    if validation_size:
        assert positions(parts["validation"]) == validation.tolist()
    assert list(parts) == [name for name in ("train", "validation", "test") if name != "validation" or validation_size]


# Texts of six groups, one of them of three spellings, and each with either label.
DUPLICATES = st.lists(
    st.tuples(st.sampled_from(["Good", "good ", "GOOD", "bad", "fine", "so so", "awful", "great"]), st.booleans()),
    min_size=4,
    max_size=40,
)


@given(
    pairs=DUPLICATES,
    test_size=st.floats(0.1, 0.6),
    validation_size=st.just(0.0) | st.floats(0.1, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_rows_of_one_text_stay_in_one_split(
    pairs: list[tuple[str, bool]], test_size: float, validation_size: float, seed: int, stratify: bool
) -> None:
    rows = corpus(len(pairs)).assign(text=[text for text, _ in pairs], label=[str(int(label)) for _, label in pairs])
    chosen = params(test_size, validation_size, seed, stratify, group_duplicates=True)
    try:
        parts = splitting.split(rows, chosen)
    except UserError:
        assume(False)
    together = pd.concat(parts.values()).sort_values("id", key=lambda ids: ids.str[2:].astype(int))
    assert together.reset_index(drop=True).equals(rows)
    for one, other in combinations(texts_of(parts).values(), 2):
        assert not one & other
    assert not any(splitting.leakage(parts)["leaks"]["normalised"].values())
    if not stratify:  # which counts in groups
        largest = rows["text"].map(splitting.normalised).value_counts().max()
        assert 0 <= len(parts["test"]) - math.ceil(test_size * len(rows)) < largest


# Groups and texts, few enough that rows are joined by either, and through a third.
JOINED = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=6, max_size=40)


def joined(triples: list[tuple[int, int, bool]]) -> pd.DataFrame:
    return corpus(len(triples)).assign(
        text=[("Text  {}", "text {}")[place % 2].format(text) for place, (_, text, _) in enumerate(triples)],
        label=[str(int(label)) for _, _, label in triples],
        group=[f"group {group}" for group, _, _ in triples],
    )


def test_every_row_is_a_group_where_nothing_groups_them() -> None:
    rows = corpus(4).assign(text=["a", "a", "b", "A"])
    assert splitting.groups(rows, duplicates=False).tolist() == [0, 1, 2, 3]


def test_groups_are_numbered_in_the_order_of_their_first_rows() -> None:
    rows = corpus(5).assign(text=["b", "a", " B", "c", "A "])
    assert splitting.groups(rows, duplicates=True).tolist() == [0, 1, 0, 2, 1]
    rows = rows.assign(group=["z", "y", "x", "y", "x"])
    assert splitting.groups(rows, duplicates=False).tolist() == [0, 1, 2, 1, 2]


def test_rows_that_a_third_belongs_with_are_one_group() -> None:
    # 0 and 1 share a group, 1 and 2 a text, 2 and 3 a group; 4 is alone.
    rows = corpus(5).assign(text=["a", "b", "B", "c", "d"], group=["x", "x", "y", "y", "z"])
    assert splitting.groups(rows, duplicates=True).tolist() == [0, 0, 0, 0, 1]
    assert splitting.groups(rows, duplicates=False).tolist() == [0, 0, 1, 1, 2]


@given(JOINED)
@settings(deadline=None)
def test_groups_are_the_connected_components(triples: list[tuple[int, int, bool]]) -> None:
    rows = joined(triples)
    expected = list(range(len(triples)))  # each row's component, merged until none changes
    for _ in triples:
        for key in ("group", "text"):
            named = rows[key].map(splitting.normalised)
            expected = pd.Series(expected).groupby(named).transform("min").tolist()
    codes = splitting.groups(rows, duplicates=True)
    assert codes.tolist() == pd.factorize(pd.Series(expected))[0].tolist()


@given(
    triples=JOINED,
    test_size=st.floats(0.1, 0.6),
    validation_size=st.just(0.0) | st.floats(0.1, 0.3),
    seed=st.integers(0, MAX_SEED),
    stratify=st.booleans(),
    group_duplicates=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_rows_of_one_group_stay_in_one_split(
    triples: list[tuple[int, int, bool]],
    test_size: float,
    validation_size: float,
    seed: int,
    stratify: bool,
    group_duplicates: bool,
) -> None:
    rows = joined(triples)
    try:
        parts = splitting.split(rows, params(test_size, validation_size, seed, stratify, group_duplicates))
    except UserError:
        assume(False)
    together = pd.concat(parts.values()).sort_values("id", key=lambda ids: ids.str[2:].astype(int))
    assert together.reset_index(drop=True).equals(rows)
    for one, other in combinations(parts.values(), 2):
        assert not set(one["group"]) & set(other["group"])
    if group_duplicates:
        for one_text, other_text in combinations(texts_of(parts).values(), 2):
            assert not one_text & other_text


def test_stratified_groups_keep_the_balance_of_their_first_labels() -> None:
    # Forty groups of five rows, ten of the rare class; a group holds one class.
    rows = corpus(200).assign(
        group=lambda frame: "group " + (frame.index // 5).astype(str),
        label=["rare"] * 50 + ["common"] * 150,
    )
    for part in splitting.split(rows, params(0.25, 0.25, stratify=True)).values():
        assert (part["label"] == "rare").mean() == pytest.approx(0.25, abs=0.05)
        assert part.groupby("group").size().eq(5).all()


def test_a_column_of_groups_of_one_row_changes_nothing() -> None:
    rows = corpus(40)
    for stratify in (False, True):
        plain = splitting.split(rows, params(0.25, 0.2, stratify=stratify))
        grouped = splitting.split(rows.assign(group=rows["id"]), params(0.25, 0.2, stratify=stratify))
        for name, part in plain.items():
            assert grouped[name].drop(columns="group").equals(part)


def test_one_group_of_all_rows_can_not_be_split() -> None:
    with pytest.raises(UserError) as error:
        splitting.split(corpus(8).assign(group="one"), params(0.25))
    line = "of 8 rows some must be kept; got none, as rows of one text or group stay together: "
    assert error.value.lines == (f"{line}set split.group_duplicates to false, data.group to null, or a smaller size",)


def test_stratified_groups_miss_their_size_by_less_than_a_group() -> None:
    texts = [f"text {number}" for number in range(20) for _ in range(1 if number % 5 else 10)]
    rows = corpus(len(texts)).assign(text=texts, label=[str(int(text[5:]) % 2) for text in texts])
    for seed in range(20):
        _, taken = splitting.take(rows, 14, params(0.25, seed=seed, stratify=True, group_duplicates=True))
        assert 0 <= len(taken) - 14 < 10


def test_rows_of_one_text_can_not_be_taken_in_part() -> None:
    with pytest.raises(UserError):
        splitting.take(corpus(12).assign(text="same"), 3, params(0.25, group_duplicates=True))


@pytest.mark.parametrize("stratify", [False, True])
def test_groups_of_one_size_are_drawn_like_rows(stratify: bool) -> None:
    singles = corpus(40)
    pairs = pd.concat([singles, singles.assign(id=singles["id"].str.replace("c:", "c:1000"))], ignore_index=True)
    chosen = params(0.25, 0.2, stratify=stratify, group_duplicates=True)
    whole = splitting.split(pairs, chosen)
    assert {name: len(part) for name, part in whole.items()} == {"train": 44, "validation": 16, "test": 20}
    assert texts_of(whole) == texts_of(splitting.split(singles, chosen))


def test_duplicates_come_apart_unless_they_are_kept_together() -> None:
    rows = corpus(40).assign(text=lambda frame: "text " + (frame.index // 4).astype(str))
    apart, together = (splitting.split(rows, params(0.25, group_duplicates=group)) for group in (False, True))
    assert splitting.leakage(apart)["leaks"]["exact"]["test_in_train"] > 0
    assert splitting.leakage(together)["leaks"]["exact"]["test_in_train"] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good food", "good food"),
        ("  Good\tfood\n", "good food"),
        ("Good\u00a0\u3000food", "good food"),
        ("\uff27\uff4f\uff4f\uff24 food", "good food"),
        ("Stra\u00dfe", "strasse"),
        ("\ufb01ne", "fine"),
        ("cafe\u0301", "caf\u00e9"),
        ("good food.", "good food."),
        ("goodfood", "goodfood"),
        ("", ""),
    ],
)
def test_a_normalised_text_has_no_case_no_forms_and_single_spaces(text: str, expected: str) -> None:
    assert splitting.normalised(text) == expected


@given(st.text(max_size=30))
@settings(deadline=None)
def test_spaces_and_letters_of_ascii_do_not_tell_texts_apart(text: str) -> None:
    found = splitting.normalised(text)
    assert splitting.normalised(f" \n{text}\t") == found
    assert found == " ".join(found.split())
    if text.isascii():
        assert splitting.normalised(text.upper()) == splitting.normalised(text.lower()) == found


@given(exact=st.integers(0, 5), spelt=st.integers(0, 5), seed=st.integers(0, MAX_SEED))
@settings(deadline=None, max_examples=25)
def test_leaks_that_were_planted_are_counted(exact: int, spelt: int, seed: int) -> None:
    parts = splitting.split(corpus(60), params(0.25, 0.2, seed=seed))
    copies = parts["test"].iloc[: exact + spelt].copy()
    copies["id"] = "copy of " + copies["id"]
    copies.loc[copies.index >= exact, "text"] = copies["text"].str.upper() + " "
    parts["train"] = pd.concat([parts["train"], copies])
    report = splitting.leakage(parts)
    none = {"validation_in_train": 0, "test_in_validation": 0}
    assert report["leaks"] == {
        "exact": {**none, "test_in_train": exact},
        "normalised": {**none, "test_in_train": exact + spelt},
    }
    assert report["duplicates"]["normalised"] == {"train": 0, "validation": 0, "test": 0}
    assert report["label_conflicts"] == {"exact": 0, "normalised": 0}


@given(exact=st.integers(0, 4), spelt=st.integers(0, 4))
@settings(deadline=None, max_examples=25)
def test_repetitions_and_conflicts_that_were_planted_are_counted(exact: int, spelt: int) -> None:
    parts = splitting.split(corpus(60), params(0.25))
    copies = parts["train"].iloc[: exact + spelt].copy()
    copies.loc[copies.index >= exact, "text"] = copies["text"].str.title()
    copies["label"] = copies["label"].map({"0": "1", "1": "0"})
    parts["train"] = pd.concat([parts["train"], copies])
    report = splitting.leakage(parts)
    assert report["duplicates"] == {
        "exact": {"train": exact, "test": 0},
        "normalised": {"train": exact + spelt, "test": 0},
    }
    assert report["label_conflicts"] == {"exact": exact, "normalised": exact + spelt}
    assert report["leaks"]["normalised"] == {"test_in_train": 0}


def test_a_conflict_across_splits_is_counted_once_a_text() -> None:
    row = pd.DataFrame({"id": ["c:1", "c:2"], "text": ["a", "b"], "label": ["0", "1"]})
    parts = {"train": row, "test": pd.concat([row.assign(label="0")] * 2)}
    report = splitting.leakage(parts)
    assert report["label_conflicts"] == {"exact": 1, "normalised": 1}
    assert report["leaks"]["exact"] == {"test_in_train": 4}
    assert report["duplicates"]["exact"] == {"train": 0, "test": 2}


def test_the_classes_of_each_split_are_counted() -> None:
    report = splitting.leakage(splitting.split(corpus(40), params(0.25, stratify=True)))
    assert (report["train"], report["test"]) == (
        {"classes": {"0": 15, "1": 15}},
        {"classes": {"0": 5, "1": 5}},
    )


@pytest.mark.parametrize("stratify", [False, True])
def test_validation_rows_are_taken_from_train_and_leave_test_alone(stratify: bool) -> None:
    whole = splitting.split(corpus(40), params(0.25, stratify=stratify))
    parts = splitting.split(corpus(40), params(0.25, 0.2, stratify=stratify))
    assert parts["test"].equals(whole["test"])
    assert {name: len(part) for name, part in parts.items()} == {"train": 22, "validation": 8, "test": 10}
    assert sorted(positions(parts["train"]) + positions(parts["validation"])) == sorted(positions(whole["train"]))


def test_every_row_goes_whole_into_one_split() -> None:
    parts = splitting.split(corpus(40), params(0.25, 0.2))
    together = pd.concat(parts.values()).sort_values("text", key=lambda texts: texts.str[5:].astype(int))
    assert together.reset_index(drop=True).equals(corpus(40))
    assert all(part.index.equals(pd.RangeIndex(len(part))) for part in parts.values())


def test_stratified_splits_keep_the_balance() -> None:
    rows = corpus(40).assign(label=["rare"] * 8 + ["common"] * 32)
    for part in splitting.split(rows, params(0.25, 0.25, stratify=True)).values():
        assert (part["label"] == "rare").mean() == 0.2


@pytest.mark.parametrize(
    ("labels", "chosen", "message"),
    [
        ("01", params(0.9), "2 rows must be more than the 2 to be taken from them; set a smaller size"),
        ("0101", params(0.5, 0.4), "2 rows must be more than the 2 to be taken from them; set a smaller size"),
        (
            "0001000000",
            params(0.4, seed=4),
            (
                "the training rows must hold every class; class 1 has none of 6: "
                "set split.stratify to true, or a smaller split.test_size"
            ),
        ),
        (
            "0001",
            params(0.5, stratify=True),
            (
                "4 rows can not be stratified: The least populated classes in y have only 1 member, which is too "
                "few. The minimum number of groups for any class cannot be less than 2. Classes with "
                "too few members are: ['1']"
            ),
        ),
    ],
)
def test_rows_that_can_not_be_split_are_an_error(labels: str, chosen: Split, message: str) -> None:
    with pytest.raises(UserError) as error:
        splitting.split(corpus(len(labels)).assign(label=list(labels)), chosen)
    assert error.value.lines == (message,)


def test_test_rows_of_one_class_are_an_error() -> None:
    with pytest.raises(UserError, match="the test rows must hold every class; class 0 has none of 1"):
        splitting.split(corpus(8), params(0.1))


def test_a_written_split_reads_back_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    for name in ("test", "train"):
        splitting.write(corpus(3), tmp_path / f"{name}.parquet")
    parts = splitting.read(tmp_path)
    assert list(parts) == ["train", "test"]
    assert parts["train"].equals(corpus(3))
    assert (tmp_path / "train.parquet").read_bytes() == (tmp_path / "test.parquet").read_bytes()


def test_a_written_split_is_text_alone_and_names_no_version_of_pandas(tmp_path: Path) -> None:
    splitting.write(corpus(3), tmp_path / "train.parquet")
    schema = pq.read_schema(tmp_path / "train.parquet")
    assert schema.equals(splitting.SCHEMA)
    assert not schema.metadata


def test_a_written_split_leaves_the_groups_behind(tmp_path: Path) -> None:
    for name in ("test", "train"):
        splitting.write(corpus(3).assign(group="x"), tmp_path / f"{name}.parquet")
    assert splitting.read(tmp_path)["train"].equals(corpus(3))


@pytest.mark.parametrize("classes", [["1", "0"], ["007", "NA", "true", "a,b", 'say "so"', "é😀", " "]])
def test_classes_are_read_in_their_order(tmp_path: Path, classes: list[str]) -> None:
    files.write_json(tmp_path / splitting.CLASSES, classes)
    assert splitting.read_classes(tmp_path) == classes


@pytest.mark.parametrize("content", ['{"0": 1}', '"01"', "[0, 1]", "[", "", '["0", null]'])
def test_classes_that_are_no_list_of_text_are_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / splitting.CLASSES).write_text(content)
    with pytest.raises(UserError, match=r"classes\.json is damaged; remove it and run dvc repro"):
        splitting.read_classes(tmp_path)


def test_a_folder_without_training_rows_is_an_error(tmp_path: Path) -> None:
    splitting.write(corpus(3), tmp_path / "test.parquet")
    with pytest.raises(UserError, match=r"train\.parquet not found; run dvc repro"):
        splitting.read(tmp_path)
