"""A fitted classifier of token ids as ONNX, run by onnxruntime.

What is measured is the file that users get.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.layers import OUTPUT, SIGMOIDS
from textclf.artifacts.tokens import Tokens, average_windows
from textclf.core.errors import UserError
from textclf.core.files import read_versioned_json, reading, require, write_versioned_json
from textclf.core.resources import cores

TYPE = "onnx"  # in model.json
DESCRIPTION, GRAPH = "model.json", "model.onnx"  # the files of a model
IDS, MASK = "input_ids", "attention_mask"  # what the graph takes, as every BERT in ONNX does
SCORES = "scores"  # what it gives


@dataclass(frozen=True)
class OnnxClassifier:
    """A fitted classifier of `Tokens`.

    The graph takes token ids and a mask (see `textclf.pretrained.bert`), and gives `scores` (rows,
    units) float32: one unit, the log odds of the positive class; or logits, one per class or label.
    """

    classes: tuple[str, ...]
    vocabulary: int  # number of ids
    length: int  # of the longest row
    content: bytes  # of model.onnx
    multilabel: bool = False

    ignores_text = False

    def predict_proba(self, X: Tokens) -> NDArray[np.float64]:
        """Return probabilities (rows, classes), of a text in several windows their weighted mean.

        Each window is computed alone and by one thread, so that its digits depend on no other row
        and no number of cores. Raises `UserError` if the tokens are not those of the model.
        """
        if X.vocabulary != self.vocabulary or X.length > self.length:
            raise UserError(
                f"the tokens must have {self.vocabulary:,} ids "
                f"and a length of at most {self.length}; got {X.vocabulary:,} and {X.length}; "
                "run dvc repro to make the model for them"
            )
        session = self._session
        windows, first = X.windows()
        ids, starts = windows.ids.astype(np.int64), windows.starts

        def run(window: int) -> NDArray[np.float32]:
            alone = ids[None, starts[window] : starts[window + 1]]
            (scores,) = session.run([SCORES], {IDS: alone, MASK: np.ones_like(alone)})
            return np.asarray(scores[0])

        binary = len(self.classes) == 2 and not self.multilabel
        scores = np.empty((windows.shape[0], 1 if binary else len(self.classes)))
        with ThreadPoolExecutor(cores()) as threads:
            for window, row in enumerate(threads.map(run, range(len(scores)))):
                scores[window] = row
        activation = "sigmoid" if binary else "softmax"
        if self.multilabel:
            activation = SIGMOIDS
        return average_windows(OUTPUT[activation](scores), np.diff(starts), first)

    @cached_property
    def _session(self) -> Any:
        return open_session(self.content)


def open_session(model: str | bytes) -> Any:
    """Return onnxruntime's session of a file or its content, with one thread.

    More threads could add in another order.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal errors; others are exceptions as well
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def write(model: OnnxClassifier, folder: Path) -> None:
    """Write model.json, with all but the content, and model.onnx."""
    write_versioned_json(
        folder / DESCRIPTION,
        {
            "classes": model.classes,
            "length": model.length,
            "multilabel": model.multilabel,
            "type": TYPE,
            "vocabulary": model.vocabulary,
        },
    )
    (folder / GRAPH).write_bytes(model.content)


def read(folder: Path) -> OnnxClassifier:
    """Return the model that `write` wrote, whose manifest the caller has verified.

    Raises `UserError` if it is missing.
    """
    content = read_versioned_json(folder / DESCRIPTION)
    with reading(folder / DESCRIPTION):
        classes, multilabel = content["classes"], content["multilabel"]
        vocabulary, length = content["vocabulary"], content["length"]
    graph = require(folder / GRAPH).read_bytes()
    return OnnxClassifier(tuple(classes), vocabulary, length, graph, multilabel)
