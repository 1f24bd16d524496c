"""The state of a training on shards, and the file in which it survives a kill."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.files import reading
from textclf.core.outputs import writing
from textclf.models.common.networks import workers
from textclf.models.common.workers import is_chief

if TYPE_CHECKING:
    import keras

    from textclf.models.common.networks.settings import EpochSettings

INTERVAL = 60.0  # seconds between two checkpoints within an epoch
FILE = "training.npz"  # in the scratch folder


@dataclass
class State:
    """How far a training is: epochs done; shards done in the next epoch, with their sums; the history so far."""

    digest: str
    epoch: int = 0
    shard: int = 0
    loss: float = 0.0
    correct: float = 0.0
    history: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    )

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest loss on the watched rows, from 1; 0 before the first epoch ends."""
        losses = self.history["val_loss"]
        return 1 + int(np.argmin(losses)) if losses else 0

    def is_done(self, settings: "EpochSettings") -> bool:
        """Return whether all epochs are done, or early stopping ends the training."""
        patience = settings.early_stopping
        stopped = patience is not None and self.epoch - self.best_epoch >= patience
        return stopped or self.epoch >= settings.epochs


class Checkpoint:
    """The file with the state of a training: all variables of network and optimizer, and the best weights so far."""

    def __init__(self, network: "keras.Model", optimizer: "keras.Optimizer", path: Path, strategy: Any) -> None:
        """Keep the variables, which must be built, and the path."""
        self.variables = [*network.variables, *optimizer.variables]
        self.shapes = [array.shape for array in network.get_weights()]
        self.path, self.strategy, self.saved_at = path, strategy, time.monotonic()
        self.best_weights: list[NDArray[np.float32]] | None = None

    def save(self, state: State, interval: float = 0.0) -> None:
        """Write the state completely or not at all, if the last checkpoint is at least `interval` seconds old."""
        if time.monotonic() - self.saved_at < interval or not is_chief():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"variable_{number}": np.asarray(variable) for number, variable in enumerate(self.variables)}
        arrays |= {f"best_{number}": array for number, array in enumerate(self.best_weights or ())}
        incomplete = self.path.with_suffix(".new")
        with writing(incomplete), incomplete.open("wb") as file:
            text = np.frombuffer(json.dumps(asdict(state)).encode(), dtype=np.uint8)
            np.savez(file, allow_pickle=False, state=text, **arrays)
            file.flush()
            os.fsync(file.fileno())
        incomplete.replace(self.path)
        self.saved_at = time.monotonic()

    def restore(self, start: State) -> State:
        """Return the last state written, if its digest is that of `start`; otherwise `start`.

        The chief reads the file and sends its content to the other workers.
        """
        arrays: dict[str, NDArray[Any]] = {}
        if is_chief() and self.path.exists():
            with reading(self.path), self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if json.loads(stored["state"].tobytes())["digest"] == start.digest:
                    arrays = dict(stored)
        count = len(self.shapes) * ("best_0" in arrays)
        text = arrays.get("state", np.zeros(0, dtype=np.uint8))
        length, count = workers.broadcast(self.strategy, np.array([len(text), count])).tolist()
        if not length:
            return start
        text = workers.broadcast(self.strategy, np.resize(text, length).astype(np.int32))
        for number, variable in enumerate(self.variables):
            value = arrays.get(f"variable_{number}", np.zeros(variable.shape, variable.dtype))
            variable.assign(workers.broadcast(self.strategy, value))
        best = [self._best(arrays, number) for number in range(count)]
        self.best_weights = [workers.broadcast(self.strategy, array) for array in best] or None
        return State(**json.loads(bytes(text.tolist())))

    def _best(self, arrays: dict[str, NDArray[Any]], number: int) -> NDArray[Any]:
        shape: Sequence[int] = self.shapes[number]
        return arrays.get(f"best_{number}", np.zeros(shape, np.float32))
