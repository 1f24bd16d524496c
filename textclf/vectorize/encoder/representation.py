"""Vectors of a pretrained sentence encoder: nothing is learned from the training texts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.onnx_classifier import IDS, MASK, open_session
from textclf.artifacts.tokens import average_windows
from textclf.core.errors import UserError
from textclf.core.files import sha256, sha256_of_file, whole_file
from textclf.core.quoting import first_line, list_names
from textclf.core.resources import cores
from textclf.pretrained import bert
from textclf.pretrained.catalogue import CONFIG, GRAPH, TOKENIZER, WEIGHTS
from textclf.pretrained.weights import is_part, read_safetensors, verify
from textclf.vectorize.encoder.settings import Settings
from textclf.vectorize.tokenizer import Tokenizing

# Texts whose tokens are in memory at once.
CHUNK = 4096
ADVICE = "save the model in one file: onnx.save(onnx.load(...), ...)"
# Most rows and tokens of a batch; larger batches are no faster and take more memory.
BATCH_ROWS = 16
BATCH_TOKENS = 4096
TYPES = "token_type_ids"

Vectors = NDArray[np.float32]
Pooling = Literal["mean", "cls"]


@dataclass(eq=False)
class Representation(Tokenizing):
    """A pretrained encoder, whose files were verified: use `fit` or `from_json`."""

    kind: ClassVar[Literal["dense"]] = "dense"
    settings: Settings
    origin: Path  # an ONNX file, or weights of which one is built
    tokenizer: Path
    config: Path | None = None  # of weights
    whole: bool = True  # whether an ONNX file is known to have no external data
    # What `to_json` returns, once it is known.
    content: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],  # noqa: ARG003
        settings: Settings,
        pretrained: Path,
    ) -> "Representation":
        """Return the encoder that the settings name.

        Raises `UserError` if one of its files is missing or another one.
        """
        chosen = settings.chosen
        tokenizer = chosen.require(pretrained, TOKENIZER)
        if chosen.has(GRAPH):
            graph, is_whole = chosen.require(pretrained, GRAPH), settings.pretrained is not None
            return cls(settings, graph, tokenizer, whole=is_whole)
        weights = chosen.require(pretrained, WEIGHTS)
        return cls(settings, weights, tokenizer, chosen.require(pretrained, CONFIG))

    @cached_property
    def graph(self) -> Path | bytes:
        """The path of an ONNX file, or its content, which takes seconds to build of weights."""
        if self.config is not None:
            return _build(self.settings, self.config, self.origin)
        return self.origin if self.whole else in_one_piece(self.origin)

    @cached_property
    def _session(self) -> "Session":
        # A graph that is the user's own may choose its numbers by the batch, see `Session`.
        return Session(self.graph, self.origin, together=self.settings.pretrained is not None)

    @property
    def columns(self) -> int:
        """Return the length of a vector."""
        return int(self.to_json()["columns"])

    def transform(self, texts: Iterable[str]) -> Vectors:
        """Return the vectors (texts, columns) float32.

        Each is the same to the bit whatever the other texts and the number of cores.
        """
        remaining = iter(texts)
        chunks = []
        while chunk := list(islice(remaining, CHUNK)):
            chunks.append(self._encode(chunk))
        return np.concatenate(chunks) if chunks else np.empty((0, self.columns), dtype=np.float32)

    def _encode(self, texts: list[str]) -> Vectors:
        windows = self.windows(texts)
        rows = list(chain.from_iterable(windows))
        vectors = self._session.encode(rows, self.settings.pooling)
        counts = list(map(len, windows))
        first = np.cumsum(counts) - counts
        vectors = average_windows(vectors, list(map(len, rows)), first).astype(np.float32)
        return unit_length(vectors) if self.settings.normalize else vectors

    def to_json(self) -> dict[str, Any]:
        """Return the settings, the folder of graph and tokenizer, their SHA-256 and the columns."""
        if not self.content:
            graph = self.graph
            self.content = {
                # No prediction needs class_texts.
                "settings": self.settings.model_dump(exclude={"class_texts"}),
                "name": self.settings.chosen.name,
                "graph": sha256(graph) if isinstance(graph, bytes) else sha256_of_file(graph),
                "tokenizer": sha256_of_file(self.tokenizer),
                "columns": self._encode([""]).shape[1],
            }
        return self.content

    @classmethod
    def from_json(cls, content: Mapping[str, Any], shared: Path) -> "Representation":
        """Return the encoder with the content of `to_json`.

        `shared` is data/pretrained or models/pretrained. Raises `ValueError` or the like if the
        content is damaged, `UserError` if a file is missing or another one.
        """
        settings, columns = Settings.model_validate(content["settings"]), content["columns"]
        if type(columns) is not int or columns < 1:
            raise ValueError("columns must be an integer from 1")
        folder = shared / settings.chosen.name
        if not (folder / GRAPH).exists():  # it is built from the weights
            return cls.fit((), settings, shared)
        graph = verify(folder / GRAPH, content["graph"])
        tokenizer = verify(folder / TOKENIZER, content["tokenizer"])
        return cls(settings, graph, tokenizer, content=dict(content))

    def share(self, shared: Path) -> None:
        """Write the ONNX file and the tokenizer to their folder in `shared`, models/pretrained."""
        super().share(shared)
        content = self.graph if isinstance(self.graph, bytes) else self.graph.read_bytes()
        (shared / self.settings.chosen.name / GRAPH).write_bytes(content)


def _build(settings: Settings, config_path: Path, weights_path: Path) -> bytes:
    """Return the content of an ONNX file with the weights in a file of safetensors."""
    config = bert.read_config(config_path)
    if settings.length > config.positions:
        raise UserError(
            f"length must be at most {config.positions}, max_position_embeddings of {config_path}; "
            f"got {settings.length}; correct it in params.yaml"
        )
    weights = bert.select_weights(read_safetensors(weights_path), config, weights_path)
    return bytes(bert.encoder_model(config, weights).SerializeToString(deterministic=True))


def in_one_piece(path: Path) -> Path | bytes:
    """Return the path of an ONNX file without external data, or else the content with all of it.

    Raises `UserError` for external data that the checksum in the settings does not cover, or that
    makes no such file.
    """
    import onnx
    from google.protobuf.message import DecodeError, EncodeError

    try:
        model = onnx.load_model(path, load_external_data=False)
    except DecodeError:
        return path  # onnxruntime says what is wrong with it
    names = sorted(set(_external_files(model)))
    if not names:
        return path
    others = [name for name in names if not is_part(name, path) or Path(name).name != name]
    if others:
        raise UserError(
            f"{path} must keep its external data beside it, in files whose names start with "
            f"{path.name}; got {list_names(others)}; {ADVICE}"
        )
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
        content: bytes = model.SerializeToString(deterministic=True)
    except (onnx.checker.ValidationError, ValueError, EncodeError) as error:
        raise UserError(
            f"{path} must be whole with its external data, at most 2 GiB together; "
            f"got: {first_line(error)}; {ADVICE}"
        ) from error
    return content


def _external_files(message: Any) -> Iterator[str]:
    """Yield the name of the file of each tensor in a message of ONNX that is external data."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield from (entry.value for entry in message.external_data if entry.key == "location")
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for part in value if hasattr(value, "__len__") else [value]:
                yield from _external_files(part)


