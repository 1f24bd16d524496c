"""Delimited text in blocks: Arrow reads what Python's csv does, and leaves it the rest."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.tables.tables import delimited
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.blocks import SHARE, read_blocks
from textclf.tables.formats import FORMATS
from textclf.tables.layout import Layout
from textclf.tables.lines import decoding

# Fields, and pieces of rows that mean something to one reader or another
CELLS = [
    "a",
    "b c",
    "",
    '"x"',
    '"x,y"',
    '"x\ny"',
    '"q""q"',
    '""',
    'é "h"',
    '"l\r\nm"',
    '"\r"',
    '"\n\n"',
    "NA",
    "z" * 50,
]
PIECES = [*CELLS, '"', ",", "\n", "\r", "\r\n", "\t", ";", "\0", "\ufeff", "😀", '5" d', '"a"b']
ROWS = st.lists(
    st.tuples(*[st.sampled_from(CELLS)] * 2, st.sampled_from(["\n", "\r\n"])), max_size=20
)
WRITTEN = ROWS.map(lambda rows: "".join(f"{text},{label}{end}" for text, label, end in rows))
BODIES = WRITTEN | st.tuples(
    WRITTEN, st.lists(st.sampled_from(PIECES), max_size=12).map("".join), WRITTEN
).map("".join)
HEADS = [
    "text,label\n",
    "label,text\r\n",
    '"text","label"\n',
    '\ufefftext,"la\nbel",label\n',
    "text\n",
]
ENCODINGS = ["utf-8"] * 4 + ["latin-1", "ascii", "utf-16", "utf-7", "gb18030"]


def outcome(content: bytes, kind: str, layout: Layout, most: int) -> list[object]:
    """Return the rows by number, the rules that they break, and the error at which reading ends."""
    read: list[object] = []
    path = Path("x")
    try:
        with decoding(path, layout):
            for batch in FORMATS[kind].read(io.BytesIO(content), path, layout, most):
                for number, record in map(batch.row, range(len(batch))):
                    values = str(record) if isinstance(record, ValueError) else record
                    read.append((number, values))
    except UserError as error:
        read.append(str(error))
    return read


@given(
    head=st.sampled_from(HEADS),
    body=BODIES,
    kind=st.sampled_from(["csv", "csv", "tsv"]),
    encoding=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from([None, None, True, False]),
    damage=st.none() | st.tuples(st.integers(0, 500), st.binary(min_size=1, max_size=1)),
    block=st.sampled_from([4, 16, 64, 2**20]),
)
@example(
    "text,label\n", "\ufeffa,1\n", "csv", "utf-8", None, None, 64
)  # Arrow leaves out a byte order mark
@example("text\n", "a\n\nb\n", "csv", "utf-8", None, None, 64)
@example("text\n", 'a\n"b\nc', "csv", "utf-8", None, None, 4)
def test_blocks_have_the_rows_and_the_errors_of_rows_read_one_by_one(
    head: str,
    body: str,
    kind: str,
    encoding: str,
    quoting: bool | None,
    damage: tuple[int, bytes] | None,
    block: int,
) -> None:
    text = head + body
    content = (text if kind == "csv" else text.replace(",", "\t")).encode(encoding, "replace")
    if damage and not encoding.startswith("utf-16"):  # in which an error spares no row of its block
        content = content[: damage[0]] + damage[1] + content[damage[0] + 1 :]
    layout = Layout(
        {"text": "text"} if head == "text\n" else {"text": "text", "label": "label"},
        encoding=encoding,
    )
    layout = Layout(layout.columns, encoding=encoding, quoting=quoting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BLOCK_BYTES", block * SHARE)
        assert outcome(content, kind, layout, 4096) == outcome(content, kind, layout, 1)


def read(text: str) -> tuple[list[tuple[int, str, str]], str, int]:
    """Return the rows of two columns that Arrow reads after the first line, and what it leaves."""
    rows: list[tuple[int, str, str]] = []
    blocks = read_blocks(
        io.StringIO(text, newline="\n"), ",", True, 2, {"second": 1, "first": 0}, 1
    )
    while True:
        try:
            batch = next(blocks)
        except StopIteration as end:
            head, lines = end.value
            return rows, head, lines
        columns = (pa.array(batch.columns[name]).to_pylist() for name in ("first", "second"))
        rows += zip(np.array(batch.numbers).tolist(), *columns, strict=True)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('ab ,"\n\r\té😀'), max_size=9
)
QUOTING = st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=12), QUOTING, st.sampled_from(["\n", "\r\n"]))
@example(
    [("\n", "😀" * 50)] * 12, csv.QUOTE_ALL, "\n"
)  # more bytes than characters, and what a part leaves for the next
def test_arrow_reads_all_rows_that_pythons_csv_writes(
    table: list[tuple[str, str]], quoting: int, end: str
) -> None:
    table = [
        (f"-{first}", second) for first, second in table
    ]  # no byte order mark at the start of a block
    parts = [delimited([row], quoting=quoting, lineterminator=end) for row in table]
    starts = [2 + "".join(parts[:place]).count("\n") for place in range(len(parts) + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BLOCK_BYTES", 64 * SHARE)
        rows, rest, lines = read("".join(parts))
    assert (rest, lines + 1) == ("", starts[-1])
    assert rows == [(start, *row) for start, row in zip(starts, table, strict=False)]


def test_arrow_reads_tables_and_needs_more_than_one_row_at_a_time() -> None:
    for most, kind in ((4096, pa.StringArray), (1, list)):
        (batch,) = FORMATS["csv"].read(
            io.BytesIO(b"text\na\n"), Path("x.csv"), Layout({"text": "text"}), most
        )
        assert isinstance(batch.columns["text"], kind)


def test_the_last_line_needs_no_end() -> None:
    assert read('a,b\r\n"c\nd",e') == ([(2, "a", "b"), (3, "c\nd", "e")], "", 4)


@pytest.mark.parametrize(
    "row",
    [
        'a "b",c',
        '"a" b,c',
        'a,"b"c',
        'a,"b',
        "a\rb,c",
        "a,b\r\r",
        "a,b,c",
        "a",
        "",
        "\r",
        "\udc80,b",
        "\ufeffa,b",
        "x" * 2**20 + ",b",
    ],
)
def test_a_block_in_doubt_and_all_after_it_is_left_to_pythons_csv(
    row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOCK_BYTES", 8 * SHARE)
    rows, rest, lines = read(f"a,b\nc,d\n{row}\ne,f\n")
    assert (rows, lines) == ([(2, "a", "b"), (3, "c", "d")], 3)
    assert rest.startswith(row[:8])
