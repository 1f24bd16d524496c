"""Reader of safetensors: a JSON header and little-endian arrays (https://huggingface.co/docs/safetensors)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.files import whole_file

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by their names; `UserError` if it is incomplete or has types that numpy lacks."""
    with whole_file(path, "safetensors"):
        data = path.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")  # of the arrays
        header, body = json.loads(data[8:start]), memoryview(data)[start:]
        return {name: _array(entry, body) for name, entry in header.items() if name != "__metadata__"}


def _array(entry: dict[str, Any], body: memoryview) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    return np.frombuffer(body[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
