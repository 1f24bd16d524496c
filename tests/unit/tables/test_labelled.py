"""The file of labelled texts beside the table, which may be a header alone."""

from pathlib import Path

import pytest

from tests.processes import ROOT
from textclf.core.errors import UserError
from textclf.tables import labelled
from textclf.tables.edited import append_rows

HEADER = "id,text,label,chosen,round"


def test_the_file_of_the_project_can_be_read() -> None:
    assert labelled.read(ROOT / "labelled.csv").count >= 0


def test_rows_are_read_whatever_stands_beside_and_appended_below_in_one_step(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.csv"
    before = (
        '\ufeffround,note,text,id,label,chosen\r\n1,,"a\n=b",x,0,random\r\n\r\n2,n,c,y, ,'.encode()
    )
    path.write_bytes(before)
    append_rows(
        path,
        labelled.COLUMNS,
        [dict(zip(labelled.COLUMNS, ("z", 'u\r"', "1", "", 3), strict=True))],
    )
    rows = labelled.read(path)
    assert (rows.ids, rows.texts, rows.labels) == (
        ["x", "y", "z"],
        ["a\n=b", "c", 'u\r"'],
        ["0", "", "1"],
    )
    assert (rows.chosen, rows.rounds, rows.lines) == (
        ["random", "", ""],
        [1, 2, 3],
        {"x": 2, "y": 5, "z": 6},
    )
    assert (len(rows), rows.count, [*tmp_path.iterdir()]) == (3, 2, [path])
    assert path.read_bytes().startswith(before)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("a,t,1,,1\na,u,1,,1\n", ":3: id must be unique; got 'a', as in line 2"),
        ("a, ,1,,1\n", ":2: text must not be empty; got ' '"),
        (",t,1,,1\n", ":2: id must not be empty; got ''"),
        ("a,t,1,,0\n", ":2: round must be a number from 1; got '0'"),
        (
            None,
            (
                f" must be a CSV file of labelled texts (the header {HEADER} alone if there are "
                "none); "
                "got no such file"
            ),
        ),
    ],
)
def test_mistakes_are_a_line(tmp_path: Path, rows: str | None, line: str) -> None:
    path = tmp_path / "mine.csv"
    if rows is not None:
        path.write_text(f"{HEADER}\n{rows}")
    with pytest.raises(UserError) as error:
        labelled.read(path)
    assert error.value.lines[0].removesuffix("; make it") == f"{path}{line}"
