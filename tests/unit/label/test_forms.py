"""Files of people keep their link, permissions and form when commands write them."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusal import refusal
from textclf.label import command, merge
from textclf.label.arguments import Answering
from textclf.label.review import Reviews
from textclf.label.rows import LabelFile, Row, Session


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(session: Session) -> None:
        assert session.answers.path.stat().st_mode & 0o200, "asked for answers that can't be stored"

    monkeypatch.setattr(command, "ask", ask)


ANSWERS = "id,text,label,by,at\n7,Käse,p,ann,2026-01-01\n8,Brot,n,ann,2026-01-01\n"
OTHERS = "id,text,label,by,at\n7,Käse,p,ben,2026-01-01\n8,Brot,p,ben,2026-01-01\n"


def answer(path: Path) -> None:
    file = LabelFile(path)
    command.answer(file, Answering(by="ann", blind=False, terminal=True, port=0))
    file.answer("2", "p", "ann")


def review(path: Path) -> None:
    Reviews(path, [Row("2", "Tee", given="n")], multilabel=False).answer("2", "p", "ann")


def merge_two(_: Path) -> None:
    Path("ann.csv").write_text(ANSWERS)
    Path("ben.csv").write_text(OTHERS)
    merge.run([Path("ann.csv"), Path("ben.csv")])


def merge_into_project(path: Path) -> None:
    Path("params.yaml").write_text("data: {path: rows.csv}\n")
    Path("rows.csv").write_text("id,text,label\n0,of the table,p\n9,too,n\n")
    merge_two(path)


FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "to_label.csv": ("id,text,label,note\n1,Öl,p,ä\n2,Tee,,o\n", answer),
    "corrections.csv": ("id,label,note\n1,p,ä\n", review),
    "table.csv": ("id,text,label,split,chosen\n1,Öl,p,test,random\n2,Tee,n,train,", merge_two),
    "labelled.csv": ("id,text,label,chosen,round\n1,Öl,p,random,1\n", merge_into_project),
    "conflicts.csv": ("id,text,label,note\n1,Öl,,ä\n", merge_two),
}
KEPT: dict[str, Callable[[str], bytes]] = {
    "link": str.encode,
    "mode 0600": str.encode,
    "semicolons": lambda text: text.replace(",", ";").encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
}
REFUSED: dict[str, Callable[[str], bytes]] = {
    "read-only": str.encode,
    "cp1252": lambda text: text.encode("cp1252"),
    "UTF-16": lambda text: text.encode("utf-16"),
}


def written(folder: Path, name: str, form: str) -> tuple[Path, bytes]:
    """Change a file that has this form; return it, and its bytes before."""
    text, change = FILES[name]
    path = folder / name
    content = (KEPT | REFUSED)[form](text)
    folder.mkdir()
    os.chdir(folder)
    if form == "link":
        (folder / "elsewhere").mkdir()
        path.symlink_to(Path("elsewhere", name))
    path.write_bytes(content)
    if form == "mode 0600":
        path.chmod(0o600)
    if form == "read-only":
        path.chmod(0o444)
    try:
        change(Path(name))
    finally:
        path.with_name("before").write_bytes(content)
    return path, content


@pytest.mark.parametrize("form", KEPT)
@pytest.mark.parametrize("name", FILES)
def test_what_is_written_has_the_form_of_the_file(here: Path, name: str, form: str) -> None:
    plain, before = written(here / "plain", name, "CRLF" if form == "link" else "link")
    path, content = written(here / "other", name, form)
    assert path.read_bytes() not in {content, before}
    assert rows(path, ";" if form == "semicolons" else ",") == rows(plain, ",")
    assert path.read_bytes().count(b"\r\n") == (
        path.read_bytes().count(b"\n") if form == "CRLF" else 0
    )
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == (form == "byte order mark")
    assert path.is_symlink() == (form == "link")
    assert (path.stat().st_mode & 0o077 == 0) == (form == "mode 0600")


def rows(path: Path, delimiter: str) -> list[list[str]]:
    """Return the cells of a file, without the time of an answer."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "now", path.read_text("utf-8-sig"))
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


@pytest.mark.parametrize("form", REFUSED)
@pytest.mark.parametrize("name", FILES)
def test_a_file_in_another_form_is_refused_in_one_line_before_anything_is_written(
    tmp_path: Path, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refusal(written, tmp_path / "other", name, form)
    assert name in line
    assert ("read-only" if form == "read-only" else "must be utf-8") in line
    here = {path.name for path in Path().iterdir()}
    assert here <= {name, "before", "ann.csv", "ben.csv", "params.yaml", "rows.csv"}
    assert Path(name).read_bytes() == Path("before").read_bytes()
