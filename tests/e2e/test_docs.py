"""The commands in README and docs print what the documents say.

They are run in a clone and in two projects of `textclf init`: that of the lesson prints the same,
that of a table at least no error where the page shows none.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests import verify
from tests.verify import ROOT, Copy

pytestmark = pytest.mark.posix

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(
    (
        r"^(?:<!-- (?:file: (?P<file>\S+)|(?P<empty>in an empty folder)) "
        r"-->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$"
    ),
    re.MULTILINE | re.DOTALL,
)
ANYTHING = "..."  # a line that stands for any number of lines
COMMIT, VERSION = "[0-9a-f]{7}", "[0-9a-f]{12}"
COMMANDS = yaml.safe_load(Path(__file__).with_name("not_run.yaml").read_text(encoding="utf-8"))
NOT_RUN = COMMANDS["not run"]
CLONE = "clone"
PROJECTS = LESSON, TABLE = (
    "--lesson",
    "--data sentences.csv --preset fast",
)  # arguments of `textclf init`
FAILURE = re.compile(r"^(error: |ERROR: |Traceback )|command not found", re.MULTILINE)
NOT_IN = dict.fromkeys(COMMANDS["not in projects"], PROJECTS) | dict.fromkeys(
    COMMANDS["not in a table"], (TABLE,)
)


class Step(NamedTuple):
    """A file to write, or a command to run and the lines that it should print."""

    file: str
    command: str
    text: str
    empty: bool = False  # to be run in a folder of its own, by the installed wheel


def sections(document: Path) -> Iterator[tuple[str, list[Step]]]:
    """Yield the title of each section of a document, and what a reader does there in order."""
    for section in re.split(r"^## ", document.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title, _, _ = section.partition("\n")
        steps = list(read_steps(section))
        if any(step.command for step in steps):
            yield title.removeprefix("# "), steps


def read_steps(text: str) -> Iterator[Step]:
    for block in BLOCK.finditer(text):
        if block["file"]:
            yield Step(block["file"], "", block["text"])
        elif block["kind"] == "console":
            for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                while command.endswith("\\"):  # it goes on in the next line
                    more, _, printed = printed.partition("\n")
                    command = f"{command}\n{more}"
                yield Step("", command, printed, bool(block["empty"]))


def is_run(step: Step) -> bool:
    return not step.command.startswith(tuple(NOT_RUN))


SECTIONS = {
    f"{document}: {title}": steps
    for document in DOCUMENTS
    for title, steps in sections(ROOT / document)
    if any(step.command and is_run(step) for step in steps)
}
FILES = {
    step.file: step.text
    for name in DOCUMENTS
    for step in read_steps((ROOT / name).read_text(encoding="utf-8"))
    if step.file
}


def is_costly(section: str, place: str) -> bool:
    """Return whether a section outside the README runs stages, or needs a project's run."""
    commands = " ".join(step.command for step in SECTIONS[section])
    runs = not section.startswith("README.md") and re.search(
        r"dvc (repro|exp run|queue)|make ", commands
    )
    return place != CLONE or runs is not None


def without_outputs(copy: Copy) -> Copy:
    """Remove what Git does not track and return the copy with the corpus named instead."""
    corpus = verify.corpus_folder(copy).rename(copy.folder.parent / "corpus")
    copy.run("git", "clean", "-xd", "--force", "--quiet")
    return dataclasses.replace(copy, variables={**copy.variables, "TEXTCLF_CORPUS": str(corpus)})


def follow(copy: Copy, step: Step) -> tuple[str, bool]:
    """Return what the command printed, stderr included, and whether it succeeded."""
    if step.command.startswith("make repro"):  # a page shows its first run
        copy = without_outputs(copy)
    # The copy has no environment of its own to bring up to date.
    command = re.sub(
        r"^make ", "make --no-print-directory -o .venv/run -o .venv/dev ", step.command
    )
    return copy.run_anyway("sh", "-c", command)


def pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of output lines that allows other widths, hashes and versions.

    The widths depend on the lines that a page leaves out.
    """
    lines = [
        r"(?:.*\n)*?" if line == ANYTHING else " *" + " +".join(map(_word, line.split())) + " *\n"
        for line in text.splitlines()
    ]
    return re.compile("".join(lines))


def _word(word: str) -> str:
    return (
        COMMIT
        if re.fullmatch(COMMIT, word)
        else re.sub(f'"{VERSION}"', f'"{VERSION}"', re.escape(word))
    )


def is_run_in(step: Step, place: str) -> bool:
    """Return whether a step makes sense in the clone, or in a project."""
    if step.command.startswith("make test"):
        return False  # it runs this test
    if step.empty or place == CLONE:
        return place == CLONE
    return not any(
        step.command.startswith(start) and place in places for start, places in NOT_IN.items()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "place"),
    [
        pytest.param(section, place, marks=pytest.mark.nightly if is_costly(section, place) else ())
        for section, steps in SECTIONS.items()
        for place in (CLONE, *PROJECTS)
        if any(step.command and is_run(step) and is_run_in(step, place) for step in steps)
    ],
)
def test_the_commands_of_a_section_print_what_it_says(
    section: str, place: str, request: pytest.FixtureRequest
) -> None:
    copy: Copy | None = None
    for step in SECTIONS[section]:
        if not step.command or not is_run(step) or not is_run_in(step, place):
            continue
        if copy is None:
            kind = "empty_folder" if step.empty else "workshop" if place == CLONE else "project_of"
            copy = request.getfixturevalue(kind)(*([place] if kind == "project_of" else []))
            assert isinstance(copy, Copy)
            for name, text in FILES.items():  # a page may name the file that another shows
                (copy.folder / name).write_text(text, encoding="utf-8", newline="\n")
        printed, succeeded = follow(copy, step)
        if (
            place == TABLE
        ):  # it has other models and numbers; exit code 1 may say what a command found
            as_shown = (FAILURE.search(printed) is None) == (FAILURE.search(step.text) is None)
        else:
            as_shown = (
                pattern(step.text).fullmatch(printed.rstrip() + "\n") is not None
                if step.text
                else succeeded
            )
        assert as_shown, f"$ {step.command}\n{printed}"


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    commands = [
        step.command
        for name in DOCUMENTS
        for _, steps in sections(ROOT / name)
        for step in steps
        if step.command
    ]
    starts = [*NOT_RUN, *NOT_IN]
    assert [
        start for start in starts if not any(command.startswith(start) for command in commands)
    ] == []
