"""params.yaml with other values, for tests of what reads it."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")


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
