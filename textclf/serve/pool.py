"""Threads that classify, so that the event loop stays free for other requests, and refusals while all are in use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import HTTPException

T = TypeVar("T")


def busy() -> HTTPException:
    """Return the error of a request for which there is no room."""
    return HTTPException(503, "the server is busy; try again in a second", {"Retry-After": "1"})


class Pool:
    """Threads, and how many calls may wait for them or run in them at once."""

    def __init__(self, threads: int, calls: int) -> None:
        """Start no thread before it is needed."""
        self.executor = ThreadPoolExecutor(threads)
        self.most = calls
        self.calls: set[Future[Any]] = set()  # a call that was given up stays until its thread has ended

    def require_room(self) -> None:
        """Raise `HTTPException` if another call would be too many."""
        if len(self.calls) >= self.most:
            raise busy()

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what the function returns; `HTTPException` if another call would be too many."""
        self.require_room()
        call = self.executor.submit(function, *arguments)
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        return await asyncio.wrap_future(call)
