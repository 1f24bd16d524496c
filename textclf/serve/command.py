"""The command `textclf serve`: from its arguments to a server that runs until it is stopped."""

import ipaddress
import logging
import math
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from textclf.artifacts.decisions import INDEX, read_index
from textclf.core.errors import UserError
from textclf.core.failures import complain, discard
from textclf.core.resources import limit_of
from textclf.predict.predictor import Predictor, find_model, load
from textclf.serve import Limits, middleware
from textclf.serve.app import create_app
from textclf.serve.arguments import Serve
from textclf.serve.protocol import Protocol

MAX_CONNECTIONS, MAX_BACKLOG = 1024, 128  # at once; and those that wait to be accepted
OWN_FILES = 32  # open at most besides connections
IDLE_SECONDS = 5  # until a connection without a request is closed
MAX_PORT = 65535
# Seconds that a thread may keep Python's lock while others wait. By default 0.005, so that the loop
# which reads and writes would wait for that long at every step while a model predicts.
SWITCH_SECONDS = 0.0005


def run(arguments: Serve) -> None:
    """Serve models until SIGTERM or SIGINT; requests in work are then answered first."""
    for name in ("max_texts", "max_characters", "max_bytes", "max_requests", "threads"):
        if (value := getattr(arguments, name)) < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1; got {value}")
    if not 0 < arguments.timeout < math.inf:
        raise UserError(
            f"--timeout must be a number of seconds greater than 0; got {arguments.timeout:g}"
        )
    limits = Limits(
        arguments.max_texts,
        arguments.max_characters,
        arguments.max_bytes,
        arguments.max_requests,
        arguments.timeout,
    )
    models, default = load_models(arguments.choice.models, arguments.choice.model)
    middleware.start_log(sys.stdout)
    with listen(arguments.host, arguments.port) as listener:
        ip = ipaddress.ip_address(listener.getsockname()[0].partition("%")[0])
        app = create_app(models, default, limits, arguments.threads, local=ip.is_loopback)
        server = uvicorn.Server(configure(app, limits))
        # uvicorn sends itself the signal once more when it has shut down; this exits with 0 then.
        signal.signal(signal.SIGTERM, server.handle_exit)
        names = ", ".join(f"{name} (default)" if name == default else name for name in models)
        complain(f"serving {names} at {address(listener)}")
        sys.setswitchinterval(SWITCH_SECONDS)
        server.run(sockets=[listener])
    discard(sys.stdout)
    discard(sys.stderr)


def configure(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    """Return the settings of a server whose connections stay below the limit of open files.

    asyncio accepts up to `backlog` connections per turn of the loop, and closes a surplus one four
    turns later.
    """
    files = limit_of("RLIMIT_NOFILE")
    room = max(8, math.inf if files is None else files - OWN_FILES)
    connections, backlog = int(min(MAX_CONNECTIONS, room // 2)), int(min(MAX_BACKLOG, room // 8))
    protocol: Any = partial(Protocol, most_connections=connections, seconds=limits.seconds)
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,  # a client can cause any number of warnings
        access_log=False,
        server_header=False,
        backlog=backlog,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(limits.seconds),
    )


def load_models(folder: Path, name: str | None) -> tuple[dict[str, Predictor], str]:
    """Return every model of a folder by name, and that of the default or of a further folder.

    Raises `UserError` as `load`.
    """
    default = find_model(folder, name)
    names = read_index(folder)[1] if (folder / INDEX).exists() else []
    paths = {**{each: folder / each for each in names}, default.name: default}
    return {each: load(path) for each, path in paths.items()}, default.name


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises `UserError` if the address can't be had. Port 0 is any free one.
    """
    if not 0 <= port <= MAX_PORT:
        raise UserError(f"--port must be from 0 to {MAX_PORT}; got {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"--host and --port must be a free address; got {host} and {port} ({reason})"
        ) from error
    # Connections inherit this, which asyncio does not set for such a socket. Without it, the body
    # of a response waits 40 ms for the client to acknowledge the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
