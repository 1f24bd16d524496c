"""JSON Lines: an object per line, numbered by the line; a blank line is a row without values."""

import json
import json.scanner
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from textclf.core.quoting import first_line, quote_value
from textclf.tables.layout import SOURCE, Block, Layout, NumberedRow, Record, Rows
from textclf.tables.limits import in_blocks
from textclf.tables.lines import collect_blocks, decoding_error, is_unicode, read_lines


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows one by one, each as soon as its line has been read."""
    keys: dict[str, None] = {}  # of all lines, in order of appearance
    for number, line in enumerate(read_lines(stream, path, layout), start=1):
        yield number, _parse_line(line, layout, keys)
    if keys:
        layout.require_columns(path, list(keys))


def read_blocks(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Rows]:
    """Yield the rows many at a time."""
    if SOURCE in layout.names():  # which rows have this key can only be checked one by one
        yield from collect_blocks(read_rows(stream, path, layout), layout)
        return
    keys: dict[str, None] = {}
    number = 1
    for block in in_blocks(read_lines(stream, path, layout), len):
        numbers = range(number, number := number + len(block))
        if (objects := _parse_lines(block)) is None:
            yield [(place, _parse_line(line, layout, keys)) for place, line in zip(numbers, block, strict=True)]
        else:
            keys.update(dict.fromkeys(chain.from_iterable(objects)))
            yield Block(numbers, {name: [value.get(name) for value in objects] for name in layout.names()})
    if keys:
        layout.require_columns(path, list(keys))


def _parse_line(line: str, layout: Layout, keys: dict[str, None]) -> Record | ValueError:
    """Return the object on a line, or the rule that it breaks; add its keys to those of the lines before."""
    rule = "must be a JSON object on a line of its own"
    if error := decoding_error(line, layout):
        return error
    is_array = not keys and line.startswith("[")
    hint = f"; if the file is one array, set {layout.option}format to json" if is_array else ""
    try:
        value = DECODER.decode(line) if line.strip() else {}
    except (ValueError, RecursionError) as error:
        return ValueError(f"{rule}; {reason(error)} in {quote_value(line.strip())}{hint}")
    return to_record(value, layout, keys, rule, hint)


def to_record(value: object, layout: Layout, keys: dict[str, None], rule: str, hint: str = "") -> Record | ValueError:
    """Return a value as a row if it is an object, else `rule`; add its keys to those of the rows before."""
    if not isinstance(value, dict):
        return ValueError(f"{rule}; got {quote_value(value)}{hint}")
    if SOURCE in keys:
        value.setdefault(SOURCE, None)
    elif keys and SOURCE in value and SOURCE in layout.names():
        return ValueError(f"{SOURCE} must be a key of the first row too, or of no row; add it there")
    keys.update(dict.fromkeys(value))
    return value


def _parse_lines(lines: list[str]) -> list[dict[str, object]] | None:
    """Return the object on each line; None if a line has to be checked by `_parse_line`."""
    if not is_unicode("".join(lines)):
        return None
    objects = []
    try:
        for line in lines:
            value, end = _SCAN(line, 0)
            # As many colons as keys: the object contains no other one and no key twice.
            if type(value) is not dict or line.count(":") != len(value):
                value = DECODER.decode(line)
                if type(value) is not dict:
                    return None
            elif line[end:] not in {"\n", "\r\n", ""}:
                return None
            objects.append(value)
    except (ValueError, RecursionError, StopIteration):
        return None
    return objects


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; `ValueError` if it has a key twice, of which Python would drop the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"duplicate key {quote_value(counts.most_common(1)[0][0])}")
    return content


DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys)
_SCAN = json.scanner.make_scanner(json.JSONDecoder())  # type: ignore[arg-type] # without a hook all of it is in C


def reason(error: ValueError | RecursionError) -> str:
    """Return in a few words why a text is not JSON."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg.removesuffix(" at").removesuffix(" starting")
    return "too deep" if isinstance(error, RecursionError) else first_line(error).partition(";")[0]
