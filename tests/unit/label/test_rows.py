"""The file to label: what is read, what is kept, and what an answer changes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from textclf.core.errors import UserError
from textclf.label.rows import AnsweredError, LabelFile, Row, read_rows, write_rows

TEXTS = ["a, b", 'say "x"\nline two', "lone\rCR", "=1+1", " شكرا 😀 ", "x" * 200_000]
ANSWER_ALL = """
import sys; from pathlib import Path; from textclf.label.rows import LabelFile
file = LabelFile(Path(sys.argv[1]))
for row in file.rows:
    if row.open: file.answer(row.id, sys.argv[2], "ann"); print(row.id, flush=True)
"""


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = [
        Row(str(n), text, "l", "ann", "now", "s", "0.5", "random") for n, text in enumerate(TEXTS)
    ]
    write_rows(tmp_path / "f.csv", written)
    assert read_rows(tmp_path / "f.csv") == written


def test_an_answer_changes_its_row_alone_and_undo_takes_it_back(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"  # as a spreadsheet saves it
    path.write_bytes('\ufeffnote;text;id;label\r\n"n\r\nn";one;1;\r\n\r\n;two;2; b \r\n'.encode())
    file = LabelFile(path)
    assert file.labels == ["b"]
    file.answer("1", "a", "ann")
    assert path.read_bytes().decode() == (
        "\ufeffnote;text;id;label;by;at\r\n"
        f'"n\r\nn";one;1;a;ann;{file.rows[0].at}\r\n;two;2;b;;\r\n'
    )
    file.undo("1")
    assert [row.open for row in read_rows(path)] == [True, False]
    file.answer("1", "", "ann")
    assert [row.open for row in read_rows(path)] == [False, False], "discarded"


def test_a_row_that_an_editor_has_answered_or_removed_is_not_answered_again(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,text,label\n1,one,\n2,two,\n3,three,\n")
    file = LabelFile(path)
    path.write_text("id,text,label\n1,one,mine\n3,three,\n")
    for row, error in (("1", "answered meanwhile: mine"), ("2", "no longer in")):
        with pytest.raises(AnsweredError, match=error):
            file.answer(row, "a", "ann")
    file.answer("3", "a", "ann")
    assert [row.label for row in read_rows(path)] == ["mine", "a"]


def test_an_answer_that_a_full_disk_refuses_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "f.csv"
    path.write_text("id,text\n1,one\n")
    file = LabelFile(path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.answer("1", "a", "ann")
    assert (path.read_text(), file.rows[0].open, len([*tmp_path.iterdir()])) == (
        "id,text\n1,one\n",
        True,
        1,
    )


def test_a_kill_loses_no_confirmed_answer_and_repeats_none(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    stored = dict.fromkeys(map(str, range(200)), "")
    write_rows(path, [Row(row, "a text\nof two lines") for row in stored])
    for count in (1, 3, 8, 15):
        command = [sys.executable, "-c", ANSWER_ALL, str(path), str(count)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            confirmed = [process.stdout.readline().strip() for _ in range(count)]
            process.kill()
            confirmed += process.stdout.read().split()
        now = {row.id: row.label for row in read_rows(path)}
        assert all(now[row] == str(count) for row in confirmed)
        assert all(now[row] == label for row, label in stored.items() if label)
        assert sum(map(bool, now.values())) - sum(map(bool, stored.values())) - len(confirmed) in (
            0,
            1,
        )
        stored = now


def test_several_labels_are_lists_or_separated_as_in_the_table(here: Path) -> None:
    (here / "f.csv").write_text('id,text,label\n1,a,"[""b"", ""a""]"\n2,b,[]\n3,c,\n4,d,plain\n')
    rows = read_rows(here / "f.csv", multilabel=True)
    assert [(row.label, row.open) for row in rows] == [
        ('["a", "b"]', False), ("[]", False), ("", True), ('["plain"]', False)
    ]  # fmt: skip
    Path("params.yaml").write_text("data: {path: t.csv, task: multilabel, label_separator: '|'}\n")
    Path("f.csv").write_text('id,text,label\n1,a,b|a\n2,b,"[""c""]"\n')
    assert [row.label for row in read_rows(Path("f.csv"), multilabel=True)] == [
        '["a", "b"]',
        '["c"]',
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "must be a CSV file with the columns id and text; got an empty file"),
        (b"text\na\n", "id must be one of its columns (text); got 'id'"),
        (b"id,text\n1,a\n1,b\n", ":3: id must be unique; got '1', as in line 2"),
        (b"id,text\n,b\n", ":2: id must not be empty; got ''"),
        (b"id,text\n1,\xff\n", ":2: must be utf-8; got byte 0xff"),
        (
            b'id,text,label\n1,a,"[1"\n',
            ':2: label must be a JSON list, such as ["a", "b"]; got \'[1\'',
        ),
        (None, "must be a CSV file with the columns id and text; got "),
    ],
)
def test_a_mistake_is_told_without_advice_to_change_settings(
    content: bytes | None, error: str, tmp_path: Path
) -> None:
    path = tmp_path / "f.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        read_rows(path, multilabel=True)
    assert error in str(raised.value)
    assert "; set " not in str(raised.value)
