"""What the unit tests of several packages share."""

from collections.abc import Iterator

import pytest

from textclf.core import workers


@pytest.fixture(scope="module")
def two_workers() -> Iterator[workers.Pool]:
    """A pool of two processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: {0, 1})
        with workers.pool(workers.FEWEST) as pool:
            yield pool
