"""Texts that a person has read and approved, in files beside the tests."""

import difflib
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from tests.page import Page

# The most rows of a table that are approved one by one.
MOST_ROWS = 8


def check(text: str, file: Path) -> None:
    """Assert that a text is the one in the file; with APPROVE=1, write the file for review."""
    if os.environ.get("APPROVE"):
        file.write_text(text, encoding="utf-8")
    approved = file.read_text(encoding="utf-8").splitlines()
    assert text.splitlines() == approved, (
        f"if the text is right, run this test with APPROVE=1 and commit {file.name}"
    )


def differences(cases: Mapping[str, Sequence[str]]) -> str:
    """Return the lines of the first case, and for each other case a diff if it shares any."""
    whole = next(iter(cases.values()))
    said: list[str] = []
    for number, (name, lines) in enumerate(cases.items()):
        before = whole if number and set(whole) & set(lines) else ()
        said += [f"# {name}", *(f"- {line}" for line in before if line not in lines)]
        said += [*(f"+ {line}" for line in lines if line not in before), ""]
    return "\n".join(said)


class Lines(Page):
    """Return the text of each section of a page in lines, table cells divided by bars."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag in {"caption", "dd", "dt", "figure", "h2", "h3", "li", "p", "summary", "tr"}:
            self.handle_data("\n")
        elif tag in {"td", "th"}:
            self.handle_data("| ")


def lines(page: str, *sections: str) -> str:
    """Return the text of these sections of a page, named by their ids.

    A long table has its two ends, and a checksum of all its rows.
    """
    text = Lines(page).text
    result = [" ".join(line.split()) for section in sections for line in text[section].splitlines()]
    shown: list[str] = []
    for is_row, group in groupby(filter(None, result), lambda line: line.startswith("|")):
        rows = [*group]
        if is_row and len(rows) > MOST_ROWS:
            digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:8]
            rows[3:-2] = [f"| ... {len(rows) - 5} rows of {digest}"]
        shown += rows
    return "\n".join(shown) + "\n"


def changed(usual: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return what lines have that the usual ones lack, after "+", and what they lack, after "-"."""
    differences = [*difflib.unified_diff(usual, lines, n=0, lineterm="")][2:]
    return [f"{line[0]} {line[1:]}".rstrip() for line in differences if line[0] != "@"]


def check_cases(file: Path, say: Callable[[str], Sequence[str]]) -> None:
    """Compare what is said of each case with the file: a line per case, then lines after ">"."""
    said: list[str] = []
    for case in file.read_text(encoding="utf-8").splitlines():
        if not case.startswith(">"):
            said += [
                case,
                *(f"> {line}" for line in (say(case) if case and case[0] != "#" else [])),
            ]
    check("\n".join(said) + "\n", file)


def check_differences(file: Path, say: Callable[[str], Sequence[str]]) -> None:
    """Compare long answers, as `differences` shows them; a case is a line after "# "."""
    lines = file.read_text(encoding="utf-8").splitlines()
    cases = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    check(differences({case: say(case) for case in cases}), file)


def described(case: str) -> Any:
    """Return the content of a case that is a name and, after a colon, its content in YAML."""
    ((_, content),) = yaml.safe_load(case).items()
    return content
