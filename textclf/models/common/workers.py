"""Several machines that train one network together, named by the variable TF_CONFIG.

TF_CONFIG, TensorFlow's environment variable, is JSON with the addresses of all workers and the
index of this one. Each worker runs the same command on the same inputs. Only the first, the chief,
writes.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError

VARIABLE = "TF_CONFIG"


def worker_index() -> tuple[int, int]:
    """Return the index of this worker and their number, 0 and 1 without TF_CONFIG.

    Raises `UserError` if TF_CONFIG is wrong.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return 0, 1
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        tasks = [
            (kind, number)
            for kind in ("chief", "worker")
            for number in range(len(cluster.get(kind, ())))
        ]
        if not tasks:
            return 0, 1
        return tasks.index((task["type"], int(task["index"]))), len(tasks)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        example = (
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
        raise UserError(f"{VARIABLE} must be like {example}; got {text}") from error


def is_chief() -> bool:
    """Return whether this process, the first or only worker, writes what was trained."""
    return worker_index()[0] == 0


def make_strategy(batches: int) -> Any:
    """Return TensorFlow's strategy for all workers.

    It is the default one for a single worker or a single batch of rows. The other must be made
    before TensorFlow does anything else, and waits for the other workers.
    """
    import tensorflow as tf

    together = batches > 1 and worker_index()[1] > 1
    return tf.distribute.MultiWorkerMirroredStrategy() if together else tf.distribute.get_strategy()


def distribute(strategy: Any, make: Callable[[int], Any]) -> Any:
    """Return `make(device)` for each device of this worker, for `strategy.run`.

    The devices are numbered across all workers.
    """
    if strategy.num_replicas_in_sync == 1:
        return make(0)
    return strategy.experimental_distribute_values_from_function(
        lambda context: make(context.replica_id_in_sync_group)
    )


def sum_over_workers(strategy: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of the workers' arrays, all of one shape.

    All workers must call it together.
    """
    if strategy.num_replicas_in_sync == 1:
        return array
    # The first device of a worker contributes; the others add zeros.
    values_here = iter([array])
    values = strategy.experimental_distribute_values_from_function(
        lambda _: next(values_here, np.zeros_like(array))
    )
    return np.asarray(strategy.reduce("SUM", values, axis=None).numpy())


def broadcast(strategy: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return the chief's array; the other workers pass any array of its shape and type."""
    alone = strategy.num_replicas_in_sync == 1
    return sum_over_workers(strategy, array if alone or is_chief() else np.zeros_like(array))
