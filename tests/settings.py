"""params.yaml with other values, for the tests of what reads it."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")


def put(*settings: str, text: str = TEXT) -> str:
    """The text with other values: a dotted key, the value behind it as YAML, another key, and so on."""
    for key, value in zip(settings[::2], settings[1::2], strict=True):
        end = 0
        for depth, name in enumerate(key.split(".")):
            found = re.compile(rf"^{'  ' * depth}{re.escape(name)}:", re.MULTILINE).search(text, end)
            assert found, f"{key} is not in the text"
            end = found.end()
        old = re.compile(r"[^#\n]*").match(text, end)
        assert old
        text = f"{text[:end]} {value}  {text[old.end() :]}"
    return text