class Session:
    """An open ONNX file: from token ids to the vectors of tokens or of texts, on all cores.

    Texts of equal length in tokens share a batch, without padding, and each batch runs on one
    thread: neither the other texts nor the number of cores changes the order of sums. Only machines
    of the same type give the same bytes.
    """

    def __init__(self, model: Path | bytes, origin: Path, together: bool) -> None:
        """Open a file, or the content of one that was built from `origin`, which errors name.

        Texts share batches only `together`: a graph that quantizes while it runs chooses its scales
        by the whole batch. Raises `UserError` if it is no ONNX, or takes other inputs than those of
        BERT.
        """
        self.origin, self.together = origin, together
        with whole_file(origin, "ONNX"):
            self.session = open_session(model if isinstance(model, bytes) else str(model))
        self.inputs = [tensor.name for tensor in self.session.get_inputs()]
        if IDS not in self.inputs or not {*self.inputs} <= {IDS, MASK, TYPES}:
            raise UserError(
                f"{origin} must take the inputs {IDS}, {MASK} and {TYPES}, or the first ones of "
                f"these; got {list_names(self.inputs)}; export the encoder again"
            )

    def encode(self, rows: Sequence[Sequence[int]], pooling: Pooling) -> Vectors:
        """Return the vector of each row of token ids, (rows, columns) float32, at least one row."""
        batches = list(self._batches(rows))

        def run(batch: list[int]) -> Vectors:
            return self._run([rows[row] for row in batch], pooling)

        with ThreadPoolExecutor(cores()) as threads:
            parts = list(threads.map(run, batches))
        vectors = np.empty((len(rows), parts[0].shape[1]), dtype=np.float32)
        for batch, part in zip(batches, parts, strict=True):
            vectors[batch] = part
        if not np.isfinite(vectors).all():
            raise UserError(
                f"{self.origin} must give finite vectors; got NaN or infinity; use other weights"
            )
        return vectors

    def _batches(self, rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Yield positions of rows of equal length; the longest first, so that no thread lags."""
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        for length, group in groupby(order, key=lambda row: len(rows[row])):
            positions = list(group)
            size = max(min(BATCH_ROWS, BATCH_TOKENS // max(length, 1)), 1) if self.together else 1
            for start in range(0, len(positions), size):
                yield positions[start : start + size]

    def _run(self, rows: Sequence[Sequence[int]], pooling: Pooling) -> Vectors:
        """Return the vectors of rows of equal length, not normalised."""
        ids = np.array(rows, dtype=np.int64)
        inputs: dict[str, Any] = {IDS: ids, MASK: np.ones_like(ids), TYPES: np.zeros_like(ids)}
        try:
            output = self.session.run(None, {name: inputs[name] for name in self.inputs})[0]
        except Exception as error:  # onnxruntime's own have no base class
            reason = first_line(error)
            raise UserError(
                f"{self.origin} can't encode texts of {ids.shape[1]} tokens: {reason}"
            ) from error
        if output.ndim not in {2, 3} or len(output) != len(ids) or output.dtype.kind != "f":
            raise UserError(
                f"{self.origin} must give the vectors of tokens (rows, tokens, columns) or of "
                f"texts (rows, columns) as its first output; got {list(output.shape)}; "
                "export the encoder again"
            )
        vectors: Vectors = output.astype(np.float32, copy=False)
        if vectors.ndim == 3:
            vectors = vectors.mean(axis=1) if pooling == "mean" else vectors[:, 0]
        return vectors


def unit_length(vectors: Vectors) -> Vectors:
    """Return the vectors, each divided by its length."""
    norms = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return np.asarray((vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32))
