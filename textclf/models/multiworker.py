"""Many machines that train one network together, as the environment variable TF_CONFIG names them.

TF_CONFIG is TensorFlow's own: JSON with every worker's address, the same for all of them, and the place of this one.
Each worker runs the same command on the same inputs; the first, the chief, is the only one that writes.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError

VARIABLE = "TF_CONFIG"


def place() -> tuple[int, int]:
    """The number of this worker, from 0, and how many there are: 0 and 1 without TF_CONFIG.

    `UserError` if it is not what TensorFlow takes.
    """
    if not (text := os.environ.get(VARIABLE)):
        return 0, 1
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        tasks = [(kind, number) for kind in ("chief", "worker") for number in range(len(cluster.get(kind, ())))]
        return (tasks.index((task["type"], int(task["index"]))), len(tasks)) if tasks else (0, 1)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        example = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
        raise UserError(f"{VARIABLE} must be like {example}; got {text}") from error


def is_chief() -> bool:
    """Whether this process writes what was trained: the first worker, and any that works alone."""
    return place()[0] == 0


def strategy() -> Any:
    """TensorFlow's strategy for all workers; the one that does nothing where there is one.

    The former must be made before TensorFlow has done anything else, and waits for the other workers.
    """
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy() if place()[1] > 1 else tf.distribute.get_strategy()


def of_devices(strategy: Any, make: Callable[[int], Any]) -> Any:
    """What `make` gives of each device of this worker, numbered among those of all workers, for `strategy.run`."""
    if place()[1] == 1:
        return make(0)
    return strategy.experimental_distribute_values_from_function(lambda context: make(context.replica_id_in_sync_group))


def added_up(strategy: Any, array: NDArray[Any]) -> NDArray[Any]:
    """The sum of what the workers give, each an array of one shape; all must call it together."""
    if place()[1] == 1:
        return array
    here = iter([array])  # the first of a worker's devices speaks for it
    values = strategy.experimental_distribute_values_from_function(lambda _: next(here, np.zeros_like(array)))
    total: NDArray[Any] = strategy.reduce("SUM", values, axis=None).numpy()
    return total


def of_chief(strategy: Any, array: NDArray[Any]) -> NDArray[Any]:
    """The array that the chief gives; the others give one of its shape and type, whatever is in it."""
    return added_up(strategy, array if is_chief() else np.zeros_like(array))
