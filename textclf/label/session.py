"""A person who answers rows: which row is next, which labels there are, and what may be seen of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from textclf.core.labels import labelled_names, visible
from textclf.label.rows import LabelFile, Row, cell_of, labels_of
from textclf.tables.values import label_of


class Label(NamedTuple):
    """A label, what is shown for it, and the number that chooses it."""

    name: str
    shown: str
    key: str


@dataclass
class Session:
    """The answers of one person."""

    answers: LabelFile
    by: str
    known: list[str]  # labels in their order
    titles: Mapping[str, str]  # what to show for a label
    blind: bool  # whether given and suggested labels are hidden

    def labels(self) -> list[Label]:
        """Return the labels; a key is the position from 1, or the label itself if all labels are numbers."""
        self.known += [name for name in self.answers.labels if name not in self.known]  # new ones last: keys stay
        shown = labelled_names(self.known, self.titles)
        numbers = all(name.isascii() and name.isdecimal() for name in shown)
        return [Label(name, shown[name], name if numbers else str(key)) for key, name in enumerate(shown, start=1)]

    def row(self, skipped: Sequence[str] = (), row_id: str = "") -> Row | None:
        """Return the open row with this id, else the first open one, those skipped last; None if there is none."""
        rows = {row.id: row for row in self.answers.rows if row.open}
        order = [row_id, *(each for each in rows if each not in skipped), *skipped]
        return next((rows[each] for each in order if each in rows), None)

    def answer(self, row_id: str, labels: Sequence[str] | None) -> None:
        """Store the labels of a row; None discards it. Raises `ValueError` if one could not be read again."""
        names = [(label_of({"label": label}, "label") or "").strip() for label in labels or ()]
        if "" in names:
            raise ValueError("a label must not be empty")
        self.answers.answer(row_id, "" if labels is None else cell_of(names, self.answers.multilabel), self.by)

    def see(self, row: Row) -> dict[str, Any]:
        """Return what may be seen of a row; `default` are the labels that Enter chooses."""
        seen = Row(row.id, row.text) if self.blind else row
        shown = {label.name: label.shown for label in self.labels()}
        labels = {name: labels_of(getattr(seen, name), self.answers.multilabel) for name in ("given", "suggested")}
        facts = {name: ", ".join(shown.get(label, label) for label in labels[name]) for name in labels}
        facts |= {"probability": seen.probability, "why": visible(seen.why)}
        return {
            "id": row.id,
            "text": row.text,
            "review": bool(row.given),
            "default": labels["given" if seen.given else "suggested"],
            "facts": {name: fact for name, fact in facts.items() if fact},
        }
