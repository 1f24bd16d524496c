"""Independent tasks on all cores, or on the machines of a Dask cluster, with the same results.

A scheduler is named as for any program that uses Dask: by DASK_SCHEDULER_ADDRESS in the environment, or by
`scheduler-address` in Dask's configuration. Its workers must see the same files under the same paths, and import the
same textclf. If none is named, one worker process is started for each core that this process may use (see taskset) and
ends with the pool. Dask's other settings are its own DASK_... variables and configuration files.
"""

import contextlib
import functools
import logging
import multiprocessing
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.core.progress import track

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

T = TypeVar("T")

FEWEST = 6  # tasks that are worth starting processes, which takes about a second
RETRIES = 2  # per failing task, for instance after a temporary failure of the file system


class Pool:
    """Runs tasks: with a Dask client on its workers, otherwise one after the other in this process."""

    def __init__(self, client: "Client | None" = None) -> None:
        """Use this client; `pool` makes one if it pays."""
        self.client = client

    def map(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], description: str) -> list[T]:
        """Call the function with each tuple of arguments and return the results in the same order.

        `description` labels the progress bar and errors. Workers must be able to import the function by its name.
        A task may be run again after a worker died, so it must give the same result and tolerate files of an earlier,
        interrupted call. Arguments and results should be small; write large results to files, with `atomic_path`.

        Raises the function's own exception, or `UserError` if several workers died of a task.
        """
        if self.client is None:
            return [function(*task) for task in track(tasks, description, len(tasks))]
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        futures = [self.client.submit(function, *task, pure=False, retries=RETRIES) for task in tasks]
        try:
            return [future.result() for future in track(futures, description, len(futures))]
        except KilledWorker as error:
            raise UserError(
                f"{description}: several workers died while they worked on the same part, most likely because they "
                "ran out of memory; use fewer workers (taskset -c 0 is one), or shorter texts"
            ) from error
        except FutureCancelledError as error:
            raise UserError(f"{description}: lost the connection to the scheduler; restart it") from error


@contextlib.contextmanager
def pool(tasks: int) -> Iterator[Pool]:
    """Yield a pool for this number of tasks and end it afterwards.

    Raises `UserError` if a named scheduler can't be reached, or its workers have another version of textclf.
    """
    if tasks < FEWEST:
        yield Pool()
        return
    import dask.config

    cores = len(os.sched_getaffinity(0))
    address = dask.config.get("scheduler-address", None)
    if address is None and cores == 1:
        yield Pool()
        return
    with contextlib.ExitStack() as stack:
        named = address is not None
        if address is None:
            address = stack.enter_context(_cluster(min(cores, tasks)))
        from distributed import Client

        try:
            client = stack.enter_context(Client(address, set_as_default=False))  # type: ignore[no-untyped-call]
        except OSError as error:
            raise UserError(f"Dask's scheduler-address must be that of a running scheduler; got {address}") from error
        if named:
            _require_this_code(client, address)
        yield Pool(client)


def _require_this_code(client: "Client", address: str) -> None:
    """Raise `UserError` unless every worker imports the same textclf."""
    try:
        others = set(client.run(code).values()) - {code()}
    except (ImportError, AttributeError) as error:
        raise UserError(f"the workers of {address} must import the same textclf as this process; {error}") from error
    if others:
        raise UserError(f"the workers of {address} must import the same textclf as this process; restart them with it")


@functools.cache
def code() -> str:
    """Return the SHA-256 of all modules of textclf, as they were at the first call in this process."""
    return sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py"))))


@contextlib.contextmanager
def _cluster(processes: int) -> "Iterator[LocalCluster]":
    """Yield a scheduler on the loopback interface with this number of single-threaded workers; end it afterwards."""
    # Workers are forked from a server process that has already imported what all of them need. textclf can't be among
    # it: before Python 3.12 that process does not search the directory in which this one found textclf.
    multiprocessing.set_forkserver_preload(["distributed.nanny", "pandas", "pyarrow.parquet", "scipy.sparse"])
    forkserver.ensure_running()
    import dask.config
    from distributed import LocalCluster

    settings: dict[str, Any] = {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    with (
        # A worker that is being started again may write into the folder while it is removed.
        tempfile.TemporaryDirectory(prefix="textclf-", ignore_cleanup_errors=True) as folder,
        dask.config.set(settings | {"temporary-directory": folder}),
    ):
        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=processes,
            threads_per_worker=1,
            scheduler_kwargs={"dashboard": False, "dashboard_address": ":0"},  # None means port 8787
            silence_logs=logging.CRITICAL,  # failures come back as exceptions
        )
        try:
            yield cluster
        finally:
            # While a worker that died is being started again, closing may fail, which must not hide the error of the
            # work.
            with contextlib.suppress(AssertionError, RuntimeError, OSError):
                cluster.close()


@contextlib.contextmanager
def atomic_path(path: Path, scratch: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder `scratch`; its file is renamed to `path` if the block ends without error.

    So `path` is complete or absent, even if a worker dies while it writes or two write the same file at once. Both
    folders must be on the same file system.
    """
    temporary = scratch / f"{path.name}.{uuid.uuid4().hex}"
    yield temporary
    temporary.replace(path)
