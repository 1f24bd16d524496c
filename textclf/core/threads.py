"""How many threads and processes may work at the same time."""

import os


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def free_cores(threads: int) -> float:
    """Return on how many cores so many threads can run beside all that runs now."""
    return threads * min(1.0, (os.cpu_count() or threads) / (os.getloadavg()[0] + threads))
