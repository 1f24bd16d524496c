"""The options -S of the commands in README and docs suit params.yaml of this repository and of new projects."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from textclf.core.settings import load_yaml
from textclf.project.init.command import SETTINGS

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTION = re.compile(r"-S\s+(?:'([^']+)'|([^\s`']+=[^\s`']*|~[^\s`']+))")
EXAMPLE = re.compile(r"\W*(KEY|key)=")  # of no setting
OF_LESSON = ("fetch.corpus", "train.", "vectorize.")  # a table has models of its own, and no corpus


def options() -> dict[str, list[str]]:
    """Return the pages of each option -S."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for quoted, plain in OPTION.findall(page.read_text(encoding="utf-8")):
            if not EXAMPLE.match(quoted or plain):
                found.setdefault(quoted or plain, []).append(page.name)
    return found


def has(path: Path, key: str) -> bool:
    content: Any = load_yaml(path)
    for name in key.split("."):
        if not isinstance(content, dict) or name not in content:
            return False
        content = content[name]
    return True


@pytest.mark.lesson
def test_an_option_sets_what_every_file_of_settings_has_or_adds_it_with_two_plus_signs() -> None:
    wrong = []
    for option, pages in options().items():
        mark, key = re.match(r"([+~]*)([^=]+)", option).groups()  # type: ignore[union-attr]
        if mark == "++":  # sets it, whether the file has it or not
            continue
        ours = key.startswith("train.embedding") or has(ROOT / "params.yaml", key)  # that of docs/course.md
        theirs = key.startswith(OF_LESSON) or has(SETTINGS, key)
        if mark == "+" or not ours or not theirs:
            wrong.append((option, pages))
    assert wrong == []
