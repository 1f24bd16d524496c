"""Independent tasks on all cores, or on the machines of a Dask cluster, with the same results.

A scheduler is named as for any program that uses Dask: by DASK_SCHEDULER_ADDRESS in the environment, or by
`scheduler-address` in Dask's configuration. Its workers must see the same files under the same paths, and import the
same textclf. If none is named, one worker process is started for each core that this process may use (see taskset) and
ends with the pool; these have Dask's defaults, and not what the user has set for other programs.
"""

import atexit
import contextlib
import functools
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.core.locks import lock_folder
from textclf.core.progress import track
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

T = TypeVar("T")

FEWEST = 6  # tasks that are worth starting processes, which takes about a second
PREFIX = "textclf-pool-"  # of temporary folders
DEADLINE, LOOKS = 60, 6  # seconds without a worker after which none is expected, and looks in that time
NO_WORKERS = (
    "no worker process could be started, most likely for lack of memory; use fewer workers (taskset -c 0 is one), or a "
    "machine with more memory"
)
RETRIES = 2  # per failing task, for instance after a temporary failure of the file system


class Pool:
    """Runs tasks: with a Dask client on its workers, otherwise one after the other in this process."""

    def __init__(self, client: "Client | None" = None, named: bool = False) -> None:
        """Use this client; `pool` makes one if it pays. Workers of a named scheduler are waited for forever."""
        self.client, self.named = client, named

    def map(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], description: str) -> list[T]:
        """Call the function with each tuple of arguments and return the results in the same order.

        `description` labels the progress bar and errors. Workers must be able to import the function by its name.
        A task may be run again after a worker died, so it must give the same result and tolerate files of an earlier,
        interrupted call. Arguments and results should be small; write large results to files, with `atomic_path`.

        Raises the function's own exception, or `UserError` if several workers died of a task, or all of them and no new
        one starts.
        """
        if self.client is None:
            return [function(*task) for task in track(tasks, description, len(tasks))]
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        futures = [self.client.submit(function, *task, pure=False, retries=RETRIES) for task in tasks]
        try:
            return [self._result(future, description) for future in track(futures, description, len(futures))]
        except KilledWorker as error:
            raise UserError(
                f"{description}: several workers died while they worked on the same part, most likely because they "
                "ran out of memory; use fewer workers (taskset -c 0 is one), or shorter texts"
            ) from error
        except FutureCancelledError as error:
            raise UserError(f"{description}: lost the connection to the scheduler; restart it") from error

    def _result(self, future: Any, description: str) -> Any:
        """Return the result of a task; `UserError` if there has been no worker for about `DEADLINE` seconds."""
        without = 0  # looks at the scheduler in which it had no worker
        while not self.named and without < LOOKS:
            try:
                future.exception(timeout=DEADLINE / LOOKS)  # waits
            except TimeoutError:
                alive = self.client.scheduler_info()["workers"]  # type: ignore[union-attr]
                without = 0 if alive else without + 1
            else:
                break
        if without == LOOKS:
            raise UserError(f"{description}: {NO_WORKERS}")
        return future.result()


