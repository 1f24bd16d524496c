"""Commands as dataclasses, whose annotated fields are the arguments of the command line.

The type of a field says how its argument is read: a bool is a flag, a list is repeated, a Literal
has choices, a dataclass stands for its own fields. A field without a default is required.
"""

import argparse
from collections.abc import Collection
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import cleandoc
from pathlib import Path
from textwrap import fill
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

# Columns of the descriptions in help, which argparse does not wrap because of their examples.
WIDTH = 120
# Values that argparse does not take as they are.
CONVERTED = (int, float, Path)


class Argument(NamedTuple):
    """What help says of an argument, and what the type of its field can't say."""

    help: str | None = None
    metavar: str | None = None
    positional: bool = False
    choices: Collection[str] | None = None


class Group(NamedTuple):
    """The heading in help under which the argument of a field stands, or those of a dataclass."""

    title: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of `textclf` by its name; each field with an `Argument` is an argument."""

    # What help says first: prose, and examples, which are indented.
    description: ClassVar[str] = ""
    # The module whose `run` takes the command; it is imported when the command runs.
    module: ClassVar[str]
    name: str


def describe(command: type[Command]) -> str:
    """Return the description of a command with the line ends of its help."""
    paragraphs = cleandoc(command.description).split("\n\n")
    return "\n\n".join(text if text.startswith(" ") else fill(text, WIDTH) for text in paragraphs)


def add_arguments(container: argparse._ActionsContainer, owner: Any) -> None:
    """Add the arguments of a dataclass to a parser or to a group, in the order of its fields."""
    groups: dict[Group, argparse._ActionsContainer] = {}
    hints = get_type_hints(owner, include_extras=True)
    for field in fields(owner):
        kind, *notes = get_args(hints[field.name]) or (None,)
        target = container
        for note in notes:
            if isinstance(note, Group):
                if note not in groups:
                    groups[note] = container.add_argument_group(note.title)
                target = groups[note]
        if is_dataclass(kind):
            add_arguments(target, kind)
        for note in notes:
            if isinstance(note, Argument):
                target.add_argument(*_names(field, note), **_options(field, kind, note))


def _names(field: Field[Any], note: Argument) -> list[str]:
    return [field.name if note.positional else f"--{field.name.replace('_', '-')}"]


def _options(field: Field[Any], kind: Any, note: Argument) -> dict[str, Any]:
    """Return what `add_argument` takes for a field, besides its name."""
    required = field.default is MISSING and field.default_factory is MISSING
    options: dict[str, Any] = {"help": note.help}
    if field.default is not MISSING:
        options["default"] = field.default
    if kind is bool:
        return options | {"action": "store_true"}
    if get_origin(kind) in (Union, UnionType):
        kind, _ = get_args(kind)
    is_list = get_origin(kind) is list
    if is_list:
        (kind,) = get_args(kind)
    options["metavar"] = note.metavar
    options["choices"] = get_args(kind) if get_origin(kind) is Literal else note.choices
    options["type"] = kind if kind in CONVERTED else None
    if not note.positional:
        options["required"] = required
        return options | {"action": "append"} if is_list else options
    if is_list:
        return options | {"nargs": "+" if required else "*"}
    return options if required else options | {"nargs": "?"}


def from_parsed(owner: Any, parsed: argparse.Namespace) -> Any:
    """Return a dataclass with the values that its arguments were given."""
    kinds = get_type_hints(owner)
    values = {
        field.name: from_parsed(kinds[field.name], parsed)
        if is_dataclass(kinds[field.name])
        else getattr(parsed, field.name)
        for field in fields(owner)
    }
    return owner(**values)
