"""Parquet: the columns that are named, rows numbered from 1."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_name
from textclf.tables.compression import is_compressed
from textclf.tables.layout import BLOCK_ROWS, Block, Layout, NumberedRow
from textclf.tables.values import ONE_LABEL

if TYPE_CHECKING:
    import pyarrow as pa


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the rows one by one."""
    return chain.from_iterable(block.rows() for block in read_blocks(stream, path, layout))


def read_blocks(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    """Yield the rows many at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with contextlib.ExitStack() as stack:
            if is_compressed(path) or not stream.seekable():
                stream = stack.enter_context(_copied_to_disk(stream))
            file = pq.ParquetFile(stream)
            schema: pa.Schema = file.schema_arrow
            layout.require_columns(path, schema.names)
            names = [name for name in layout.names() if name in schema.names]
            for name in names:
                _require_type(path, name, schema.field(name).type, layout)
            number = 1
            for batch in file.iter_batches(BLOCK_ROWS, columns=names):
                columns = {name: batch.column(name).to_pylist() for name in names}
                yield Block(range(number, number := number + batch.num_rows), columns)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must contain text in UTF-8; got byte 0x{error.object[error.start]:02x}") from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{path} must be a whole Parquet file; {first_line(error)}; copy it again") from error


@contextlib.contextmanager
def _copied_to_disk(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a temporary copy of a stream that can't be read from its end, where Parquet's footer is."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        yield copy


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
