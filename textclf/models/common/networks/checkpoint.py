"""The state of a training in epochs, and the file in which it survives a kill."""

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.code import read_code
from textclf.core.errors import UserError
from textclf.core.files import reading, write_npz
from textclf.core.installed import installed_version
from textclf.core.outputs import writing
from textclf.models.common import workers

if TYPE_CHECKING:
    import keras

# Seconds between two checkpoints.
INTERVAL = 60.0
# Name of the checkpoint in the scratch folder.
FILE = "training.npz"
# A checkpoint is of use only with the same versions of these.
LIBRARIES = ("keras", "numpy", "scipy", "tensorflow")


@dataclass
class State:
    """How far a training is."""

    epoch: int = 0  # epochs done
    batch: int = 0  # batches done in the next epoch
    loss: float = 0.0  # summed over these batches
    correct: float = 0.0  # the number of correct rows of these batches
    history: dict[str, list[float]] = field(
        default_factory=lambda: {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    )

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest loss on the watched rows, from 1; 0 if there is none yet."""
        losses = self.history["val_loss"]
        return 1 + int(np.argmin(losses)) if losses else 0

    def is_done(self, epochs: int, patience: int | None) -> bool:
        """Return whether all epochs are done or early stopping, on watched rows, ends training."""
        best = self.best_epoch
        stopped = patience is not None and best > 0 and self.epoch - best >= patience
        return stopped or self.epoch >= epochs

    def add(self, loss: float, correct: float) -> None:
        """Add the summed loss and the number of correct rows of a part of the epoch."""
        self._require_finite(loss, self.epoch + 1)
        self.loss, self.correct = self.loss + loss, self.correct + correct

    def end_epoch(self, rows: int, watched: tuple[float, float] | None) -> None:
        """Add an epoch over so many rows to the history.

        `watched` is loss and accuracy on the watched rows, if any.
        """
        numbers = {"loss": self.loss / rows, "accuracy": self.correct / rows}
        if watched is not None:
            numbers |= dict(zip(("val_loss", "val_accuracy"), watched, strict=True))
        self.epoch, self.batch, self.loss, self.correct = self.epoch + 1, 0, 0.0, 0.0
        for name, number in numbers.items():
            self.history[name].append(number)
        self._require_finite(numbers.get("val_loss", 0.0), self.epoch)

    def _require_finite(self, loss: float, epoch: int) -> None:
        if not np.isfinite(loss):
            raise UserError(
                f"the loss must stay finite; got {loss} in epoch {epoch}; set a lower learning_rate"
            )


class Checkpoint:
    """The file with the state of a training.

    It has all variables of network and optimizer, and the best weights so far.
    """

    def __init__(
        self,
        network: "keras.Model",
        optimizer: "keras.Optimizer",
        folder: Path | None,
        settings: Any,
        strategy: Any,
    ) -> None:
        """Keep the variables, which must be built, and the path of the file.

        `folder` is that of these rows and settings; None for no file.
        """
        self.variables = [*network.variables, *optimizer.variables]
        self.shapes = [array.shape for array in network.get_weights()]
        self.path = folder and folder / FILE
        self.strategy = strategy
        self.saved_at = time.monotonic()
        self.best_weights: list[NDArray[np.float32]] | None = None
        libraries = [installed_version(library) for library in LIBRARIES]
        self.digest = hashlib.sha256(repr((settings, libraries, read_code())).encode()).hexdigest()

    def save(self, state: State) -> None:
        """Write the state, completely or not at all, at most once in `INTERVAL` seconds."""
        is_recent = time.monotonic() - self.saved_at < INTERVAL
        if self.path is None or is_recent or not workers.is_chief():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"variable_{number}": np.asarray(variable)
            for number, variable in enumerate(self.variables)
        }
        arrays |= {f"best_{number}": array for number, array in enumerate(self.best_weights or ())}
        incomplete = self.path.with_suffix(".new")
        with writing(incomplete), incomplete.open("wb") as file:
            content = json.dumps({"digest": self.digest, "state": asdict(state)})
            write_npz(file, state=np.frombuffer(content.encode(), dtype=np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
        incomplete.replace(self.path)
        self.saved_at = time.monotonic()

    def restore(self) -> State:
        """Return the last state written for this training, or the first one.

        The chief reads it for all workers.
        """
        arrays: dict[str, NDArray[Any]] = {}
        if self.path is not None and workers.is_chief() and self.path.exists():
            with (
                reading(self.path),
                self.path.open("rb") as file,
                np.load(file, allow_pickle=False) as stored,
            ):
                if json.loads(stored["state"].tobytes())["digest"] == self.digest:
                    arrays = dict(stored)
        count = len(self.shapes) if "best_0" in arrays else 0
        text = arrays.get("state", np.zeros(0, dtype=np.uint8))
        length, count = workers.broadcast(self.strategy, np.array([len(text), count])).tolist()
        if not length:
            return State()
        text = workers.broadcast(self.strategy, np.resize(text, length).astype(np.int32))
        for number, variable in enumerate(self.variables):
            value = arrays.get(f"variable_{number}", np.zeros(variable.shape, variable.dtype))
            variable.assign(workers.broadcast(self.strategy, value))
        best = [
            arrays.get(f"best_{number}", np.zeros(self.shapes[number], np.float32))
            for number in range(count)
        ]
        self.best_weights = [workers.broadcast(self.strategy, array) for array in best] or None
        return State(**json.loads(bytes(text.tolist()))["state"])
