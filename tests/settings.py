"""The lesson's params.yaml, whatever the project's own is, and the same with other values."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.core.params_text import with_values
from textclf.core.settings import Section
from textclf.params import Params, is_lesson, parse

OWN_TEXT = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
# Settings of a run of seconds: two models that need no TensorFlow.
SMALL = ("train.models=[majority, logistic_regression]", "evaluate.resamples=200")
LESSON = is_lesson(parse(OWN_TEXT))  # else `textclf init` made the project that of a user's own rows


def _changes(settings: Section, defaults: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the default of each setting that has another value."""
    for key, default in defaults:
        value = getattr(settings, key)
        if isinstance(default, Section):
            yield from _changes(value, default, f"{prefix}{key}.")
        elif value != default:
            yield f"{prefix}{key}", default


TEXT = OWN_TEXT if LESSON else with_values(OWN_TEXT, dict(_changes(parse(OWN_TEXT), Params())))


def put(*settings: str, text: str = TEXT) -> str:
    """Return the text with other values: a dotted key, its value in YAML, another key, and so on."""
    for key, value in zip(settings[::2], settings[1::2], strict=True):
        end = 0
        for depth, name in enumerate(key.split(".")):
            match = re.compile(rf"^{'  ' * depth}{re.escape(name)}:", re.MULTILINE).search(text, end)
            assert match, f"{key} is not in the text"
            end = match.end()
        old = re.compile(r"[^#\n]*").match(text, end)
        assert old
        text = f"{text[:end]} {value}  {text[old.end() :]}"
    return text
