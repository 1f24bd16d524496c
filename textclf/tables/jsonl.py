"""JSON Lines, an object per numbered line; and JSON, one array of objects, numbered from 1.

A field of a nested object is named by its path, such as `review.text`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.quoting import first_line, list_names, quote_name, quote_value
from textclf.tables.layout import SOURCE, Layout, NumberedRow, Record
from textclf.tables.lines import decoding_error, read_lines, read_whole

COPIES = 8  # bytes that a character of the file takes, about: as text, and in objects


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield each row as soon as its line has been read; a blank line is a row without values."""
    keys: dict[str, None] = {}  # of all lines, in order of appearance
    for number, line in enumerate(read_lines(stream, layout), start=1):
        yield number, _parse_line(line, layout, keys)
    if keys:
        layout.require_columns(path, list(keys))


def _parse_line(line: str, layout: Layout, keys: dict[str, None]) -> Record | ValueError:
    """Return the object on a line, or the rule that it breaks; add its keys to `keys`."""
    rule = "must be a JSON object on a line of its own"
    if error := decoding_error(line, layout):
        return error
    is_array = not keys and line.startswith("[")
    hint = f"; if the file is one array, set {layout.option}format to json" if is_array else ""
    try:
        value = {} if line.isspace() else DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return ValueError(f"{rule}; {reason(error)} in {quote_value(line.strip())}{hint}")
    return to_record(value, layout, keys, rule, hint)


def to_record(
    value: object, layout: Layout, keys: dict[str, None], rule: str, hint: str = ""
) -> Record | ValueError:
    """Return the columns to read of an object, `rule` for other values; add its keys to `keys`."""
    if not isinstance(value, dict):
        return ValueError(f"{rule}; got {quote_value(value)}{hint}")
    value = _flat(value)
    if SOURCE in keys:
        value.setdefault(SOURCE, None)
    elif keys and SOURCE in value and SOURCE in layout.names():
        return ValueError(
            f"{SOURCE} must be a key of the first row too, or of no row; add it there"
        )
    if layout.every_key and value:
        for name in layout.names():
            if name not in value:
                got = list_names(list(value))
                return ValueError(f"must have the key {quote_name(name)}; got {got}")
    if not keys.keys() >= value.keys():
        keys.update(dict.fromkeys(value))
    return {name: value[name] for name in layout.names() if name in value}  # others may be large


def _flat(value: dict[str, object]) -> dict[str, object]:
    """Return an object with the fields of nested ones after its own, named by their path."""
    flat = dict(value)
    nested = [(name, field) for name, field in value.items() if isinstance(field, dict)]
    for path, content in nested:  # which grows
        for name, field in content.items():
            if isinstance(field, dict):
                nested.append((f"{path}.{name}", field))
            else:
                flat.setdefault(f"{path}.{name}", field)
    return flat


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; `ValueError` if it has a key twice: Python would drop the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"duplicate key {quote_value(counts.most_common(1)[0][0])}")
    return content


DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys)


def reason(error: ValueError | RecursionError) -> str:
    """Return in a few words why a text is not JSON."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg.removesuffix(" at").removesuffix(" starting")
    return "too deep" if isinstance(error, RecursionError) else first_line(error).partition(";")[0]


def read_array(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the objects of one array, after all of the file has been read."""
    purpose = f"{path}: one JSON array, which is read as a whole (JSON Lines is not),"
    text = read_whole(stream, layout)
    resources.require_memory(COPIES * len(text), purpose)
    if error := decoding_error(text, layout):
        raise UserError(f"{path}: {error}")
    keys: dict[str, None] = {}  # of all objects, in order of appearance
    for number, value in enumerate(_parse_array(text, path, layout.option), start=1):
        yield number, to_record(value, layout, keys, "must be an object of the array")
    if keys:
        layout.require_columns(path, list(keys))


def _parse_array(text: str, path: Path, option: str) -> list[object]:
    """Return the array in a text; `UserError` if there is something else."""
    rule = "must be a JSON array of objects"
    by_line = f"if each line is an object, set {option}format to jsonl"
    try:
        content = DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}"
        if error.msg == "Extra data":
            raise UserError(f"{where}: {rule}; got more after its end; {by_line}") from error
        line = error.doc.splitlines()[error.lineno - 1 : error.lineno] or [""]
        raise UserError(
            f"{where}: {rule}; {reason(error)} in {quote_value(line[0].strip())}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} {rule}; {reason(error)}") from error
    if isinstance(content, dict):
        names = list_names(list(content))
        got = f"one object with the keys {names}" if content else "an empty object"
        raise UserError(
            f"{path} {rule}; got {got}; pandas writes one by to_json(orient='records'); {by_line}"
        )
    if not isinstance(content, list):
        raise UserError(f"{path} {rule}; got {quote_value(content)}")
    return content
