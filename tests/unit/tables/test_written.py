"""How a table is written, as far as its bytes show it, and tables that are written so."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import excel
from textclf.tables.columns import column_names, require_rows
from textclf.tables.layout import Batch, Layout
from textclf.tables.read import read_batches
from textclf.tables.written import find_written

ROWS = "The soup was cold,bad\nWe loved it,good\n"
TABS = "We loved it\tgood\n" * 4
QUOTES = '"text"\t"label"\n' + '"A ""cold""\nsoup"\t"bad"\n' * 60
SEMICOLONS = "Text;Preis\nDie Suppe war schön;3,5\nKöstlich;4,5\n"


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("a.csv", "text,label\n" + ROWS, {}),
        ("a.csv", SEMICOLONS, {"delimiter": ";"}),
        ("a.tsv", "text\tlabel\n" + ROWS.replace(",", "\t"), {}),
        ("a.csv", "text\tlabel\n" + ROWS.replace(",", "\t"), {"delimiter": "\t"}),
        # A title, and a blank line, above the header.
        ("a.csv", "Mails of 2024\n\ntext,label\n" + ROWS, {"header": 3}),
        (
            "a.csv",
            "Mails, of 2024\nText;Note\ngut;1\nschlecht;5\n",
            {"delimiter": ";", "header": 2},
        ),
        # A column that is empty in most rows is no title.
        ("a.csv", "text,label,note\n" + ROWS, {}),
        # Rows that end in a delimiter.
        ("a.csv", "text,label\n" + ROWS.replace("\n", ",\n"), {}),
        # One column, whose texts have commas.
        ("a.csv", "text\nSlow, cold and dear\nfine\nWell, no\nok\n", {}),
        ("a.csv", "", {}),
        # Formats without a delimiter.
        ("a.jsonl", '{"text": "a;b"}\n', {}),
        ("a.txt", "a;b\t1\n", {}),
        # Quotes around all fields, or most, or those of the header alone; or texts that have some.
        ("a.tsv", QUOTES, {"quoting": True}),
        ("a.tsv", "text\tlabel\n" + '"Slow"\t"bad"\n' * 9, {"quoting": True}),
        ("a.tsv", '"text"\t"label"\nWe loved it\t1\nSlow\t0\n', {"quoting": True}),
        ("a.tsv", '"text"\t"label"\n"Slow" they say\t"bad"\nFine\t"good"\n', {}),
        ("a.tsv", 'text\tlabel\n"Slow"\tbad\n"Fine"\tgood\n', {}),
        ("a.csv", QUOTES.replace("\t", ","), {}),
        # A header above lines with tabs, which usually have none.
        ("a.txt", "text\tlabel\n" + TABS, {"format": "tsv"}),
        ("a.txt", "id\ttext\tlabel\n" + TABS.replace("We", "1\tWe"), {"format": "tsv"}),
        ("a.txt", TABS, {}),
        ("a.txt", "We liked the warm soup\tfine\n" + TABS, {}),
        ("a.txt", "text\t2\n" + TABS, {}),
        ("a.txt", "Slow\tbad\n" + TABS.replace("good", "bad"), {}),
        ("a.txt", "Lost card\tlost_card\nNo card\tno_card\nA fee\tfees\n", {}),
    ],
)
def test_delimiter_and_header_are_those_that_make_rows_of_one_length(
    name: str, content: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    assert find_written(tmp_path / name, {}).settings == settings


@pytest.mark.parametrize("name", ["a b.txt", "a.csv", "a.tsv"])
def test_lines_of_fasttext_are_refused_with_a_command_that_writes_a_table(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text("__label__bad The soup, cold\n__label__good We loved it\n")
    error = refusal(find_written, path, {})
    assert error.startswith(f"{path} must have columns; got lines of fastText, __label__… and")
    subprocess.run(error.partition("run: ")[2], shell=True, check=True, cwd=tmp_path)  # noqa: S602
    made = (tmp_path / "texts.tsv").read_text()
    assert made == "label\ttext\nbad\tThe soup, cold\ngood\tWe loved it\n"


def test_what_is_given_is_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(SEMICOLONS.encode("cp1252"))
    given = {"delimiter": ",", "encoding": "latin-1", "header": False}
    assert find_written(path, given) == ({}, [])


@pytest.mark.parametrize(
    ("written", "expected", "settings"),
    [
        ("utf-8", "utf-8", {}),
        ("utf-8-sig", "utf-8", {}),
        ("cp1252", "utf-8", {"encoding": "cp1252"}),
        ("utf-16", "utf-8", {"encoding": "utf-16"}),
        # What params.yaml says of other tables holds unless the bytes are UTF-8.
        ("cp1250", "cp1250", {"encoding": "cp1250"}),
        ("utf-8", "cp1250", {}),
    ],
)
def test_an_encoding_is_told_with_words_that_show_it(
    written: str, expected: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(SEMICOLONS.encode(written))
    table = find_written(path, {"delimiter": ";"}, expected)
    assert table.settings == settings
    shown = [f"encoding {encoding} (schön, Köstlich)" for encoding in settings.values()]
    assert table.phrases == shown


def test_a_few_wrong_bytes_in_utf_8_are_mistakes_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\nschön,süß\n".encode() + b"caf\xe9,x\n")
    assert find_written(path, {}).settings == {}
    path.write_bytes(b"text,label\nplain,caf\xe9\n")
    assert find_written(path, {}).settings == {"encoding": "cp1252"}


def test_texts_in_ascii_have_the_expected_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + ROWS)
    assert find_written(tmp_path / "a.csv", {}, "iso-2022-jp").settings == {
        "encoding": "iso-2022-jp"
    }


def test_a_workbook_has_its_rows_in_the_sheet_with_the_most(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = [("text", "label"), ("great", "good"), ("slow", "bad")]
    path.write_bytes(excel(("Mails of 2024",), ("made by", "sales"), Data=rows))
    assert find_written(path, {}) == ({"sheet": "Data"}, ["sheet Data, not Sheet"])
    assert find_written(path, {"sheet": "Sheet"}).settings == {"header": 2}
    path.write_bytes(excel(("Mails of 2024",), (), *rows, Notes=[("a", "b")]))
    assert find_written(path, {}) == (
        {"sheet": "Sheet", "header": 3},
        ["sheet Sheet, not Notes", "header 3"],
    )
    # A row of groups of columns above the header.
    groups = ("Ticket", None, "Handling", None)
    path.write_bytes(excel(groups, ("no", "message", "team", "hours"), (1, "late", "a", 2)))
    assert find_written(path, {}).settings == {"header": 2}
    path.write_bytes(excel(*rows))
    assert find_written(path, {}) == ({}, [])


def batches(path: Path, kind: str, most: int | None = None, **form: Any) -> list[Batch]:
    layout = Layout({"text": "1", "label": "2"}, **form)
    return list(read_batches(path, kind, layout, most))


def rows_of(found: list[Batch]) -> list[tuple[int, dict[str, object]]]:
    rows = [batch.row(position) for batch in found for position in range(len(batch))]
    return [(number, dict(record)) for number, record in rows if isinstance(record, dict)]


WITHOUT_HEADER = [
    (1, {"1": "The soup was cold", "2": "bad"}),
    (2, {"1": "We loved it", "2": "good"}),
]


@pytest.mark.parametrize("most", [None, 1])
def test_without_a_header_columns_have_numbers(most: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeff" + ROWS, encoding="utf-8")
    assert column_names(path, Layout({}, header=0)) == ["1", "2"]
    assert rows_of(batches(path, "csv", most, header=0)) == WITHOUT_HEADER
    book = tmp_path / "a.xlsx"
    book.write_bytes(excel(("The soup was cold", "bad"), ("We loved it", "good")))
    assert rows_of(batches(book, "excel", most, header=0)) == WITHOUT_HEADER


@pytest.mark.parametrize("most", [None, 1])
def test_rows_are_numbered_as_in_the_file_below_a_title(most: int | None, tmp_path: Path) -> None:
    title = "Mails\n\n"
    path = tmp_path / "a.csv"
    path.write_text(f"{title}1,2\n{ROWS}")
    numbered = [(number + 3, row) for number, row in WITHOUT_HEADER]
    assert rows_of(batches(path, "csv", most, header=3)) == numbered
    book = tmp_path / "a.xlsx"
    book.write_bytes(
        excel(("Mails",), (), ("1", "2"), ("The soup was cold", "bad"), ("We loved it", "good"))
    )
    assert rows_of(batches(book, "excel", most, header=3)) == numbered


@pytest.mark.parametrize("most", [None, 1])
def test_a_row_may_end_in_delimiters_but_not_in_further_values(
    most: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\na,b,,\nc,d\ne,f,g\nh\n")
    found = batches(path, "csv", most)
    assert rows_of(found) == [(2, {"1": "a", "2": "b"}), (3, {"1": "c", "2": "d"})]
    assert sum(len(batch.broken) for batch in found) == 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("text,label\n", "a.csv must have rows below its header; got none"),
        ('text,label\n"a,b\nc,d\n', "a.csv:2: quotes must be closed"),
        ("text,label\na,b,c\n", "a.csv:2: must have 2 fields"),
    ],
)
def test_a_table_of_which_no_row_can_be_read_says_why(
    content: str, error: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    assert error in refusal(require_rows, path, Layout({}, option="--"))
