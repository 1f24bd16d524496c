"""Labels that a user has corrected: a CSV file with the columns id and label, which may be a header alone."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from textclf.core.quoting import quote_value
from textclf.tables.edited import read_edited, unchanged_file

COLUMNS = ("id", "label")
NOUN = "corrections"
RULE = "must be a CSV file of corrected labels (the header id,label alone if there are none)"


@dataclass(frozen=True)
class Corrections:
    """The corrected label of each row by its id, in the order of the file, and the line of each id."""

    path: Path
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows that have a corrected label."""
        return len(self.labels)


def unchanged_corrections(path: Path, multilabel: bool = False) -> contextlib.AbstractContextManager[Corrections]:
    """Yield the corrections in a file; `UserError` if there is none, or if it changes before the end of the block."""
    return unchanged_file(path, RULE, lambda: read(path, multilabel))


def read(path: Path, multilabel: bool = False) -> Corrections:
    """Return the corrections in a file; `UserError` with a line for each mistake, of many the first few.

    Other columns than id and label are ignored, and so are blank lines. `multilabel`: a label may be `[]`.
    """
    labels: dict[str, str] = {}
    advice = "; write [] for none" if multilabel else ""

    def add(row: str, label: str) -> None:
        if not label.strip():
            raise ValueError(f"label must not be empty; got {quote_value(label)}{advice}")
        labels[row] = label

    return Corrections(path, labels, read_edited(path, COLUMNS, RULE, NOUN, add))
