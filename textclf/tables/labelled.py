"""Texts that people label beside the table: a CSV file that `textclf label --merge` extends.

They are rows for training alone. A row without a label is a text that was discarded: it trains
nothing and is never suggested again.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from textclf.core.quoting import quote_value
from textclf.tables.edited import read_edited

COLUMNS = ("id", "text", "label", "chosen", "round")
# Why `textclf suggest` chose a text; empty if it did not.
CHOSEN = ("random", "diverse", "uncertain")
LABELLED = Path("labelled.csv")  # of a project
ROUND = re.compile(r"[1-9][0-9]{0,8}")
NOUN = "labelled texts"
RULE = (
    f"must be a CSV file of labelled texts (the header {','.join(COLUMNS)} alone if there are none)"
)


@dataclass(frozen=True)
class Labelled:
    """The rows of the file by column, and the line of each id."""

    path: Path
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    # As they are written; "" of a text that was discarded.
    labels: list[str] = field(default_factory=list)
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


def read(path: Path) -> Labelled:
    """Return the labelled texts in a file.

    Raises `UserError` with a line for each mistake, of many for the first few.
    """
    rows = Labelled(path)

    def add(row: str, text: str, label: str, chosen: str, merge: str) -> None:
        if not text.strip():
            raise ValueError(f"text must not be empty; got {quote_value(text)}")
        if not ROUND.fullmatch(merge):
            raise ValueError(f"round must be a number from 1; got {quote_value(merge)}")
        rows.ids.append(row)
        rows.texts.append(text)
        rows.labels.append(label if label.strip() else "")
        rows.chosen.append(chosen)
        rows.rounds.append(int(merge))

    rows.lines.update(read_edited(path, COLUMNS, RULE, NOUN, add))
    return rows
