"""Parquet and Arrow: the named columns, rows numbered from 1; Hugging Face's class names."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from textclf.core.errors import UserError
from textclf.core.files import COLUMN, whole_file
from textclf.core.quoting import first_line, quote_name
from textclf.tables import limits
from textclf.tables.compression import stored
from textclf.tables.layout import Batch, Layout

END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # the last bytes of a whole Arrow stream
LISTS = types.is_list, types.is_large_list, types.is_fixed_size_list
TEXTS = types.is_string, types.is_large_string, types.is_string_view, types.is_null
# Key of a schema's metadata in which Hugging Face's datasets keeps the types of columns.
FEATURES = b"huggingface"


def read_parquet(
    stream: IO[bytes], path: Path, layout: Layout, most: int, groups: range | None = None
) -> Iterator[Batch]:
    """Yield the rows of a Parquet file, or of some row groups, in batches of at most `most`."""
    opened = partial(pq.ParquetFile, page_checksum_verification=True)
    with whole_file(path, "Parquet"), stored(stream, path) as copy, opened(copy) as file:
        batches = partial(_parquet_batches, file, most, groups or range(file.num_row_groups))
        yield from _read_columns(file.schema_arrow, batches, path, layout)


def read_arrow(stream: IO[bytes], path: Path, layout: Layout, most: int) -> Iterator[Batch]:
    """Yield the rows of an Arrow file in batches of at most `most`.

    Its format is that of a stream, in which datasets saves rows, or that of a file.
    """
    with whole_file(path, "Arrow"), stored(stream, path) as file, file.open("rb") as bytes_of_file:
        is_file = bytes_of_file.read(6) == b"ARROW1"
        bytes_of_file.seek(max(file.stat().st_size - len(END_OF_STREAM), 0))
        if not is_file and bytes_of_file.read() != END_OF_STREAM:
            raise pa.ArrowInvalid("its end is missing")
        # In a memory map a damaged length ends at the end of the file, and needs no memory.
        opened = pa.memory_map(str(file))
        reader = pa.ipc.open_file(opened) if is_file else pa.ipc.open_stream(opened)
        batches = partial(_arrow_batches, reader, is_file, most)
        yield from _read_columns(reader.schema, batches, path, layout)


def _parquet_batches(
    file: Any, most: int, groups: range, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the named columns of row groups of a Parquet file, at most `most` rows at a time."""
    for number in groups:
        yield from file.iter_batches(most, [number], list(columns), use_threads=False)


def _arrow_batches(
    reader: Any, is_file: bool, most: int, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the named columns of an Arrow reader, at most `most` rows at a time."""
    batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else iter(reader)
    for batch in batches:
        selected = batch.select(columns)
        selected.validate(full=True)  # a damaged offset would let Arrow read memory of others
        for start in range(0, selected.num_rows, most):
            yield selected.slice(start, most)


def _read_columns(
    schema: pa.Schema, batches: Callable[..., Iterable[pa.RecordBatch]], path: Path, layout: Layout
) -> Iterator[Batch]:
    """Yield the named columns of each batch that `batches(columns=names)` gives."""
    layout.require_columns(path, schema.names)
    names = [name for name in layout.names() if name in schema.names]
    for name in names:
        _require_type(path, name, schema.field(name).type, layout)
    classes = class_names((schema.metadata or {}).get(FEATURES))
    number = 1
    for batch in batches(columns=names):
        step = max(1, batch.num_rows * limits.BLOCK_BYTES // max(batch.nbytes, 1))
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            columns = {name: _values(part.column(name), classes.get(name)) for name in names}
            yield Batch(range(number, number + part.num_rows), columns)
            number += part.num_rows


def _values(column: pa.Array, classes: Sequence[str] | None) -> pa.StringArray | list[object]:
    """Return a column as texts, or as a list if a value is missing or not UTF-8.

    With `classes` values are positions of these, and the list has their names.
    """
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_floating(column.type):
        # NaN is a missing number, as null is; as text it would be the category `nan`.
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if not column.null_count and classes is None:
        try:
            texts = column.cast(pa.string())
            texts.validate(full=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # the latter for lists
            pass  # the list says which value it is
        else:
            return texts
    values: list[object] = column.to_pylist()
    return values if classes is None else [_class_name(value, classes) for value in values]


def class_names(metadata: bytes | None) -> dict[str, list[str]]:
    """Return the class names of each column of ClassLabels or lists of them.

    `metadata` is what Hugging Face's datasets writes into a schema.
    """
    names = {}
    try:
        for name, feature in json.loads(metadata or b"{}")["info"]["features"].items():
            kind = feature.get("feature", feature)
            if kind.get("_type") == "ClassLabel":
                names[name] = [str(label) for label in kind["names"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # metadata of something else
    return names


def _class_name(value: Any, names: Sequence[str]) -> Any:
    """Return the name of a class from its position; None for -1, which marks a missing label."""
    if isinstance(value, list):
        return [_class_name(position, names) for position in value]
    if type(value) is not int or value >= len(names):
        return value
    return names[value] if value >= 0 else None


def _require_type(path: Path, name: str, kind: pa.DataType, layout: Layout) -> None:
    """Raise `UserError` unless a column holds values of a type that its purpose allows.

    A column of texts holds text; any other may also hold integers or booleans, one of times or of
    data.columns also dates, date-times and decimals, and one of labels also lists.
    """
    text = name in layout.columns_of("text")
    value = kind.value_type if types.is_dictionary(kind) else kind
    is_text = any(test(value) for test in TEXTS)
    measures = *layout.columns_of("time"), *layout.columns_of(COLUMN + name)
    is_measure = types.is_temporal(value) or types.is_floating(value) or types.is_decimal(value)
    if name in measures and is_measure:
        return
    if name in layout.columns_of("label") and any(test(value) for test in LISTS):
        return
    if not is_text and (text or not (types.is_integer(value) or types.is_boolean(value))):
        rule = "text" if text else "text, integers or booleans"
        raise UserError(
            f"{path}: column {quote_name(name)} must hold {rule}; got {first_line(kind)}"
        )
