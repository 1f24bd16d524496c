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
SHORT, LONG = 280, 2000  # characters of a text that are shown at once, and at all
IDS = 5  # of the rows of a text with one label


@dataclass(frozen=True)
class Text:
    """A text of the corpus: its beginning, the rest that a reader may unfold, and how many characters are left out."""

    head: str
    rest: str
    omitted: int
    length: int


@dataclass(frozen=True)
class Chart:
    """A chart of a page."""

    name: str  # its id there
    description: str  # for those who can't see it
    caption: str
    spec: Spec
    title: str = ""
    wide: bool = False  # none stands beside it, and it scrolls if there is no room for it

    @property
    def svg(self) -> Markup:
        """The picture."""
        return Markup(svg(self.spec))  # noqa: S704 (Vega escapes the text of the data; a test checks it)


@dataclass(frozen=True)
class Table:
    """A table. A cell is a text, or a value and its interval."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numeric: Sequence[int] = ()  # columns that are aligned to the right
    stack: bool = True  # on a phone, cells stand below the title of their row; otherwise the table must be narrow


def ends(items: Sequence[T], most: int) -> list[T]:
    """Return the first `most` and the last `most` items, all if there are not more."""
    return [*items] if len(items) <= 2 * most else [*items[:most], *items[-most:]]


def excerpt(text: str, short: int = SHORT, long: int = LONG) -> Text:
    """Return the text in parts: about `short` characters to show at once, up to `long` to unfold."""
    if len(text) <= short * 5 // 4:  # what little would be folded takes no more room than the fold
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
        """Return what the macro `labels_of` and a cell with the text show; `names` has what to show for each label."""
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
    return ", ".join(
        [*ids, *([f"{labelled.number - IDS:,} more"] if labelled.number > IDS else [])]
    )
