import json
from pathlib import Path
from typing import Any

import numpy as np

from tests import tiny_bert
from tests.refusal import refusal
from textclf.pretrained import safetensors

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([7.5], dtype=np.float32)}
WHOLE = tiny_bert.safetensors(ARRAYS)


def with_header(header: Any, body: bytes = b"\0" * 8) -> bytes:
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + body


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def test_arrays_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(WHOLE)
    arrays = safetensors.read(path)
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == np.float32


OTHERS = [
    with_header([]),
    with_header({"a": 1}),
    with_header(entry(dtype="F8")),
    with_header(entry(shape=[3])),
    with_header(entry(offsets=[0, 16], shape=[4])),
    with_header(entry(offsets=[0])),
]


def test_a_truncated_file_and_one_of_another_form_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for data in (*OTHERS, *(WHOLE[:length] for length in range(len(WHOLE)))):
        path.write_bytes(data)
        assert refusal(safetensors.read, path).startswith(f"{path} must be a whole safetensors file; ")
