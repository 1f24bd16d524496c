"""How a table of texts is written is said once, in params.yaml, or found."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tables.tables import excel
from textclf.predict.sources import Source, read_batches
from textclf.tables.arguments import Form

PARAMS = """
data:
  path: mails.csv
  text: [subject, body]
  text_separator: " / "
  label: team
  id: number
  delimiter: ";"
  encoding: cp1252
"""
MAILS = "number;subject;body;team\n7;Küche;kalt;a\n8;Hilfe;The parcel is late.;b\n"
ROWS = [("7", "Küche / kalt"), ("8", "Hilfe / The parcel is late.")]


def read(name: str, **options: Any) -> list[tuple[str, str]]:
    form = options.pop("form", {})
    source = Source(
        command="predict", path=Path(name), form=Form(**form), **{"text": None, **options}
    )
    batches = list(read_batches(source, empty=True))
    return [pair for batch in batches for pair in zip(batch.ids, batch.texts, strict=True)]


@pytest.fixture
def project(here: Path) -> Path:
    (here / "params.yaml").write_text(PARAMS)
    (here / "mails.csv").write_bytes(MAILS.encode("cp1252"))
    return here


def test_a_table_with_the_columns_of_the_project_is_read_as_its_table(project: Path) -> None:
    assert read("mails.csv") == ROWS
    # The same columns in other forms.
    (project / "new.csv").write_text(MAILS.replace(";", ","))
    assert read("new.csv") == ROWS
    (project / "new.xlsx").write_bytes(
        excel(("Mails",), Data=[line.split(";") for line in MAILS.splitlines()])
    )
    assert read("new.xlsx") == ROWS


def test_what_no_byte_shows_is_as_in_the_project(project: Path) -> None:
    (project / "params.yaml").write_text("data: {header: false, text: '2', label: '3'}")
    (project / "new.csv").write_text("7,It broke.,a\n8,Help,b\n")
    assert read("new.csv") == [("new.csv:1", "It broke."), ("new.csv:2", "Help")]


def test_an_option_has_precedence(project: Path) -> None:
    assert read("mails.csv", text=["body"], id="subject") == [
        ("Küche", "kalt"),
        ("Hilfe", "The parcel is late."),
    ]
    # The texts are not those of params.yaml, so their separator is the usual one.
    (project / "new.csv").write_text(MAILS.replace(";", ","))
    assert read("new.csv", text=["team", "body"], form={"delimiter": ","})[0] == ("7", "a kalt")


def test_another_table_is_read_as_init_reads_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "new.csv").write_text("nr\tcomment\tteam\n1\tIt broke at once.\ta long name\n")
    assert read("new.csv") == [("new.csv:2", "It broke at once.")]
    assert capsys.readouterr().err == "predict: new.csv: texts in column comment\n"
    (project / "new.csv").write_text("comment,text\nWhat a long comment.,short\n")
    assert read("new.csv") == [("new.csv:2", "short")]
    assert capsys.readouterr().err == ""


def test_files_without_labels_are_lines_and_of_a_folder_whole_texts(here: Path) -> None:
    (here / "new.txt").write_text("It broke.\nHelp\n")
    assert read("new.txt") == [("new.txt:1", "It broke."), ("new.txt:2", "Help")]
    (here / "new").mkdir()
    (here / "new/a.txt").write_text("It broke.\nHelp")
    assert read("new") == [("a.txt", "It broke.\nHelp")]


@pytest.mark.posix
@pytest.mark.usefixtures("project")
def test_a_pipe_is_read_once() -> None:
    """A named pipe has no beginning to return to; its columns are given or the usual ones."""
    os.mkfifo("pipe.csv")
    writing = threading.Thread(target=Path("pipe.csv").write_text, args=["text,n\ngood,1\n"])
    writing.start()
    assert read("pipe.csv") == [("pipe.csv:2", "good")]
    writing.join()


def test_a_project_with_mistakes_says_nothing_of_tables(project: Path) -> None:
    (project / "params.yaml").write_text("data: {text: [}")
    (project / "new.csv").write_text("text\nIt broke.\n")
    assert read("new.csv") == [("new.csv:2", "It broke.")]
