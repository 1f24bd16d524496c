"""Commands as dataclasses: their fields as arguments, and what is parsed as a dataclass."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from textclf.core.command import Argument, Command, Group, add_arguments, describe, from_parsed

LIMITS = Group("limits")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Arguments that several commands share."""

    host: Annotated[str, Argument("where to listen")] = "here"
    port: Annotated[int, Argument("which port", "N")] = 0


@dataclass(frozen=True, kw_only=True)
class Send(Command):
    """A command with an argument of each kind."""

    description = """
    Send files to a place, one after the other, and say of each whether it has arrived there, or
    why it has not.

      send a.txt b.txt
    """
    module = "nowhere"
    files: Annotated[list[Path], Argument("to send", "FILE", positional=True)]
    to: Annotated[str, Argument("who gets them")]
    tags: Annotated[list[str] | None, Argument("again for another")] = None
    way: Annotated[Literal["slow", "fast"] | None, Argument("how")] = None
    dry_run: Annotated[bool, Argument("send nothing")] = False
    most: Annotated[float, Argument("seconds"), LIMITS] = 2.5
    place: Annotated[Place, Group("place")]


@dataclass(frozen=True, kw_only=True)
class Show(Command):
    """A command whose only argument may be left out."""

    module = "nowhere"
    what: Annotated[str | None, Argument("what", positional=True)] = None


def parse(kind: type[Command], *words: str) -> Command:
    parser = ArgumentParser()
    add_arguments(parser, kind)
    parser.set_defaults(name="send")
    command: Command = from_parsed(kind, parser.parse_args(words))
    return command


def test_each_field_is_an_argument_of_its_type() -> None:
    words = "a b --to ann --tags x --tags y --way fast --dry-run --most 3 --host there --port 8"
    assert parse(Send, *words.split()) == Send(
        name="send",
        files=[Path("a"), Path("b")],
        to="ann",
        tags=["x", "y"],
        way="fast",
        dry_run=True,
        most=3.0,
        place=Place(host="there", port=8),
    )


def test_what_is_not_given_is_the_default() -> None:
    assert parse(Send, "a", "--to", "ann") == Send(
        name="send", files=[Path("a")], to="ann", place=Place()
    )
    assert parse(Show) == Show(name="send")
    assert parse(Show, "it") == Show(name="send", what="it")


@pytest.mark.parametrize(
    "words",
    ["--to ann", "a", "a --to ann --way other", "a --to ann --port x", "a --to ann --no"],
)
def test_what_is_missing_or_wrong_ends_with_2(words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        parse(Send, *words.split())
    assert stop.value.code == 2


def test_arguments_stand_under_the_heading_of_their_group() -> None:
    parser = ArgumentParser(add_help=False)
    add_arguments(parser, Send)
    groups = {
        str(group.title): [action.dest for action in group._group_actions]
        for group in parser._action_groups
        if group._group_actions
    }
    assert groups == {
        "positional arguments": ["files"],
        "options": ["to", "tags", "way", "dry_run"],
        "limits": ["most"],
        "place": ["host", "port"],
    }


def test_a_description_is_filled_but_for_its_examples() -> None:
    assert describe(Send) == (
        "Send files to a place, one after the other, and say of each whether it has arrived there, "
        "or why it has not.\n\n  send a.txt b.txt"
    )
