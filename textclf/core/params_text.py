"""params.yaml as a text that people read: values set in place, a comment beside every key."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE, parse_yaml

WIDTH = 120  # characters of a line
COLUMN = 27  # where comments begin
KEY_LINE = re.compile(
    r"""(?P<head>(?P<indent>\ *)(?P<key>\w+):(?:"(?:\\.|[^"\\])*"|'[^']*'|(?<!\s)\#|[^#])*)""",
    re.VERBOSE,
)
# A section: comment lines above its key, and lines up to the comment or key of the next one.
BLOCK = re.compile(r"^(?:#.*\n)*(\w+):.*\n(?:(?!\w+:|#).*\n)*", re.MULTILINE)


def with_comments(text: str, comments: Mapping[str, str]) -> str:
    """Return the text with the comment of each dotted key that has one in `comments`.

    Values and order stay. A comment that is too long for the key's line stands above it, in place
    of any comment that stood there. Raises `UserError` if a value would become part of a comment.
    """
    lines: list[str] = []
    for line, key, match in _keyed_lines(text):
        comment = comments.get(key)
        if match is None or comment is None:
            lines.append(line)
            continue
        while lines and lines[-1].startswith(f"{match['indent']}#"):
            lines.pop()
        head = match["head"].rstrip()
        commented = f"{head:<{COLUMN - 1}} # {comment}"
        lines += [commented] if len(commented) <= WIDTH else [f"{match['indent']}# {comment}", head]
    written = "\n".join(lines) + "\n"
    if parse_yaml(written, str(PARAMS_FILE)) != parse_yaml(text, str(PARAMS_FILE)):
        raise UserError(
            f"{PARAMS_FILE}: a value can't be told from its comment; write the value on one line"
        )
    return written


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """Return the text with the value of each dotted key set.

    Other values, the order and the comments stay. A key or section that is missing is added at the
    end of its section. `with_comments` then aligns the comments.
    """
    yaml = _round_trip()
    content = yaml.load(text)
    for key, value in values.items():
        *sections, last = key.split(".")
        parent = content
        for section in sections:
            parent = parent.setdefault(section, {})
        parent[last] = _in_one_line(value)
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def with_sections(text: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text with whole sections replaced, and without those that get an empty mapping.

    Other sections stay. A section that is missing follows the one before it in `sections`, or ends
    the text.
    """
    blocks = {match[1]: match[0] for match in BLOCK.finditer(text)}
    order, before = list(blocks), ""
    for name, content in sections.items():
        if not content:
            blocks[name] = ""
            continue
        written = io.StringIO()
        _round_trip().dump({name: _in_blocks(content)}, written)
        blocks[name] = f"{written.getvalue()}\n"
        if name not in order:
            order.insert(order.index(before) + 1 if before in order else len(order), name)
        before = name
    start = next(BLOCK.finditer(text)).start()
    top = text[:start].rstrip("\n")
    body = "".join(blocks[name] for name in order).rstrip("\n")
    return f"{top}\n\n{body}\n"


def _in_blocks(value: Any) -> Any:
    """Return a value whose mappings ruamel.yaml writes as blocks of lines, and lists as [a, b]."""
    if isinstance(value, dict) and value:
        return {name: _in_blocks(part) for name, part in value.items()}
    return _in_one_line(value)


def _round_trip() -> Any:
    """Return a reader and writer of YAML that keeps comments, quotes, null and one-line values."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**31
    yaml.representer.add_representer(
        type(None),
        lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null"),
    )
    return yaml


def _in_one_line(value: Any) -> Any:
    """Return a value whose lists and mappings ruamel.yaml writes as [a, b] and {a: b}."""
    match value:
        case dict():
            mapping = CommentedMap({name: _in_one_line(part) for name, part in value.items()})
            mapping.fa.set_flow_style()
            return mapping
        case list() | tuple():
            sequence = CommentedSeq([_in_one_line(part) for part in value])
            sequence.fa.set_flow_style()
            return sequence
        case _:
            return value


def _keyed_lines(text: str) -> Iterator[tuple[str, str, re.Match[str] | None]]:
    """Yield each line with the dotted key whose value begins on it and the match of `KEY_LINE`.

    They are "" and None for other lines.
    """
    path: list[str] = []
    for line in text.splitlines():
        match = KEY_LINE.match(line)
        if match is not None:
            path[len(match["indent"]) // 2 :] = [match["key"]]
        yield line, ".".join(path) if match else "", match
