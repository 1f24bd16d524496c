"""Tests of writing numpy arrays as npy."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from textclf.core.files import write_npy

ARRAYS = {
    "small integers": np.arange(7, dtype=np.uint8),
    "a matrix": np.arange(6, dtype="<f4").reshape(2, 3),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "every other row": np.arange(12, dtype=np.int32).reshape(4, 3)[::2],
    "no rows": np.empty((0, 3), dtype=np.float32),
    "one number": np.array(3.5),
    "text": np.array(["a", "longer"]),
    "larger than a buffer": np.arange(100_000, dtype=np.int64),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_the_bytes_are_those_of_numpy(array: NDArray[np.generic]) -> None:
    ours, numpys = io.BytesIO(), io.BytesIO()
    write_npy(ours, array)
    np.save(numpys, np.array(array, order="C"), allow_pickle=False)
    assert ours.getvalue() == numpys.getvalue()


@pytest.mark.parametrize(("count", "room"), [(2, 129), (26, 129), (40_000, 0), (40_000, 128), (40_000, 20_000)])
def test_no_room_for_the_end_of_an_array_is_an_error(tmp_path: Path, count: int, room: int) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "import sys; import numpy as np; from textclf.core.files import write_npy\n"
        "with open(sys.argv[1], 'wb') as file:\n"
        f"    write_npy(file, np.zeros({count}, dtype=np.uint8))\n"
    )
    command = [sys.executable, "-B", "-c", code, str(tmp_path / "array.npy")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1:] == ["OSError: [Errno 27] File too large"]
