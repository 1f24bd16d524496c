"""The reader of corpora. What it says of each mistake stands in tests/contract/test_broken_inputs.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.corpus import parse
from textclf.errors import UserError

LABELS = ("0", "1")


def texts(data: bytes) -> list[str]:
    return parse(data, "c.txt", "raw/c.txt", LABELS)["text"].tolist()


def test_rows_come_in_the_order_of_the_file_named_by_line() -> None:
    rows = parse(b"good\t1\nbad\t0\nfine\t1\n", "c.txt", "raw/c.txt", LABELS)
    assert rows.to_numpy(dtype=object).tolist() == [
        ["c.txt:1", "good", "1"],
        ["c.txt:2", "bad", "0"],
        ["c.txt:3", "fine", "1"],
    ]
    assert rows.columns.tolist() == ["id", "text", "label"]


def test_the_last_line_needs_no_lf() -> None:
    assert texts(b"good\t1\nbad\t0") == texts(b"good\t1\nbad\t0\n") == ["good", "bad"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            '"an open quote',
            "it's 'so",
            '""',
            '"a',
            "a\tb",
            "\ta\t",
            " a ",
            "a\x85b",
            "a\u2028b",
            "a\x0bb\x0cc",
            "a\rb",
        ),
        *("a\x1cb", "NA", "null", "1", "é😀", "a,b", "#a", "a\\", "a\ufeffb", "<b>"),
    ],
    ids=ascii,
)
def test_text_is_taken_as_it_stands(text: str) -> None:
    assert texts(f"{text}\t1\nother\t0\n{text}\t0\n".encode()) == [text, "other", text]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0")).filter(
    lambda text: text.strip() and not text.startswith("\ufeff")
)


@given(st.lists(st.tuples(TEXTS, st.sampled_from(LABELS)), max_size=5), st.booleans())
@settings(deadline=None)
def test_any_rows_come_back_as_written(rows: list[tuple[str, str]], lf_at_the_end: bool) -> None:
    rows = [("a", "0"), *rows, ("b", "1")]
    data = "\n".join("\t".join(row) for row in rows) + "\n" * lf_at_the_end
    read = parse(data.encode(), "c", "c", LABELS)
    assert list(zip(read["text"], read["label"], strict=True)) == rows
    assert read["id"].tolist() == [f"c:{number}" for number in range(1, len(rows) + 1)]


@given(st.binary(max_size=30))
@settings(deadline=None)
def test_any_bytes_give_every_line_or_an_error(data: bytes) -> None:
    try:
        rows = parse(data, "c", "c", LABELS)
    except UserError:
        return
    assert "".join(f"{text}\t{label}\n" for text, label in zip(rows["text"], rows["label"], strict=True)).encode() in {
        data,
        data + b"\n",
    }


def test_other_labels_are_possible() -> None:
    assert parse(b"a\tspam\nb\tham mail\n", "c", "c", ("spam", "ham mail"))["label"].tolist() == ["spam", "ham mail"]


@pytest.mark.parametrize(("wrong", "shown", "count"), [(1, 1, False), (5, 5, False), (6, 5, True)])
def test_the_first_five_wrong_lines_are_shown_and_all_are_counted(wrong: int, shown: int, count: bool) -> None:
    with pytest.raises(UserError) as error:
        texts(b"good\t1\n" + b"bad\n" * wrong)
    lines = [
        f"raw/c.txt:{number}: must be a sentence, a tab and a label; got 'bad' without a tab"
        for number in range(2, 2 + shown)
    ]
    total = [f"raw/c.txt: {wrong} of {wrong + 1} lines are wrong, 5 shown"] if count else []
    assert list(error.value.lines) == lines + total
