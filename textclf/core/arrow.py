"""Columns of text as the bytes that Arrow holds."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


def utf8(texts: "pa.StringArray") -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the bytes of all texts without nulls, one after the other, and where each begins and the last ends.

    The second array is (texts + 1,). Neither copies the bytes.
    """
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset)
    return np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]], ends - ends[0]
