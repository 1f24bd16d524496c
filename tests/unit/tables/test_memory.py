"""Memory: long rows come in small blocks; what is read whole must fit or is refused."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.tables.tables import arrow, excel, parquet, sqlite
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.tables import corpus, limits
from textclf.tables.layout import Layout
from textclf.tables.read import read_batches
from textclf.tables.settings import Data

LAYOUT = Layout({"text": "text"}, option="--")
WRITERS: dict[str, Callable[[list[str]], bytes | str]] = {
    "csv": lambda texts: "text\n" + "".join(f'"{text}"\n' for text in texts),
    "tsv": lambda texts: "text\n" + "".join(f"{text}\n" for text in texts),
    "jsonl": lambda texts: "".join(json.dumps({"text": text}) + "\n" for text in texts),
    "lines": lambda texts: "".join(f"{text}\n" for text in texts),
    "json": lambda texts: json.dumps([{"text": text} for text in texts]),
    "parquet": lambda texts: parquet({"text": texts}),
    "arrow": lambda texts: arrow({"text": texts}),
    "excel": lambda texts: excel(("text",), *([text] for text in texts)),
    "sqlite": lambda texts: sqlite([(text,) for text in texts], "text"),
}


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_long_rows_come_in_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCK_BYTES", 100)
    for kind, write in WRITERS.items():
        path = put(tmp_path / kind, write(["x" * 30] * 100))
        sizes = [len(batch) for batch in read_batches(path, kind, LAYOUT)]
        assert sum(sizes) == 100, kind
        assert max(sizes) <= 16, kind


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "table.json.gz",
            gzip.compress(b"[" + b" " * 10**8 + b"]", 1),
            ": one JSON array, which is read as a whole (JSON Lines is not), needs about ",
        ),
        (
            "table.csv.gz",
            gzip.compress(b"text,label\n" + (b"x" * 9999 + b",0\n") * 10_000, 1),
            ": all rows in memory at once (",
        ),
    ],
)
def test_what_memory_can_not_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, line: str
) -> None:
    monkeypatch.setattr(resources, "available_memory", lambda: 50_000_000)
    path = put(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        corpus.read(path, Data(text="text", label="label" if "csv" in name else "source"))
    assert error.value.lines[0].startswith(f"{path}{line}")


def test_an_open_quote_is_found_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textclf.tables.delimited.MOST_CHARACTERS", 1000)
    path = put(tmp_path / "table.csv", 'text\n"a\nb"\n"' + "x\n" * 1000)
    with pytest.raises(UserError) as error:
        list(read_batches(path, "csv", LAYOUT))
    got = (
        "got more than 1,000 characters inside quotes; if quotes are text here, "
        "set --quoting to false"
    )
    assert error.value.lines == (
        f"{path}:4: quotes must be closed, and doubled inside quotes; {got}",
    )
