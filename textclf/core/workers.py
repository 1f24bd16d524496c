"""Independent pieces of work on all cores, or on the machines of a Dask cluster; the results do not tell which.

A scheduler is named as for any program that uses Dask: by DASK_SCHEDULER_ADDRESS in the environment, or by
`scheduler-address` in Dask's configuration. Its workers must see the same files under the same paths, and import the
same textclf. Where none is named, there is a worker process for each core that this process may use (see taskset), for
as long as there is work. Whatever else Dask can be told, it is told by its own DASK_... variables and files.
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
from textclf.core.progress import counted

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

T = TypeVar("T")

FEWEST = 6  # tasks for which processes are started; fewer would be done before these are up, after about a second
RETRIES = 2  # of a task that fails, by a file system's hiccup for one


class Pool:
    """Does tasks one after the other in this process, or, with a client of Dask, wherever its workers are."""

    def __init__(self, client: "Client | None" = None) -> None:
        """Keep the client; `pool` makes one where it is worth it."""
        self.client = client

    def map(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], what: str) -> list[T]:
        """What the function gives for each tuple of arguments, in their order; `what` is done stands on the progress.

        The function must be found by its name in a module of textclf, and give the same when it is called again, with
        a call cut short before that: a worker that dies costs time alone. It takes and gives small things, and leaves
        large ones in files, with `whole`. Its error is raised here; `UserError` if workers die of a task.
        """
        if self.client is None:
            return [function(*task) for task in counted(tasks, what, len(tasks))]
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        futures = [self.client.submit(function, *task, pure=False, retries=RETRIES) for task in tasks]
        try:
            return [future.result() for future in counted(futures, what, len(futures))]
        except KilledWorker as error:
            raise UserError(
                f"{what}: a worker must live through a part; one part ended several, most likely for want of memory: "
                "have fewer of them share it (taskset -c 0 is one), or smaller texts"
            ) from error
        except FutureCancelledError as error:
            raise UserError(f"{what}: the scheduler must stay until all is done; it was lost") from error


@contextlib.contextmanager
def pool(tasks: int) -> Iterator[Pool]:
    """A pool for so many tasks at a time, gone at the end; `UserError` if the scheduler that is named is not there."""
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
    """`UserError` if a worker has another textclf, from which it could not even tell that it has no such function."""
    try:
        others = set(client.run(code).values()) - {code()}
    except (ImportError, AttributeError) as error:
        raise UserError(f"the workers of {address} must import the same textclf as this process; {error}") from error
    if others:
        raise UserError(f"the workers of {address} must import the same textclf as this process; restart them with it")


@functools.cache
def code() -> str:
    """SHA-256 of the modules of textclf, as they are when a process asks first."""
    return sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py"))))


@contextlib.contextmanager
def _cluster(processes: int) -> "Iterator[LocalCluster]":
    """A scheduler on the loopback interface and so many workers of one thread, gone at the end."""
    # Workers are forked from a process that imports, once and beside this one, what all of them need. textclf is not
    # among it: until Python 3.12 that process does not look where this one found it.
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
        tempfile.TemporaryDirectory(prefix="textclf-") as folder,
        dask.config.set(settings | {"temporary-directory": folder}),
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            scheduler_kwargs={"dashboard": False, "dashboard_address": ":0"},  # None would be port 8787
            silence_logs=logging.CRITICAL,  # what fails is told by the error that comes back
        ) as cluster,  # type: ignore[no-untyped-call]
    ):
        yield cluster


@contextlib.contextmanager
def whole(path: Path, scratch: Path) -> Iterator[Path]:
    """A path in the folder `scratch` for a file that takes its place at `path` once it is complete.

    A worker may die while it writes, and another one write the same file at the same time. Both folders lie in one file
    system.
    """
    temporary = scratch / f"{path.name}.{uuid.uuid4().hex}"
    yield temporary
    temporary.replace(path)
