"""The file of labelled texts beside the table, which may be a header alone."""

from pathlib import Path

import pytest

from tests.processes import ROOT
from textclf.core.errors import UserError
from textclf.tables import labelled
from textclf.tables.edited import append_rows

HEADER = "id,text,label,chosen,round\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode())
    return path


def test_the_file_of_the_project_can_be_read() -> None:
    assert labelled.read(ROOT / "labelled.csv").count >= 0


def test_rows_are_read_by_column_whatever_stands_beside(tmp_path: Path) -> None:
    text = '\ufeffround,note,text,id,label,chosen\r\n1,,"a\n=b",x,0,random\r\n\r\n2,n,c,y, ,\r\n'
    rows = labelled.read(write(tmp_path, text))
    assert (rows.ids, rows.texts, rows.labels, rows.chosen, rows.rounds) == (
        ["x", "y"],
        ["a\n=b", "c"],
        ["0", ""],
        ["random", ""],
        [1, 2],
    )
    assert (len(rows), rows.count, rows.lines) == (2, 1, {"x": 2, "y": 5})


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("a,t,1,,1\na,u,1,,1\n", ":3: id must be unique; got 'a', as in line 2"),
        ("a, ,1,,1\n", ":2: text must not be empty; got ' '"),
        (",t,1,,1\n", ":2: id must not be empty; got ''"),
        ("a,t,1,,0\n", ":2: round must be a number from 1; got '0'"),
    ],
)
def test_mistakes_are_refused_with_their_line(tmp_path: Path, rows: str, line: str) -> None:
    with pytest.raises(UserError) as error:
        labelled.read(write(tmp_path, HEADER + rows))
    assert error.value.lines == (f"{tmp_path}/mine.csv{line}",)


@pytest.mark.parametrize("before", [HEADER + "a,t,1,,1", "\ufefflabel,id,round,chosen,text,note\r\n1,a,1,,t,n\r\n"])
def test_rows_are_appended_below_what_is_there(tmp_path: Path, before: str) -> None:
    path = write(tmp_path, before)
    append_rows(path, labelled.COLUMNS, [dict(zip(labelled.COLUMNS, ("b", 'u\n"', "0", "random", 2), strict=True))])
    rows = labelled.read(path)
    assert (rows.ids, rows.texts, rows.labels, rows.chosen, rows.rounds) == (
        ["a", "b"],
        ["t", 'u\n"'],
        ["1", "0"],
        ["", "random"],
        [1, 2],
    )
    assert path.read_bytes().startswith(before.encode())
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_missing_is_a_line(tmp_path: Path) -> None:
    rule = "must be a CSV file of labelled texts (the header id,text,label,chosen,round alone if there are none)"
    with pytest.raises(UserError) as error, labelled.unchanged_labelled(tmp_path / "no.csv"):
        pass
    assert error.value.lines == (f"{tmp_path}/no.csv {rule}; got no such file; make it",)
