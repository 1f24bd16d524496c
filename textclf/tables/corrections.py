"""Labels that a user has corrected: a CSV file with the columns id and label, or a header alone."""

from dataclasses import dataclass, field
from pathlib import Path

from textclf.core.quoting import quote_value
from textclf.tables.edited import read_edited, read_form

COLUMNS = ("id", "label")
# Columns that `textclf audit --review` fills besides, with who and when.
REVIEWED = ("given", "place")
NOUN = "corrections"
RULE = "must be a CSV file of corrected labels (the header id,label alone if there are none)"


@dataclass(frozen=True)
class Corrections:
    """The corrected label of each row by its id, in the order of the file, with its line."""

    path: Path
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    # The given label of each row that was reviewed, and its place in the list of an audit, from 1;
    # 0 if unknown.
    reviews: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows that have a corrected label."""
        return len(self.labels)


def read(path: Path, multilabel: bool = False) -> Corrections:
    """Return the corrections in a file.

    Other columns are ignored, and so are blank lines. `multilabel`: a label may be `[]`. The label
    of a review, which has a given one, may be empty: it is unclear, and not corrected. Raises
    `UserError` with a line for each mistake, of many for the first few.
    """
    labels: dict[str, str] = {}
    reviews: dict[str, tuple[str, int]] = {}
    advice = "; write [] for none" if multilabel else ""

    def add(row: str, label: str, given: str = "", place: str = "") -> None:
        if not (label or given).strip():
            raise ValueError(f"label must not be empty; got {quote_value(label)}{advice}")
        if label:
            labels[row] = label
        if given:
            reviews[row] = given, int(place) if place.isdecimal() else 0

    columns: tuple[str, ...] = COLUMNS
    if {*REVIEWED} <= {*read_form(path).columns}:
        columns += REVIEWED
    return Corrections(path, labels, read_edited(path, columns, RULE, NOUN, add), reviews)
