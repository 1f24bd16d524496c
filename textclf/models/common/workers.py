"""The workers of one training, named by TensorFlow's environment variable TF_CONFIG.

TF_CONFIG is JSON with the addresses of all workers, the same on each of them, and the index of this one.
"""

import json
import os

from textclf.core.errors import UserError

VARIABLE = "TF_CONFIG"


def worker_index() -> tuple[int, int]:
    """Return the index of this worker, from 0, and the number of workers: 0 and 1 without TF_CONFIG.

    Raises `UserError` if TF_CONFIG is not in TensorFlow's form.
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
    """Return whether this process writes what was trained: it is the first worker, or the only one."""
    return worker_index()[0] == 0
