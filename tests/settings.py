"""The lesson's params.yaml, whatever the project's own is, and the same with other values."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.core.params_text import with_values
from textclf.core.settings import Section
from textclf.models.settings import LESSON as LESSON_MODELS
from textclf.models.settings import Train
from textclf.params import Params, is_lesson, parse

OWN_TEXT = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
LESSON = is_lesson(
    parse(OWN_TEXT)
)  # else `textclf init` made the project that of a user's own rows


def _changes(settings: Section, defaults: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the default of each setting that has another value."""
    for key, default in defaults:
        value = getattr(settings, key)
        if key in ("vectorize", "train", "combine"):  # whose entries have names of the user's
            continue
        if isinstance(default, Section):
            yield from _changes(value, default, f"{prefix}{key}.")
        elif value != default:
            yield f"{prefix}{key}", default


def put(*settings: str, text: str | None = None) -> str:
    """Return the text with other values: a dotted key, its value in YAML, another key, and so on.

    A missing key is added; a section that gets a value loses its lines. By default the text is the
    lesson's.
    """
    text = TEXT if text is None else text
    for key, value in zip(settings[::2], settings[1::2], strict=True):
        *sections, last = key.split(".")
        lines = text.splitlines()
        start, end = 0, len(lines)
        for depth, name in enumerate(sections):
            start, end = _find(lines, name, depth, start, end) or _add(
                lines, f"{'  ' * depth}{name}:", end
            )
            lines[start] = re.sub(r": \{\}", ":", lines[start])
            start += 1
        line = f"{'  ' * len(sections)}{last}: {value}"
        bounds = _find(lines, last, len(sections), start, end)
        if bounds is None:
            _add(lines, line, end)
        else:
            lines[bounds[0] : bounds[1]] = [line]
        text = "\n".join(lines) + "\n"
    return text


def _find(lines: list[str], name: str, depth: int, start: int, end: int) -> tuple[int, int] | None:
    """Return a key's first line and the line behind its block; None if outside the range."""
    for number in range(start, end):
        if re.match(rf"{'  ' * depth}{re.escape(name)}:", lines[number]):
            inner = (
                n
                for n in range(number + 1, end)
                if lines[n] and not lines[n].startswith("  " * (depth + 1))
            )
            return number, next(inner, end)
    return None


def _add(lines: list[str], line: str, end: int) -> tuple[int, int]:
    """Insert a line before `end`, behind the last line with text; return its place and the next."""
    while end and not lines[end - 1]:
        end -= 1
    lines.insert(end, line)
    return end, end + 1


def models(*kinds: str, features: str = "words") -> tuple[str, ...]:
    """Return the arguments of `put` that train one model of each of these kinds, and no other."""
    entries = [(f"train.{kind}.kind", kind, f"train.{kind}.features", features) for kind in kinds]
    return ("train", "", *(part for entry in entries for part in entry))


def train(*kinds: str, features: str = "words", **changes: Any) -> Train:
    """Return the section train with a model of each of these kinds, each with these settings."""
    entry = {"features": features} | changes
    return Train.model_validate({kind: {"kind": kind} | entry for kind in kinds or LESSON_MODELS})


TEXT = OWN_TEXT
if not LESSON:
    changed = with_values(OWN_TEXT, dict(_changes(parse(OWN_TEXT), Params())))
    TEXT = put(
        "combine",
        "{}",
        "vectorize",
        "",
        "vectorize.words.method",
        "terms",
        *models(*LESSON_MODELS),
        text=changed,
    )
