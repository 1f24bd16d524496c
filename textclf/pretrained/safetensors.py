"""Reader of safetensors, the format of published weights: a JSON header and little-endian arrays.

The format: https://huggingface.co/docs/safetensors. Nothing in such a file is executed.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError

LONGEST_HEADER = 100_000_000  # bytes, the format's own limit
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by their names; `UserError` if it is incomplete or has types that numpy lacks."""
    try:
        return parse(path.read_bytes())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} must be a complete safetensors file; got {error}; download it again") from error


def parse(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays in the bytes of a file; `ValueError` or the like if they are none."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(len(data) - 8, LONGEST_HEADER):
        raise ValueError(f"{len(data):,} bytes with a header of {length:,}")
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    return {name: _array(entry, body) for name, entry in header.items() if name != "__metadata__"}


def _array(entry: dict[str, Any], body: memoryview) -> NDArray[Any]:
    """Return one array; `ValueError`, `LookupError` or `TypeError` if its entry does not fit the bytes."""
    dtype, shape, (start, end) = np.dtype(TYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
    if any(type(number) is not int or number < 0 for number in (*shape, start, end)):
        raise ValueError("a size that is no natural number")
    if not start <= end <= len(body) or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(body):,} bytes of arrays, which lack those from {start:,} to {end:,}")
    return np.frombuffer(body[start:end], dtype=dtype).reshape(shape)
