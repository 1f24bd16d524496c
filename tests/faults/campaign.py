"""How often tests/faults try, and their seed: `FAULTS=10 FAULTS_SEED=1 pytest tests/faults`."""

import functools
import os
import random
import secrets


def tries(default: int) -> int:
    """Return the default number of tries times the variable FAULTS (1 if unset); at least 1."""
    return max(1, round(default * float(os.environ.get("FAULTS", "1"))))


@functools.cache
def seed() -> int:
    """Return the seed of all random choices: the variable FAULTS_SEED, 0 if it is not set.

    The value `random` stands for another seed in each run.
    """
    given = os.environ.get("FAULTS_SEED", "0")
    if given == "random":
        given = os.environ["FAULTS_SEED"] = str(
            secrets.randbelow(2**32)
        )  # workers of pytest-xdist inherit it
    return int(given)


def is_fixed() -> bool:
    """Return whether no seed was asked for: then every run tries the same.

    So a commit that passed once passes again.
    """
    return "FAULTS_SEED" not in os.environ


def generator(name: str = "") -> random.Random:
    """Return the random choices of a test, or of its case of this name."""
    return random.Random(f"{seed()} {name}")  # noqa: S311 (no secret)
