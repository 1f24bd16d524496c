"""Independent tasks on all cores, or on the machines of a Dask cluster, with the same results.

A scheduler is named as for any program that uses Dask: by DASK_SCHEDULER_ADDRESS in the
environment, or by `scheduler-address` in Dask's configuration. Its workers must see the same files
under the same paths, and import the same textclf. If none is named, one worker process is started
for each core that this process may use (see taskset) and ends with the pool.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import reduce
from operator import iadd
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textclf.core import resources
from textclf.core.code import read_code
from textclf.core.errors import UserError
from textclf.core.progress import bar, track
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from distributed import Client, Future
    from numpy.typing import NDArray

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
        self._executor = ProcessPoolExecutor(
            count, multiprocessing.get_context("fork" if forks() else "spawn"), _begin
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
        futures = [
            self.client.submit(function, *task, pure=False, retries=RETRIES) for task in tasks
        ]
        return list(results_of(track(futures, description, len(futures)), description))


def results_of(futures: "Iterable[Future[Any]]", description: str) -> Iterator[Any]:
    """Yield the results of a cluster in order.

    Raises `UserError` if a worker died of a task, or the scheduler is lost.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        for future in futures:
            yield future.result()
    except KilledWorker as error:
        raise UserError(f"{description}: {DIED}") from error
    except (FutureCancelledError, CommClosedError) as error:
        raise UserError(
            f"{description}: lost the connection to the scheduler; restart it"
        ) from error


class Kept:
    """Parts of the data, loaded in threads of this process and kept for several sums over them.

    They are kept in up to half of the free memory; others are loaded again for each sum. The
    results of the parts are added in order, so that a sum depends on neither.
    """

    passes = 0  # sums so far

    def __init__(
        self, load: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], memory: int, bar: Any
    ) -> None:
        """Load nothing yet; `bar` shows how many parts were added."""
        self._load, self._tasks, self._bar = load, tasks, bar
        self._parts: dict[int, Any] = {}
        free = resources.available_memory() or 0
        self._room, self._threads = free // 2, min(resources.cores(), len(tasks))
        if free and memory:
            self._threads = max(1, min(self._threads, self._room // memory))

    def sum(self, function: "Callable[..., NDArray[Any]]", *arguments: Any) -> "NDArray[Any]":
        """Return the sum of a function, which returns new arrays, of each part and arguments."""
        self.passes += 1
        return reduce(iadd, self._counted(self._results(function, arguments)))

    def _counted(self, results: Iterator[T]) -> Iterator[T]:
        for result in results:
            yield result
            self._bar.update()

    def _results(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> Iterator[T]:
        with ThreadPoolExecutor(self._threads) as threads:
            yield from threads.map(
                lambda number: function(self._part(number), *arguments), range(len(self._tasks))
            )

    def _part(self, number: int) -> Any:
        part = self._parts.get(number)
        if part is None:
            part = self._load(*self._tasks[number])
            if part.nbytes <= self._room:
                self._room -= part.nbytes
                self._parts[number] = part
        return part


class KeptOnCluster(Kept):
    """Parts that the workers of a cluster keep; Dask loads those of a lost worker again."""

    def __init__(
        self,
        client: "Client",
        load: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        description: str,
        bar: Any,
    ) -> None:
        """Begin to load all parts."""
        self._client, self._description, self._bar = client, description, bar
        self._futures = [self._submit(load, *task) for task in tasks]

    def _results(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> Iterator[T]:
        # Each argument is sent once, as a result that workers pass on to each other.
        sent = [self._submit(_same, argument) for argument in arguments]
        futures = [self._submit(function, part, *sent) for part in self._futures]
        yield from results_of(futures, self._description)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._client.submit(function, *arguments, pure=False, retries=RETRIES)


def _same(argument: T) -> T:
    return argument


@contextlib.contextmanager
def keep(
    load: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    description: str,
    memory: int = 0,
    remote: bool = True,
) -> Iterator[Kept]:
    """Yield the parts that `load` returns for each task, to be summed over.

    A part has its size in memory as `nbytes`; a thread takes `memory` bytes to sum one. With
    `remote` they are on the workers of a cluster, if one is named and there are several. Raises
    `UserError` as `pool` and `Pool.map`.
    """
    with (
        contextlib.closing(bar(description, None, "shard", scaled=False)) as progress,
        contextlib.ExitStack() as stack,
    ):
        address = _scheduler() if remote and len(tasks) >= FEWEST_TASKS else None
        if address is None:
            yield Kept(load, tasks, memory, progress)
        else:
            client = stack.enter_context(_connection(address))
            yield KeptOnCluster(client, load, tasks, description, progress)


def reachable(paths: Sequence[Path]) -> Sequence[Path]:
    """Return the paths, absolute if workers of a cluster in other folders may read them."""
    is_remote = len(paths) >= FEWEST_TASKS and _scheduler() is not None
    return [path.absolute() for path in paths] if is_remote else paths


def ahead(results: Iterator[T]) -> Iterator[T]:
    """Yield the results, none of which is None; a thread makes the next while one is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, results, None)
        while (result := coming.result()) is not None:
            coming = thread.submit(next, results, None)
            yield result


def forks() -> bool:
    """Return whether worker processes start as copies of this one."""
    return "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"


def processes(tasks: int, memory: int = 0) -> int:
    """Return how many processes `pool` starts for the tasks.

    0 if it runs them in this process or on a named scheduler. Otherwise there is one for each core,
    but only as many as fit into the available memory with `memory` bytes each.
    """
    return 0 if _scheduler() is not None else _local_processes(tasks, memory)


def _local_processes(tasks: int, memory: int) -> int:
    if tasks < FEWEST_TASKS:
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
    else:
        with local_pool(tasks, memory) as local:
            yield local


@contextlib.contextmanager
def local_pool(tasks: int, memory: int = 0) -> Iterator[Pool]:
    """Yield a pool as `pool` does without a scheduler.

    If it `forks`, its processes have what this one has in memory at the first task.
    """
    count = _local_processes(tasks, memory)
    if not count:
        yield Pool()
        return
    local = LocalPool(count)
    try:
        yield local
    finally:
        local.close()


@contextlib.contextmanager
def _connection(address: str) -> "Iterator[Client]":
    """Yield a client of a scheduler whose workers import this textclf."""
    import dask.config
    from distributed import Client

    # Dask prints a traceback for a scheduler that is gone; `results_of` says it in one line.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    # Of the parameters of a model with many classes.
    quiet = {"distributed.admin.large-graph-warning-threshold": "1TB"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(quiet))
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