def processes(tasks: int, memory: int = 0) -> int:
    """Return how many processes `pool` starts for the tasks: 0 if it does them in this one, or names a scheduler.

    There is one for each core, but only as many as fit into the available memory with `memory` bytes each.
    """
    if tasks < FEWEST or _scheduler() is not None:
        return 0
    count = min(len(os.sched_getaffinity(0)), tasks)
    if memory and (free := resources.available_memory()) is not None:
        count = min(count, free // memory)
    return count if count > 1 else 0


def _scheduler() -> str | None:
    """Return the address of the scheduler that the environment names; `UserError` if Dask can't read its settings."""
    try:
        import dask.config
    except ValueError as error:
        raise UserError(f"Dask's configuration must be valid; got: {first_line(error)}; mend or remove it") from error

    address: str | None = dask.config.get("scheduler-address", None)
    return address


@contextlib.contextmanager
def pool(tasks: int, memory: int = 0) -> Iterator[Pool]:
    """Yield a pool for this number of tasks, which take `memory` bytes each, and end it afterwards.

    Raises `UserError` if a named scheduler can't be reached, or its workers have another version of textclf, or no
    worker can be started.
    """
    count = processes(tasks, memory)
    address = _scheduler() if tasks >= FEWEST else None
    if not count and address is None:
        yield Pool()
        return
    with contextlib.ExitStack() as stack:
        scheduler = address or stack.enter_context(_cluster(count))
        from distributed import Client

        try:
            client = stack.enter_context(Client(scheduler, set_as_default=False))  # type: ignore[no-untyped-call]
        except OSError as error:
            raise UserError(f"Dask's scheduler-address must be that of a running scheduler; got {address}") from error
        if address is not None:
            _require_this_code(client, address)
        yield Pool(client, named=address is not None)


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
def _cluster(count: int) -> "Iterator[LocalCluster]":
    """Yield a scheduler on the loopback interface with this number of single-threaded workers; end it afterwards."""
    # Workers are forked from a server process that has already imported what all of them need. textclf can't be among
    # it: before Python 3.12 that process does not search the directory in which this one found textclf.
    folder = temporary_folder()
    multiprocessing.process.current_process()._config.setdefault("tempdir", str(folder))  # type: ignore[attr-defined]
    multiprocessing.set_forkserver_preload(["distributed.nanny", "pandas", "pyarrow.parquet", "scipy.sparse"])
    with _ignoring_interrupts():  # which this process gets too, and then ends them
        forkserver.ensure_running()
    import dask.config
    from distributed import LocalCluster

    settings: dict[str, Any] = {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    logging.getLogger("distributed.diskutils").setLevel(logging.CRITICAL)  # folders that are gone when it exits
    with (
        # A worker that is being started again may write into the folder while it is removed.
        tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as pool_folder,
        dask.config.set(dask.config.merge(*dask.config.defaults) | settings | {"temporary-directory": pool_folder}),
    ):
        try:
            cluster = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=count,
                threads_per_worker=1,
                scheduler_kwargs={"dashboard": False, "dashboard_address": ":0"},  # None means port 8787
                silence_logs=logging.CRITICAL,  # failures come back as exceptions
                death_timeout=DEADLINE,
            )
        except (RuntimeError, TimeoutError) as error:
            raise UserError(NO_WORKERS) from error
        try:
            yield cluster
        finally:
            # While a worker that died is being started again, closing may fail, which must not hide the error of the
            # work.
            with contextlib.suppress(AssertionError, RuntimeError, OSError):
                cluster.close()


@contextlib.contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Let processes that are started in the block, and their children, ignore SIGINT."""
    if threading.current_thread() is not threading.main_thread():  # the only one that may set it
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@functools.cache
def temporary_folder() -> Path:
    """Return a folder of this process, which is removed when it exits; if it is killed, by the next process.

    A living process holds a lock on its folder, which the kernel releases when it ends.
    """
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, or of another user
            if not path.is_symlink() and (abandoned := lock_folder(path, wait=False)) is not None:
                shutil.rmtree(path, ignore_errors=True)
                abandoned.close()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        if (lock := lock_folder(folder, wait=True)) is not None:  # no other process removed it before it was locked
            atexit.register(_remove_locked, folder, lock)
            return folder


def _remove_locked(folder: Path, lock: IO[bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


@contextlib.contextmanager
def atomic_path(path: Path, scratch: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder `scratch`; its file is renamed to `path` if the block ends without error.

    So `path` is complete or absent, even if a worker dies while it writes or two write the same file at once. Both
    folders must be on the same file system.
    """
    temporary = scratch / f"{path.name}.{uuid.uuid4().hex}"
    yield temporary
    temporary.replace(path)
