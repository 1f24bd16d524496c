"""The parts of a page: texts, tables and charts, escaped wherever they show text of the corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from markupsafe import Markup

from textclf.core.display import visible
from textclf.core.formatting import count_noun
from textclf.plot.render import svg
from textclf.plot.style import Spec

T = TypeVar("T")
# Characters of a text that are shown at once, and at all.
SHORT = 280
LONG = 2000
# Ids of the rows of a text with one label that are listed.
IDS = 5


@dataclass(frozen=True)
class Text:
    """A text of the corpus: its beginning, the rest to unfold, and the number left out."""

    head: str
    rest: str
    omitted: int
    length: int


@dataclass(frozen=True)
class Chart:
    """A chart of a page."""

    # Its id on the page.
    name: str
    # For those who can't see it.
    description: str
    caption: str
    spec: Spec
    title: str = ""
    # None stands beside it, and it scrolls if there is no room for it.
    wide: bool = False

    @property
    def svg(self) -> Markup:
        """The picture."""
        # Vega escapes the text of the data; a test checks it.
        return Markup(svg(self.spec))  # noqa: S704


@dataclass(frozen=True)
class Table:
    """A table. A cell is a text, or a value and its interval."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    # Columns that are aligned to the right.
    numeric: Sequence[int] = ()
    # On a phone, cells stand below the title of their row; otherwise the table must be narrow.
    stack: bool = True


def ends(items: Sequence[T], most: int) -> list[T]:
    """Return the first `most` and the last `most` items, all if there are not more."""
    return [*items] if len(items) <= 2 * most else [*items[:most], *items[-most:]]


def excerpt(text: str, short: int = SHORT, long: int = LONG) -> Text:
    """Return the text in parts: about `short` characters to show, up to `long` to unfold."""
    # What little would be folded takes no more room than the fold.
    if len(text) <= short * 5 // 4:
        return Text(visible(text), "", 0, len(text))
    end = text.rfind(" ", short * 3 // 4, short)
    end = end if end > 0 else short
    return Text(visible(text[:end]), visible(text[end:long]), max(0, len(text) - long), len(text))


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
        """Return what the macro `labels_of` and a cell with the text show; `names` is by label."""
        return {
            "text": excerpt(self.text),
            "labels": [
                {
                    "name": names[label],
                    "rows": count_noun(labelled.number, "row"),
                    "ids": _ids(labelled),
                }
                for label, labelled in sorted(self.rows.items(), key=lambda pair: -pair[1].number)
            ],
        }


def _ids(labelled: Labelled) -> str:
    ids = [f"{visible(row_id)} ({split})" for split, row_id in labelled.ids]
    if labelled.number > IDS:
        ids.append(f"{labelled.number - IDS:,} more")
    return ", ".join(ids)
