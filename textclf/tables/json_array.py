"""JSON: one array of objects, numbered from 1."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_value
from textclf.tables.jsonl import DECODER, reason, to_record
from textclf.tables.layout import Layout, NumberedRow
from textclf.tables.lines import decoding_error, read_whole

COPIES = 8  # bytes that a character of the file takes, about: as text, and in objects


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows one by one, after all of the file has been read."""
    purpose = f"{path}: one JSON array, which is read as a whole (JSON Lines is not),"
    text = read_whole(stream, layout)
    resources.require_memory(COPIES * len(text), purpose)
    if error := decoding_error(text, layout):
        raise UserError(f"{path}: {error}")
    keys: dict[str, None] = {}  # of all objects, in order of appearance
    for number, value in enumerate(_parse(text, path, layout.option), start=1):
        yield number, to_record(value, layout, keys, "must be an object of the array")
    if keys:
        layout.require_columns(path, list(keys))


def _parse(text: str, path: Path, option: str) -> list[object]:
    """Return the array in a text; `UserError` if there is something else."""
    rule = "must be a JSON array of objects"
    by_line = f"if each line is an object, set {option}format to jsonl"
    try:
        content = DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}"
        if error.msg == "Extra data":
            raise UserError(f"{place}: {rule}; got more after its end; {by_line}") from error
        line = error.doc.splitlines()[error.lineno - 1 : error.lineno] or [""]
        raise UserError(f"{place}: {rule}; {reason(error)} in {quote_value(line[0].strip())}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} {rule}; {reason(error)}") from error
    if isinstance(content, dict):
        got = f"one object with the keys {list_names(list(content))}" if content else "an empty object"
        raise UserError(f"{path} {rule}; got {got}; pandas writes one by to_json(orient='records'); {by_line}")
    if not isinstance(content, list):
        raise UserError(f"{path} {rule}; got {quote_value(content)}")
    return content
