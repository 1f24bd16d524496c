"""The walk-throughs in docs/, run as a reader would: what they say a command prints is what it prints."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.verify import ROOT, Copy, VerifyError

BLOCK = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
ANYTHING = "..."  # a line that stands for any number of lines


class Step(NamedTuple):
    """A file to write, or a command to run and the lines that it should print."""

    file: str
    command: str
    text: str


def steps(document: Path) -> Iterator[Step]:
    """What a reader of the document does, in order."""
    for block in BLOCK.finditer(document.read_text(encoding="utf-8")):
        if block["file"]:
            yield Step(block["file"], "", block["text"])
        elif block["kind"] == "console":
            for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                yield Step("", command, printed)


def follow(copy: Copy, step: Step) -> str:
    """What the command printed, stderr included, whether it succeeded or not."""
    try:
        return copy.run("sh", "-c", step.command)
    except VerifyError as error:
        return error.__notes__[0].partition("\n")[2]


def pattern(text: str) -> re.Pattern[str]:
    """What matches an output of these lines, spaces at their ends aside."""
    lines = [r"(?:.*\n)*?" if line == ANYTHING else re.escape(line.rstrip()) + r" *\n" for line in text.splitlines()]
    return re.compile("".join(lines))


@pytest.mark.parametrize("document", ["docs/own-data.md"])
def test_the_commands_of_a_document_print_what_it_says(document: str, workshop: Callable[[], Copy]) -> None:
    copy = workshop()
    done = 0
    for step in steps(ROOT / document):
        if step.file:
            (copy.folder / step.file).write_text(step.text, encoding="utf-8", newline="\n")
            continue
        printed = follow(copy, step)
        assert pattern(step.text).fullmatch(printed), f"$ {step.command}\n{printed}"
        done += 1
    assert done > 0
