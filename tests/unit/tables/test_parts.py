"""Tables in parts: they have the rows of the whole, or reading one by itself is an error."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tables.tables import parquet
from textclf.core.errors import UserError
from textclf.tables import parts
from textclf.tables.files import find_files
from textclf.tables.layout import Batch, Layout
from textclf.tables.parts import Part, cut, read_piece
from textclf.tables.read import read_batches

ROWS = [(f"a text {number}, " * (number % 4), str(number % 3)) for number in range(60)]
CSV = "text,label\n" + "".join(f'"{text}\n{text}",{label}\r\n' for text, label in ROWS)
PIECES = ["a,b", "é,c", "\n", "\r\n", '"', '""', '"x\ny",', ",", "\r", "\ufeff", '5" d,e\n']


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 200)
    monkeypatch.setattr(parts, "WINDOW", 50)


def layout_of(**changes: Any) -> Layout:
    return Layout({"text": "text", "label": "label"}, **changes)


def rows_of(batches: Iterable[Batch]) -> list[tuple[int, Any]]:
    rows = [batch.row(position) for batch in batches for position in range(len(batch))]
    return [(number, str(row) if isinstance(row, ValueError) else row) for number, row in rows]


def read_whole(path: Path, layout: Layout) -> list[tuple[int, Any]]:
    return [
        row
        for file in find_files(path, layout)
        for row in rows_of(read_batches(file.path, file.format, layout))
    ]


def read_parts(found: list[Part], layout: Layout) -> list[tuple[int, Any]]:
    return [row for part in found for piece in part for row in rows_of(read_piece(piece, layout))]


def lines(form: Callable[[str, str], str], head: str = "") -> str:
    return head + "".join(f"{form(text, label)}\n" for text, label in ROWS)


def as_json(text: str, label: str) -> str:
    return json.dumps({"text": text, "label": label})


def unquoted(text: str, label: str) -> str:
    return f'5" {text}\t{label}'


TABLES: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "quotes around line ends": ("t.csv", CSV.encode(), {}),
    "a byte order mark": ("t.csv", b"\xef\xbb\xbf" + CSV.encode(), {}),
    "lines above the header": ("t.csv", b'by "me\n\n' + CSV.encode(), {"header": 3}),
    "blank lines": ("t.csv", (CSV + "\n\n" + CSV[11:]).encode(), {}),
    "no line end at the end": ("t.csv", CSV.encode().rstrip(), {}),
    "rows of another width": ("t.csv", (CSV + "a\n" + CSV[11:]).encode(), {}),
    "bytes that are no UTF-8": ("t.csv", CSV.encode() + b"\xc3,a\n" + CSV.encode()[11:], {}),
    "cp1252": ("t.csv", CSV.replace("text ", "thé ").encode("cp1252"), {"encoding": "cp1252"}),
    "a row longer than a part": ("t.csv", (CSV + "a" * 900 + ",b\n" + CSV[11:]).encode(), {}),
    "TSV": ("t.tsv", lines(unquoted, "text\tlabel\n").encode(), {}),
    "JSON Lines": ("t.jsonl", lines(as_json).encode(), {}),
    "sentences": ("t.txt", lines(unquoted).encode(), {}),
    "Parquet": (
        "t.parquet",
        parquet({"text": [a for a, _ in ROWS], "label": [b for _, b in ROWS]}, row_group_size=7),
        {},
    ),
}


@pytest.mark.parametrize(("name", "content", "changes"), TABLES.values(), ids=TABLES)
def test_the_parts_of_a_file_have_its_rows(
    tmp_path: Path, name: str, content: bytes, changes: dict[str, Any]
) -> None:
    (path := tmp_path / name).write_bytes(content)
    layout = layout_of(**changes)
    found = cut(find_files(path, layout), layout)
    assert len(found) > 4
    assert read_parts(found, layout) == read_whole(path, layout)


def test_small_files_are_read_together_and_large_ones_in_pieces(tmp_path: Path) -> None:
    for number in range(9):
        text = CSV if number == 4 else "text,label\n" + "a text,b\n" * 6
        (tmp_path / f"{number}.csv").write_text(text, encoding="utf-8")
    found = cut(find_files(tmp_path, layout_of()), layout_of())
    names = [[piece.file.name for piece in part] for part in found]
    assert names[0] == ["0.csv", "1.csv", "2.csv"]
    assert sum(part == ["4.csv"] for part in names) > 4
    assert read_parts(found, layout_of()) == read_whole(tmp_path, layout_of())


WHOLE: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "a small file": ("t.csv", CSV.encode()[:190], {}),
    "an encoding of two bytes": ("t.csv", CSV.encode("utf-16"), {"encoding": "utf-16"}),
    "no header": ("t.csv", CSV.encode(), {"header": 0}),
    "a header of two lines": ("t.csv", b'text,label,"a\nb"\n' + b"a,b,c\n" * 99, {}),
    "a last quote that is open": ("t.csv", CSV.encode() + b'"a' * 3, {}),
    "a file of another format": ("t.csv", b"PAR1\x15" + CSV.encode(), {}),
    "a damaged file": ("t.parquet", b"PAR1\x15" + CSV.encode(), {}),
    "one array": ("t.json", b"[" + b"1," * 900, {}),
    "times": (
        "t.csv",
        CSV.encode(),
        {"columns": {"text": "text", "label": "label", "time": "label"}},
    ),
    "a key that the first row may have": (
        "t.jsonl",
        lines(as_json).encode(),
        {"columns": {"text": "text", "label": "source"}},
    ),
}


@pytest.mark.parametrize(("name", "content", "changes"), WHOLE.values(), ids=WHOLE)
def test_files_that_only_a_whole_reader_understands_are_one_part(
    tmp_path: Path, name: str, content: bytes, changes: dict[str, Any]
) -> None:
    (path := tmp_path / name).write_bytes(content)
    layout = Layout(**({"columns": layout_of().columns} | changes))
    files = find_files(path, layout)
    assert [[piece.file for piece in part] for part in cut(files, layout)] == [files]


@given(
    content=st.lists(st.sampled_from(PIECES), max_size=60),
    size=st.integers(5, 60),
    name=st.sampled_from(["t.csv", "t.tsv", "t.txt", "t.jsonl"]),
)
def test_of_any_bytes_the_parts_have_the_rows_or_one_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: list[str], size: int, name: str
) -> None:
    path = tmp_path_factory.mktemp("table") / name
    path.write_text("text,label\n" + "".join(content), encoding="utf-8", newline="")
    layout = layout_of(delimiter=",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_BYTES", size)
        found = cut(find_files(path, layout), layout)
    try:
        rows = read_parts(found, layout)
    except UserError:
        return
    assert rows == read_whole(path, layout)
