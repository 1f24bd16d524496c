"""Parquet and Arrow: the columns that are named, rows numbered from 1; datasets of Hugging Face name their classes."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from textclf.core import parquet
from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_name
from textclf.tables.binary import damaged, seekable, stored
from textclf.tables.layout import BLOCK_ROWS, Block, Layout
from textclf.tables.values import ONE_LABEL

if TYPE_CHECKING:
    import pyarrow as pa

END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # the last bytes of a whole Arrow stream
FEATURES = b"huggingface"  # key of a schema's metadata, in which datasets keeps the types of columns


def read_parquet(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    """Yield the rows of a Parquet file many at a time."""
    with _reading(path, "Parquet"), seekable(stream, path) as opened:
        file = parquet.open_file(opened)
        yield from _read_columns(file.schema_arrow, partial(file.iter_batches, BLOCK_ROWS), path, layout)


def read_arrow(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    """Yield the rows of an Arrow file many at a time: a stream, as datasets saves it, or a file, as Feather."""
    import pyarrow as pa

    with _reading(path, "Arrow"), stored(stream, path) as file, file.open("rb") as bytes_of_file:
        is_file = bytes_of_file.read(6) == b"ARROW1"
        bytes_of_file.seek(max(file.stat().st_size - len(END_OF_STREAM), 0))
        if not is_file and bytes_of_file.read() != END_OF_STREAM:
            raise pa.ArrowInvalid("its end is missing")
        opened = pa.memory_map(str(file))  # a damaged length ends at the end of the file, and needs no memory
        reader = pa.ipc.open_file(opened) if is_file else pa.ipc.open_stream(opened)
        yield from _read_columns(reader.schema, partial(_arrow_batches, reader, is_file), path, layout)


def _arrow_batches(reader: Any, is_file: bool, columns: Sequence[str]) -> Iterator["pa.RecordBatch"]:
    """Yield the named columns of an Arrow reader, at most `BLOCK_ROWS` rows at a time."""
    batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
    for batch in batches:
        selected = batch.select(columns)
        selected.validate(full=True)  # a damaged offset would let Arrow read memory of others
        for start in range(0, selected.num_rows, BLOCK_ROWS):
            yield selected.slice(start, BLOCK_ROWS)


def _read_columns(
    schema: "pa.Schema", batches: Callable[..., Iterable["pa.RecordBatch"]], path: Path, layout: Layout
) -> Iterator[Block]:
    """Yield the named columns of each batch that `batches(columns=names)` gives."""
    layout.require_columns(path, schema.names)
    names = [name for name in layout.names() if name in schema.names]
    for name in names:
        _require_type(path, name, schema.field(name).type, layout)
    classes = class_names((schema.metadata or {}).get(FEATURES))
    number = 1
    for batch in batches(columns=names):
        columns = {name: batch.column(name).to_pylist() for name in names}
        for name in classes.keys() & columns.keys():
            columns[name] = [_class_name(value, classes[name]) for value in columns[name]]
        yield Block(range(number, number := number + batch.num_rows), columns)


def class_names(metadata: bytes | None) -> dict[str, list[str]]:
    """Return the names of the classes of each column of type ClassLabel, from the metadata that datasets writes."""
    try:
        features = json.loads(metadata or b"{}")["info"]["features"]
        labels = {name: kind for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
        return {name: [str(label) for label in kind["names"]] for name, kind in labels.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # metadata of something else


def _class_name(value: Any, names: Sequence[str]) -> Any:
    """Return the name of a class from its position; None for -1, with which datasets marks a row without label."""
    if type(value) is not int or value >= len(names):
        return value
    return names[value] if value >= 0 else None


@contextlib.contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Raise `UserError` for the errors that pyarrow raises for a damaged file."""
    import pyarrow as pa

    try:
        yield
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must contain text in UTF-8; got byte 0x{error.object[error.start]:02x}") from error
    except (pa.ArrowException, parquet.ChecksumError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path, kind, error) from error


def _require_type(path: Path, name: str, kind: "pa.DataType", layout: Layout) -> None:
    """Raise `UserError` unless a column holds text, or, if it is not that of the texts, integers or booleans."""
    import pyarrow.types as types

    text = name == layout.columns.get("text")
    value = kind.value_type if types.is_dictionary(kind) else kind
    is_text = any(test(value) for test in (types.is_string, types.is_large_string, types.is_string_view, types.is_null))
    if not is_text and (text or not (types.is_integer(value) or types.is_boolean(value))):
        rule = "text" if text else "text, integers or booleans"
        is_list = any(test(value) for test in (types.is_list, types.is_large_list, types.is_fixed_size_list))
        advice = f"; {ONE_LABEL}" if is_list and name == layout.columns.get("label") else ""
        raise UserError(f"{path}: column {quote_name(name)} must hold {rule}; got {first_line(kind)}{advice}")
