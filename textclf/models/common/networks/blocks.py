"""Blocks of rows: what one call of TensorFlow goes through, in steps of a batch each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features
from textclf.models.common.class_weights import weigh

NO_ROW = -1  # in place of the position, and of the label, of a row

Arrays = tuple[NDArray[Any], ...]
Inputs = Callable[[Any, int], Arrays]  # from features and a width, what a network takes: arrays (rows, ...)


class Block(NamedTuple):
    """Steps over rows, or the part of them that one device of one worker takes."""

    inputs: Arrays  # what the network takes, each (steps, rows, ...)
    # (steps, rows), or (steps, rows, labels) int32, or targets (steps, rows, classes) float32; `NO_ROW` where no row is
    y: NDArray[np.int32 | np.float32]
    weights: NDArray[np.float32]  # (steps, rows), or (steps, rows, labels)
    sizes: NDArray[np.float32]  # (steps,), the number of rows of the whole step


def make_block(
    part: Features,
    positions: NDArray[np.int64],
    shape: tuple[int, int],
    inputs: Inputs,
    width: int,
    weights: NDArray[np.float64],
    devices: int = 1,
    device: int = 0,
) -> Block:
    """Return the rows at these positions, in this order, as a block; this device's rows only.

    `shape` is the number of steps and that of the rows of a step on all devices together. What the rows do not fill is
    empty, because XLA compiles for each shape anew. `weights` are those of `class_weights`.
    """
    steps, batch = shape
    share = -(-batch // devices)
    grid = np.full((steps, batch), NO_ROW)
    grid.flat[: len(positions)] = positions
    sizes = (grid != NO_ROW).sum(axis=1).astype(np.float32)
    grid = np.pad(grid, ((0, 0), (0, share * devices - batch)), constant_values=NO_ROW)[:, device::devices]
    known = grid != NO_ROW
    labels = part.y[grid[known]]
    y = labels.astype(np.int32) if part.targets is None else part.targets[grid[known]].astype(np.float32)
    return Block(
        tuple(_fill(known, array, 0) for array in inputs(part.X[grid[known]], width)),
        _fill(known, y, NO_ROW),
        _fill(known, weigh(weights, labels).astype(np.float32), 0),
        sizes,
    )


def _fill(known: NDArray[np.bool_], rows: NDArray[Any], missing: int) -> NDArray[Any]:
    """Return the rows in the places that are known, (steps, rows, ...), and `missing` in all others."""
    filled = np.full((*known.shape, *rows.shape[1:]), missing, rows.dtype)
    filled[known] = rows
    return filled
