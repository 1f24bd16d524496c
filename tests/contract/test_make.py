"""The targets of the Makefile: few, and those that docs and errors name."""

import re

from tests.processes import ROOT, git, run

MOST = 11
NAMED = re.compile(
    r"(?:`|^\$ |\brun |: )make ((?:\.venv/)?[a-z]+(?: [a-z]+(?=`| *#))*)", re.MULTILINE
)
WITHOUT = "CHANGELOG.md"  # which says what once was


def targets() -> set[str]:
    """Return all targets, those that files are made by too."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {
        name
        for line in re.findall(r"^([\w./ -]+):(?!=)", text, re.MULTILINE)
        for name in line.split()
    }


def test_make_lists_few_commands() -> None:
    listed = [
        line.split()[0]
        for line in run("make", "--no-print-directory", folder=ROOT).out.splitlines()
    ]
    assert {"repro", "test", "check"} <= set(listed) <= targets()
    assert len(listed) <= MOST


def test_every_target_that_a_text_names_exists() -> None:
    listed = git("ls-files", "-z", folder=ROOT)
    files = [
        ROOT / name
        for name in listed.split("\0")
        if name.endswith((".md", ".py", ".yaml", ".yml", ".toml", ".sh"))
    ]
    result = {
        (file.name, name)
        for file in files
        if file.name != WITHOUT and file.is_file()
        for names in NAMED.findall(file.read_text(encoding="utf-8"))
        for name in names.split()
    }
    assert {
        ("README.md", "repro"),
        ("extras.py", ".venv/run"),
        ("CONTRIBUTING.md", "check"),
    } <= result
    assert {(file, name) for file, name in result if name not in targets()} == set()
