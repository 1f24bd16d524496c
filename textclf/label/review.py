"""The labels that an audit suspects, under review: each answer is a line of corrections.csv."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from textclf.artifacts import splits
from textclf.core.files import read_csv
from textclf.core.formatting import count_noun
from textclf.core.settings import load_section
from textclf.label import command
from textclf.label.arguments import Answering
from textclf.label.rows import SPLITS, LabelFile, Row
from textclf.tables import corrections
from textclf.tables.edited import read_form
from textclf.tables.settings import Data

ISSUES, CORRECTIONS = Path("plots/audit.csv"), Path("corrections.csv")
LISTED = ["id", "given", "suggested", "flagged_by", "split"]
CELLS = ("id", "label", "given", "by", "at")


class Reviews(LabelFile):
    """Suspicious rows, answered by lines of corrections.csv, whose other lines and columns stay."""

    def __init__(self, path: Path, suspicious: Sequence[Row], multilabel: bool) -> None:
        """Read the file; raise `UserError` if it breaks a rule."""
        self.suspicious = suspicious
        super().__init__(path, multilabel)

    def _read(self) -> None:
        read = corrections.read(self.path, self.multilabel)
        self.form = read_form(self.path)
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            self.header, *self.lines = csv.reader(file, delimiter=self.form.delimiter)
        lines = (dict(zip(self.header, line, strict=False)) for line in self.lines)
        line_of = {line.get("id"): line for line in lines}

        def reviewed(row: Row) -> Row:
            line = line_of.get(row.id, {})
            label, by = read.labels.get(row.id, ""), line.get("by") or "somebody"
            return replace(row, label=label, by=by, at=line.get("at", ""))

        self.rows = [reviewed(row) if row.id in read.lines else row for row in self.suspicious]

    def _write(self, changed: Row) -> None:
        super()._write(changed)
        self._seen = (0, 0, 0)  # so that it is read again before each answer

    def _content(self, changed: Row) -> bytes:
        """Return the file without the line of a row, and with a new last one unless it is open."""
        cells = {**{name: getattr(changed, name) for name in CELLS}, **changed.other}
        names = [*self.header, *(name for name in cells if name not in self.header)]
        rest = [line and line + [""] * (len(names) - len(line)) for line in self.lines]
        rest = [line for line in rest if not line or line[names.index("id")] != changed.id]
        added = [] if changed.open else [[cells.get(name, "") for name in names]]
        return replace(self.form, columns=names).file([*rest, *added])


def run(answering: Answering) -> int:
    """Let a person review the rows of plots/audit.csv; return 0."""
    data, issues = load_section("data", Data), read_csv(ISSUES)
    is_listed = pc.field("id").isin(issues["id"].tolist())
    texts = {}
    for readers in splits.open_columns(SPLITS).values():
        for read in readers:
            suspected = read(["id", "text"]).filter(is_listed).to_pylist()
            texts.update({cells["id"]: cells["text"] for cells in suspected})
    listed = issues[LISTED].itertuples(index=False)
    rows = [
        Row(
            row,
            texts[row],
            given=given,
            suggested=suggested,
            why=f"contradicted by {by}; a {split} row",
            other={"place": str(position)},
        )
        for position, (row, given, suggested, by, split) in enumerate(listed, start=1)
    ]
    reviews = Reviews(CORRECTIONS, rows, data.multilabel)
    command.answer(reviews, answering)
    answered = [row for row in reviews.rows if not row.open]
    changed = [row.id for row in answered if row.label not in ("", row.given)]
    of_test = int((issues["split"][issues["id"].isin(changed)] == "test").sum())
    used = "them"
    if of_test and not data.correct_test_rows:
        used = "those of other rows, and of test rows only with data.correct_test_rows: true"
    counts = f"labels changed: {len(changed)}, {of_test} of them of test rows"
    reviewed = f"{len(answered)} of {count_noun(len(rows), 'row')} reviewed"
    print(f"{reviewed}, {counts}; next: dvc repro uses {used}")
    return 0
