"""Writing numpy arrays as npy."""

from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def write_npy(file: IO[bytes], array: NDArray[np.generic]) -> None:
    """Write an array of any shape, of numbers or fixed-length text, in C order, with the bytes of `numpy.save`.

    `numpy.save` writes to a file through a buffer in C and ignores an error of its last write, as on a full disk: the
    array then ends early, or what is written next takes its place. Here each write that fails raises `OSError`.
    """
    array = np.array(array, order="C", copy=None)
    npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
    file.write(array.data)
