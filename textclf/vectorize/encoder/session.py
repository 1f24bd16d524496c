"""An ONNX encoder that runs on all cores, with the same bytes for a text whatever its neighbours.

Texts of equal length in tokens share a batch, without padding, and each batch runs on one thread: neither the other
texts nor the number of cores changes the order of sums. Only machines of the same type give the same bytes.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.onnx_classifier import IDS, MASK, open_session
from textclf.core.errors import UserError
from textclf.core.foreign import whole_file
from textclf.core.quoting import first_line, list_names
from textclf.core.resources import cores

BATCH_ROWS, BATCH_TOKENS = 16, 4096  # at most; larger batches are no faster and take more memory
TYPES = "token_type_ids"

Vectors = NDArray[np.float32]
Pooling = Literal["mean", "cls"]


class Session:
    """An open ONNX file: from token ids to the vectors of tokens or of texts."""

    def __init__(self, model: Path | bytes, origin: Path, together: bool) -> None:
        """Open a file, or the content of one that was built from `origin`, which errors name.

        Texts share batches only `together`: a graph that quantizes while it runs chooses its scales by the whole batch.
        Raises `UserError` if it is no ONNX, or takes other inputs than those of BERT.
        """
        self.origin, self.together = origin, together
        with whole_file(origin, "ONNX"):
            self.session = open_session(model if isinstance(model, bytes) else str(model))
        self.inputs = [each.name for each in self.session.get_inputs()]
        if IDS not in self.inputs or not {*self.inputs} <= {IDS, MASK, TYPES}:
            raise UserError(
                f"{origin} must take the inputs {IDS}, {MASK} and {TYPES}, or the first ones of these; "
                f"got {list_names(self.inputs)}; export the encoder again"
            )

    def encode(self, rows: Sequence[Sequence[int]], pooling: Pooling) -> Vectors:
        """Return the vector of each row of token ids, (rows, columns) float32, at least one row."""
        batches = list(self._batches(rows))
        with ThreadPoolExecutor(cores()) as threads:
            parts = list(threads.map(lambda batch: self._run([rows[row] for row in batch], pooling), batches))
        vectors = np.empty((len(rows), parts[0].shape[1]), dtype=np.float32)
        for batch, part in zip(batches, parts, strict=True):
            vectors[batch] = part
        if not np.isfinite(vectors).all():
            raise UserError(f"{self.origin} must give finite vectors; got NaN or infinity; use other weights")
        return vectors

    def _batches(self, rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Yield the positions of rows of equal length, the longest first, so that no thread ends late."""
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        for length, group in groupby(order, key=lambda row: len(rows[row])):
            positions = list(group)
            size = max(min(BATCH_ROWS, BATCH_TOKENS // max(length, 1)), 1) if self.together else 1
            for start in range(0, len(positions), size):
                yield positions[start : start + size]

    def _run(self, rows: Sequence[Sequence[int]], pooling: Pooling) -> Vectors:
        """Return the vectors of rows of equal length, not normalised."""
        ids = np.array(rows, dtype=np.int64)
        given: dict[str, Any] = {IDS: ids, MASK: np.ones_like(ids), TYPES: np.zeros_like(ids)}
        try:
            output = self.session.run(None, {name: given[name] for name in self.inputs})[0]
        except Exception as error:  # onnxruntime's own have no base class
            reason = first_line(error)
            raise UserError(f"{self.origin} can't encode texts of {ids.shape[1]} tokens: {reason}") from error
        if output.ndim not in {2, 3} or len(output) != len(ids) or output.dtype.kind != "f":
            raise UserError(
                f"{self.origin} must give the vectors of tokens (rows, tokens, columns) or of texts (rows, columns) as "
                f"its first output; got {list(output.shape)}; export the encoder again"
            )
        vectors: Vectors = output.astype(np.float32, copy=False)
        if vectors.ndim == 3:
            vectors = vectors.mean(axis=1) if pooling == "mean" else vectors[:, 0]
        return vectors


def unit_length(vectors: Vectors) -> Vectors:
    """Return the vectors, each divided by its length."""
    norms = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    unit: Vectors = (vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit
