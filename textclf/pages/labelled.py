"""A text of the corpus with the labels that its rows have, as a row of a page's table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from textclf.core.formatting import count_noun
from textclf.core.labels import visible
from textclf.pages.parts import excerpt

IDS = 5  # of the rows with one label


class Labelled(NamedTuple):
    """The rows of a text with one label: their number, and the split and id of the first `IDS`."""

    number: int
    ids: list[tuple[str, str]]


@dataclass(frozen=True)
class LabelledText:
    """A text, as it occurs first, and its rows by label."""

    text: str
    rows: dict[str, Labelled]

    def shown(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return what the macro `labels_of` and a cell with the text show; `names` has what to show for each label."""
        return {
            "text": excerpt(self.text),
            "labels": [
                {"name": names[label], "rows": count_noun(labelled.number, "row"), "ids": _ids(labelled)}
                for label, labelled in sorted(self.rows.items(), key=lambda pair: -pair[1].number)
            ],
        }


def _ids(labelled: Labelled) -> str:
    ids = [f"{visible(row_id)} ({split})" for split, row_id in labelled.ids]
    return ", ".join([*ids, *([f"{labelled.number - IDS:,} more"] if labelled.number > IDS else [])])
