"""The file of corrected labels, which may be a header alone."""

from pathlib import Path

import pytest

from tests.processes import ROOT
from textclf.core.errors import UserError
from textclf.tables import corrections

QUOTE = "put quotes around a field that contains the delimiter or a line end"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    return path


def test_the_file_of_the_project_can_be_read() -> None:
    assert len(corrections.read(ROOT / "corrections.csv")) >= 0


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("id,label\na,1\nb,0\n", [2, 3]),
        ("\ufeffid,label\r\na,1\r\n\r\nb,0", [2, 4]),
        ('label,note,id\n1,"x\ny",a\n0,,b\n', [2, 4]),
        ("id,label\n\na,1\nb,0\n\n", [3, 4]),
    ],
)
def test_labels_and_lines_are_read_by_id_whatever_stands_beside(tmp_path: Path, text: str, lines: list[int]) -> None:
    read = corrections.read(write(tmp_path, text))
    assert (read.labels, list(read.lines.values())) == ({"a": "1", "b": "0"}, lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [f"mine.csv {corrections.RULE}; got an empty file"]),
        ("id\na\n", ["mine.csv: label must be one of its columns (id); got 'label'"]),
        (
            "id;label\na;1\n",
            [
                "mine.csv: id must be one of its columns (id;label); got 'id'",
                "mine.csv: label must be one of its columns (id;label); got 'label'",
            ],
        ),
        ("id,label,id\na,1,a\n", ["mine.csv: id must be one of its columns (id, label, id); got 2 columns named 'id'"]),
        ("id,label\na,1,2\n", [f"mine.csv:2: must have 2 fields, as the header has; got 3; {QUOTE}"]),
        ("id,label\na,\udcff\n", ["mine.csv:2: must be utf-8; got byte 0xff at offset 1"]),
        ("id,label\na,\n", ["mine.csv:2: label must not be empty; got ''"]),
        ("id,label\n,1\n", ["mine.csv:2: id must not be empty; got ''"]),
        ("id,label\na,1\nb,0\na,1\n", ["mine.csv:4: id must be unique; got 'a', as in line 2"]),
        (
            "id,label\na,\nb,0\nb,1\n",
            [
                "mine.csv:2: label must not be empty; got ''",
                "mine.csv:4: id must be unique; got 'b', as in line 3",
            ],
        ),
        ("id,label\na\x07,1\n", ["mine.csv:2: id must not contain control characters; got 'a\\x07'"]),
        (
            "id,label\n" + ",1\n" * 7,
            [
                *(f"mine.csv:{line}: id must not be empty; got ''" for line in range(2, 7)),
                "mine.csv: 7 of 7 corrections are wrong, 5 shown",
            ],
        ),
    ],
)
def test_each_mistake_is_a_line_without_advice_for_tables(tmp_path: Path, text: str, lines: list[str]) -> None:
    with pytest.raises(UserError) as error:
        corrections.read(write(tmp_path, text))
    assert [line.removeprefix(f"{tmp_path}/") for line in error.value.lines] == lines


def test_a_file_that_is_missing_is_a_line(tmp_path: Path) -> None:
    rule = "must be a CSV file of corrected labels (the header id,label alone if there are none)"
    with pytest.raises(UserError) as error, corrections.unchanged_corrections(tmp_path / "no.csv"):
        pass
    assert error.value.lines == (f"{tmp_path}/no.csv {rule}; got no such file; make it",)
