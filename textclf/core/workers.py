"""Independent tasks on all cores, or on the machines of a Dask cluster, with the same results.

A scheduler is named as for any program that uses Dask: by DASK_SCHEDULER_ADDRESS in the
environment, or by `scheduler-address` in Dask's configuration. Its workers must see the same files
under the same paths, and import the same textclf. If none is named, one worker process is started
for each core that this process may use (see taskset) and ends with the pool.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textclf.core import resources
from textclf.core.code import read_code
from textclf.core.errors import UserError
from textclf.core.progress import track
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

FEWEST_TASKS = 4  # tasks that are worth starting processes; a small corpus has one per split
MOST_EXPENDABLE = "1000"  # what the kernel kills first if the memory is used up
DIED = (
    "a worker died, most likely because memory ran out; "
    "use fewer workers (taskset -c 0 is one), or shorter texts"
)
# Limits the retries of a failing task of a cluster, for instance after a temporary failure of the
# file system.
RETRIES = 2


class Pool:
    """Runs tasks one after the other in this process."""

    is_remote: ClassVar[bool] = False  # whether tasks may run in another folder

    def map(
        self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], description: str
    ) -> list[T]:
        """Call the function with each tuple of arguments and return the results in the same order.

        `description` labels the progress bar and errors. Workers must be able to import the
        function by its name. A cluster may run a task again after a worker died, so it must give
        the same result and tolerate files of an earlier, interrupted call. Arguments and results
        should be small; write large results to files, with `atomic_path`.

        Raises the function's own exception, or `UserError` if a worker died of a task.
        """
        return [function(*task) for task in track(tasks, description, len(tasks))]


class LocalPool(Pool):
    """Runs tasks in processes that are forked from this one.

    A fork starts in milliseconds and has all modules that this process has imported. It is safe
    here because the other threads that a stage may have (of Arrow's pools, of a progress bar) are
    idle then, and Arrow starts its own anew. Windows has no fork, and macOS's libraries hang in
    one: there each process starts anew and imports what its tasks need, with the variables of this
    one.
    """

    def __init__(self, count: int) -> None:
        """Use this many processes, which start with the first task."""
        forks = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        self._executor = ProcessPoolExecutor(
            count, multiprocessing.get_context("fork" if forks else "spawn"), _begin
        )

    def map(
        self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], description: str
    ) -> list[T]:
        """Return the results of the tasks, as `Pool.map`.

        Raises `UserError` if a process died or can't be started.
        """
        try:
            futures = [self._executor.submit(function, *task) for task in tasks]
            return [future.result() for future in track(futures, description, len(futures))]
        except BrokenProcessPool as error:
            raise UserError(f"{description}: {DIED}") from error

    def close(self) -> None:
        """End all processes, whatever they do."""
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        self._executor.shutdown(cancel_futures=True)


def _begin() -> None:
    """Prepare a worker process to end with its parent, and to ignore Ctrl+C, which both get."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(MOST_EXPENDABLE, encoding="utf-8")


def _end_with_parent() -> None:
    """Wait for the end of the parent, which may be killed, and end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class ClusterPool(Pool):
    """Runs tasks on the workers of a Dask scheduler, and waits for workers forever."""

    is_remote = True

    def __init__(self, client: "Client") -> None:
        """Use this client."""
        self.client = client

    def map(
        self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], description: str
    ) -> list[T]:
        """Return the results as `Pool.map`; `UserError` also if the scheduler is lost."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        futures = [
            self.client.submit(function, *task, pure=False, retries=RETRIES) for task in tasks
        ]
        try:
            return [future.result() for future in track(futures, description, len(futures))]
        except KilledWorker as error:
            raise UserError(f"{description}: {DIED}") from error
        except FutureCancelledError as error:
            raise UserError(
                f"{description}: lost the connection to the scheduler; restart it"
            ) from error


def ahead(results: Iterator[T]) -> Iterator[T]:
    """Yield the results, none of which is None; a thread makes the next while one is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, results, None)
        while (result := coming.result()) is not None:
            coming = thread.submit(next, results, None)
            yield result


def processes(tasks: int, memory: int = 0) -> int:
    """Return how many processes `pool` starts for the tasks.

    0 if it runs them in this process or on a named scheduler. Otherwise there is one for each core,
    but only as many as fit into the available memory with `memory` bytes each.
    """
    if tasks < FEWEST_TASKS or _scheduler() is not None:
        return 0
    count = min(resources.cores(), tasks)
    free = resources.available_memory() if memory else None
    if free is not None:
        count = min(count, free // memory)
    return count if count > 1 else 0


def _scheduler() -> str | None:
    """Return the address of the scheduler that the environment names.

    Raises `UserError` if Dask can't read its settings.
    """
    try:
        import dask.config
    except ValueError as error:
        raise UserError(
            f"Dask's configuration must be valid; got: {first_line(error)}; mend or remove it"
        ) from error

    address: str | None = dask.config.get("scheduler-address", None)
    return address


@contextlib.contextmanager
def pool(tasks: int, memory: int = 0) -> Iterator[Pool]:
    """Yield a pool for this number of tasks, which take `memory` bytes each, and end it afterwards.

    Raises `UserError` if a named scheduler can't be reached, or its workers have another version of
    textclf.
    """
    address = _scheduler() if tasks >= FEWEST_TASKS else None
    if address is not None:
        with _connection(address) as client:
            yield ClusterPool(client)
    elif count := processes(tasks, memory):
        local = LocalPool(count)
        try:
            yield local
        finally:
            local.close()
    else:
        yield Pool()


@contextlib.contextmanager
def _connection(address: str) -> "Iterator[Client]":
    """Yield a client of a scheduler whose workers import this textclf."""
    from distributed import Client

    with contextlib.ExitStack() as stack:
        try:
            connected = Client(address, set_as_default=False)  # type: ignore[no-untyped-call]
            client = stack.enter_context(connected)
        except OSError as error:
            raise UserError(
                f"Dask's scheduler-address must be that of a running scheduler; got {address}"
            ) from error
        rule = f"the workers of {address} must import the same textclf as this process"
        try:
            others = [code for code in client.run(read_code).values() if code != read_code()]
        except (ImportError, AttributeError) as error:
            raise UserError(f"{rule}; {error}") from error
        if others:
            raise UserError(f"{rule}; restart them with it")
        yield client


@contextlib.contextmanager
def atomic_path(path: Path, scratch: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder `scratch`; rename its file to `path` at the end.

    A block that raises leaves `path` as it was. So `path` is complete or absent, even if a worker
    dies while it writes or two write the same file at once. Both folders must be on the same file
    system.
    """
    temporary = scratch / f"{path.name}.{uuid.uuid4().hex}"
    yield temporary
    temporary.replace(path)
