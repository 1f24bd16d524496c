"""Worker processes on this machine that are forked from this one and do one task at a time.

A fork starts in milliseconds and has all modules that this process has imported. It is safe here because the other
threads that a stage may have (of Arrow's pools, of a progress bar) are idle then, and Arrow starts its own anew.
"""

import contextlib
import ctypes
import errno
import multiprocessing
import os
import signal
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any, NamedTuple

from textclf.core.errors import UserError

DEATHS = 3  # of workers at one task, after which it is given up
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
MOST_EXPENDABLE = "1000"  # what the kernel kills first if the memory is used up
NO_WORKERS = (
    "no worker process could be started, most likely for lack of memory; use fewer workers (taskset -c 0 is one), or a "
    "machine with more memory"
)
DIED = (
    "several workers died while they worked on the same part, most likely because they ran out of memory; use fewer "
    "workers (taskset -c 0 is one), or shorter texts"
)

Task = tuple[Any, ...]


class Outcome(NamedTuple):
    """The result of a task, or the exception that it raised."""

    result: Any
    error: Exception | None


class Worker:
    """A worker process, and the number of the task that it does."""

    def __init__(self) -> None:
        """Fork the process; `OSError` if that is not possible."""
        self.connection, theirs = multiprocessing.Pipe()
        self.task: int | None = None
        self.process = ForkProcess(target=_work, args=(theirs, self.connection, os.getpid()), daemon=True)
        # A Ctrl+C that arrives before the child ignores it waits for the parent.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, that there are other threads
                self.process.start()
        except OSError:
            self.connection.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def send(self, number: int, function: Callable[..., Any], task: Task) -> None:
        """Let the process do a task, if it lives."""
        self.task = number
        with contextlib.suppress(BrokenPipeError):
            self.connection.send((function, task))

    def receive(self) -> Outcome | None:
        """Wait for the outcome of the task; None if the process has died."""
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return None
        self.task = None
        return outcome

    def end(self) -> None:
        """Kill the process, whatever it does, and wait until it has ended."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


def _work(connection: Connection, parents: Connection, parent: int) -> None:
    """Do tasks until the parent ends this process, or ends itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    parents.close()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(MOST_EXPENDABLE, encoding="utf-8")
    while os.getppid() == parent:
        try:
            function, task = connection.recv()
        except EOFError:
            return
        outcome = _outcome(function, task)
        try:
            connection.send(outcome)
        except OSError:  # the parent has ended
            return
        except Exception as error:  # noqa: BLE001 (of a result that can't be sent)
            connection.send(Outcome(None, error))


def _outcome(function: Callable[..., Any], task: Task) -> Outcome:
    """Do a task; the traceback of its exception becomes a note."""
    try:
        return Outcome(function(*task), None)
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return Outcome(None, error)


class Processes:
    """Worker processes, which start with the first task; one that dies is replaced."""

    def __init__(self, count: int) -> None:
        """Use up to `count` processes."""
        self.count = count
        self.workers: list[Worker] = []

    def run(self, function: Callable[..., Any], tasks: Sequence[Task], description: str) -> Iterator[tuple[int, Any]]:
        """Yield the position and the result of each task, in the order in which they end.

        Raises the exception of a task, or `UserError` if `DEATHS` workers died of one or none can be started.
        """
        try:
            yield from self._run(function, tasks, description)
        except BaseException:
            self.close()  # they work on tasks that nobody waits for
            raise

    def _run(self, function: Callable[..., Any], tasks: Sequence[Task], description: str) -> Iterator[tuple[int, Any]]:
        waiting, deaths = deque(range(len(tasks))), Counter[int]()
        while waiting or self._busy():
            self._start(min(self.count, len(self._busy()) + len(waiting)), description)
            for worker in self.workers:
                if worker.task is None and waiting:
                    number = waiting.popleft()
                    worker.send(number, function, tasks[number])
            for worker, number in self._ready():
                if (outcome := worker.receive()) is None:
                    self.workers.remove(worker)
                    worker.end()
                    waiting.appendleft(number)
                    deaths[number] += 1
                    if deaths[number] == DEATHS:
                        raise UserError(f"{description}: {DIED}")
                elif outcome.error is not None:
                    raise outcome.error
                else:
                    yield number, outcome.result

    def _start(self, count: int, description: str) -> None:
        """Start workers until there are so many, or as many as the machine allows."""
        while len(self.workers) < count:
            try:
                self.workers.append(Worker())
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.ENOMEM}:
                    raise
                if not self.workers:
                    raise UserError(f"{description}: {NO_WORKERS}") from error
                return

    def _busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.task is not None]

    def _ready(self) -> list[tuple[Worker, int]]:
        """Wait for workers that have done their task or died; return them, each with the number of its task."""
        ready = wait([worker.connection for worker in self._busy()])
        return [(each, each.task) for each in self.workers if each.connection in ready and each.task is not None]

    def close(self) -> None:
        """End all processes."""
        while self.workers:
            self.workers.pop().end()
