"""How often tests/faults try, and the seed of random tests: `FAULTS=10 FAULTS_SEED=1 pytest tests/faults`."""

import functools
import os
import random
import secrets


def tries(default: int) -> int:
    """Return how often to try: the default times the environment variable FAULTS, 1 if it is not set; at least 1."""
    return max(1, round(default * float(os.environ.get("FAULTS", "1"))))


@functools.cache
def seed() -> int:
    """Return the seed of all random choices: the environment variable FAULTS_SEED, 0 if it is not set.

    The value `random` stands for another seed in each run.
    """
    given = os.environ.get("FAULTS_SEED", "0")
    if given == "random":
        given = os.environ["FAULTS_SEED"] = str(
            secrets.randbelow(2**32)
        )  # workers of pytest-xdist inherit it
    return int(given)


def is_fixed() -> bool:
    """Return whether nobody asked for a seed: then every run tries the same, so that a commit that passed passes."""
    return "FAULTS_SEED" not in os.environ


def generator(name: str = "") -> random.Random:
    """Return the random choices of a test, or of its case of this name."""
    return random.Random(f"{seed()} {name}")  # noqa: S311 (no secret)
