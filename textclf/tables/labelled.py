"""Texts that people have labelled beside the table: a CSV file that `textclf label --merge` extends.

They are rows for training alone. A row without a label is a text that was discarded: it trains nothing and is never
suggested again.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textclf.core.quoting import quote_value
from textclf.tables.edited import append_rows, note_id, read_edited, unchanged_file
from textclf.tables.layout import Record
from textclf.tables.values import label_of, text_of

COLUMNS = ("id", "text", "label", "chosen", "round")
CHOSEN = ("random", "diverse", "uncertain")  # why `textclf suggest` chose a text; empty if it did not
LABELLED = Path("labelled.csv")  # of a project
ROUND = re.compile(r"[1-9][0-9]{0,8}")
NOUN = "labelled texts"
RULE = f"must be a CSV file of labelled texts (the header {','.join(COLUMNS)} alone if there are none)"


@dataclass(frozen=True)
class Labelled:
    """The rows of the file by column, and the line of each id."""

    path: Path
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # as they are written; "" of a text that was discarded
    chosen: list[str] = field(default_factory=list)  # one of `CHOSEN`, or ""
    rounds: list[int] = field(default_factory=list)  # the merge that added the row, from 1
    lines: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows, discarded texts among them."""
        return len(self.ids)

    @property
    def count(self) -> int:
        """The number of rows that have a label."""
        return len(self) - self.labels.count("")


def unchanged_labelled(path: Path) -> contextlib.AbstractContextManager[Labelled]:
    """Yield the labelled texts in a file; `UserError` if there is none, or if it changes until the block ends."""
    return unchanged_file(path, RULE, lambda: read(path))


def read(path: Path) -> Labelled:
    """Return the labelled texts in a file; `UserError` with a line for each mistake, of many the first few."""
    rows = Labelled(path)

    def add(number: int, record: Record) -> None:
        text = text_of(record, "text") or ""
        row, label, chosen, merge = (label_of(record, column) or "" for column in COLUMNS if column != "text")
        for column, value in (("id", row), ("text", text)):
            if not value.strip():
                raise ValueError(f"{column} must not be empty; got {quote_value(value)}")
        if chosen not in {*CHOSEN, ""}:
            raise ValueError(f"chosen must be {', '.join(CHOSEN)} or empty; got {quote_value(chosen)}")
        if not ROUND.fullmatch(merge):
            raise ValueError(f"round must be a number from 1; got {quote_value(merge)}")
        note_id(rows.lines, row, number)
        for values, value in ((rows.ids, row), (rows.texts, text), (rows.labels, label if label.strip() else "")):
            values.append(value)
        rows.chosen.append(chosen)
        rows.rounds.append(int(merge))

    read_edited(path, COLUMNS, RULE, add, NOUN)
    return rows


def append(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Add rows, each with all of `COLUMNS`, to the file in one step."""
    append_rows(path, COLUMNS, rows)
