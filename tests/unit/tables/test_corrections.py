"""The file of corrected labels, which may be a header alone."""

from pathlib import Path

import pytest

from tests import approved
from tests.processes import ROOT
from textclf.core.errors import UserError
from textclf.tables import corrections


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
def test_labels_and_lines_are_read_by_id_whatever_stands_beside(
    tmp_path: Path, text: str, lines: list[int]
) -> None:
    read = corrections.read(write(tmp_path, text))
    assert (read.labels, list(read.lines.values())) == ({"a": "1", "b": "0"}, lines)


def test_a_review_may_leave_a_label_unclear_which_is_then_no_correction(tmp_path: Path) -> None:
    text = (
        "id,label,note,given,place,by,at\na,1,x,0,1,ann,t\nb,,,0,2,ann,t\nc,0,,,,,\n"
        "d,1,,1,?,ben,t\n"
    )
    read = corrections.read(write(tmp_path, text))
    assert read.labels == {"a": "1", "c": "0", "d": "1"}
    assert read.reviews == {"a": ("0", 1), "b": ("0", 2), "d": ("1", 0)}
    assert list(read.lines) == [*"abcd"]


BROKEN = [
    "",
    "id\na\n",
    "id,label,id\na,1,a\n",
    "id,label\na,1,2\n",
    "id,label\na,\udcff\n",
    "id,label\na,\n",
    "id,label,given,place,by\na,,,1,ann\n",
    "id,label\n,1\n",
    "id,label\na,1\nb,0\na,1\n",
    "id,label\na,\nb,0\nb,1\n",
    "id,label\na\x07,1\n",
    "id,label\n" + ",1\n" * 7,
]


def test_mistakes_are_refused_with_the_approved_lines_without_advice_for_tables(
    tmp_path: Path,
) -> None:
    said = ""
    for text in BROKEN:
        with pytest.raises(UserError) as error:
            corrections.read(write(tmp_path, text))
        lines = [line.replace(f"{tmp_path}/", "") for line in error.value.lines]
        said += "".join([f"{text!r}\n", *(f"> {line}\n" for line in lines)])
    approved.check(said, Path(__file__).with_name("broken_corrections.txt"))


def test_a_file_that_is_missing_is_a_line(tmp_path: Path) -> None:
    rule = "must be a CSV file of corrected labels (the header id,label alone if there are none)"
    with pytest.raises(UserError) as error:
        corrections.read(tmp_path / "no.csv")
    assert error.value.lines == (f"{tmp_path}/no.csv {rule}; got no such file; make it",)
