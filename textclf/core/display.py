"""Names of classes and other text of the corpus as they are shown to people."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping

NAME_LIMIT = 60  # columns of a class name
NO_ANSWER = "no answer"  # shown in place of a class
# Characters without a glyph, and those that reorder the characters around them. Joiners (U+200C,
# U+200D) and variation selectors are left alone: people write with them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
QUOTED = re.compile(r"""(?:'[^'\\]*'|"[^"\\]*")""")
# Markup, and what would become a link.
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&$!]|(?<=w)\.|(?<=:)/|@)")
TEXTS = re.compile(rf"\[\s*{QUOTED.pattern}(\s*,\s*{QUOTED.pattern})*\s*\]")


def list_in(value: object) -> list[object] | None:
    """Return the list in a text; None if it has none.

    It is JSON, or Python's form of a list of texts, as pandas writes it to CSV.
    """
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return None
    if TEXTS.fullmatch(value.strip()):
        return [text[1:-1] for text in QUOTED.findall(value)]
    try:
        items: list[object] = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return items


def visible(text: str) -> str:
    """Return the text with invisible and reordering characters as their number: ⟨U+202E⟩."""
    return INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def escape_markdown(text: str) -> str:
    """Return the text on one line, with everything escaped that Markdown would interpret."""
    return MARKDOWN.sub(r"\\\1", " ".join(visible(text).split()))


def columns(text: str) -> int:
    """Return the width of the text in columns: wide characters, such as Chinese ones, take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def cut(text: str, limit: int) -> str:
    """Return the text; if it is wider than `limit` columns, its beginning and an ellipsis."""
    if columns(text) <= limit:
        return text
    end = min(len(text), limit)
    while columns(text[:end]) >= limit:
        end -= 1
    return f"{text[:end]}…"


def display_labels(
    names: Iterable[str], titles: Mapping[str, str] | None = None, limit: int = NAME_LIMIT
) -> dict[str, str]:
    """Return the text to show for each name: visible, on one line, and unique.

    It is at most `limit` columns wide. `titles` has what to show instead of a name, such as
    "negative" for the label 0.
    """
    shown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        title = (titles or {}).get(name, name)
        text = visible(" ".join(title.replace("\n", " ⏎ ").split())) or "(blank)"
        label = cut(text, limit)
        number = 2
        while label in shown.values():
            label = f"{cut(text, limit - 6)} ({number})"
            number += 1
        shown[name] = label
    return shown


def labelled_names(names: Iterable[str], titles: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return `display_labels`, with the label in brackets if it is not the name: `negative (0)`."""
    labels = display_labels(names)
    shown = display_labels(labels, titles)
    return {
        name: label if shown[name] == label else f"{shown[name]} ({label})"
        for name, label in labels.items()
    }
