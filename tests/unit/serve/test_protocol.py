"""Connections to a server: deadlines of slow clients, their number, what is not HTTP."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import h11
import pytest
import uvicorn

from tests.unit.serve.clients import make_app
from textclf.serve import protocol
from textclf.serve.middleware import AccessLog
from textclf.serve.protocol import Protocol

IDLE = 0.2  # seconds until a connection without a request is closed
POST = b"POST /predict HTTP/1.1\r\nHost: server\r\nContent-Type: application/json\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: server\r\n\r\n"
UPGRADE = GET.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def connect(client: Client, most_connections: int = 9, **limits: Any) -> None:
    """Run a client against a server; it must end within seconds."""

    async def run() -> None:
        config = uvicorn.Config(
            make_app(**{"bytes": 100, **limits}),
            http=partial(  # type: ignore[arg-type]
                Protocol, most_connections=most_connections, seconds=IDLE
            ),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=IDLE,  # type: ignore[arg-type]
        )
        config.timeout_keep_alive = IDLE  # type: ignore[assignment]
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # That of its connections, so that little fills it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            serving = asyncio.create_task(server.serve([listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=4096)
            async with asyncio.timeout(30):
                await client(reader, writer)
            writer.close()
            server.should_exit = True
            await serving

    asyncio.run(run())


async def status_of(reader: asyncio.StreamReader) -> int:
    """Return the status of the next response, and read it to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split()[1])


async def flood(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send a piece again and again; `ConnectionError` when the server has closed the connection."""
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(IDLE / 20)


@pytest.mark.parametrize(
    "head", [b"", GET[:1], GET[:-2]], ids=["no byte", "a byte", "all but the end"]
)
def test_a_connection_without_a_whole_head_is_closed(head: bytes) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        assert await reader.read() == b""

    connect(client)


def test_a_body_may_take_longer_than_a_head_and_the_response_closes_the_connection() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(POST + b"Content-Length: 15\r\n\r\n")
        await asyncio.sleep(2 * IDLE)
        writer.write(b'{"texts": [""]}')
        assert await status_of(reader) == 200
        assert await reader.read() == b""

    connect(client)


CHUNK = b"64\r\n" + b"x" * 100 + b"\r\n"
FLOODS = {
    "a head that arrives byte by byte": (b"", [], b"x"),
    "a body that was refused": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + 2 * CHUNK,
        [413],
        CHUNK,
    ),
    "answers that are not read": (b"", [], 1000 * GET),
}


@pytest.mark.parametrize(("first", "statuses", "piece"), FLOODS.values(), ids=FLOODS)
def test_a_client_that_goes_on_for_too_long_is_cut_off(
    first: bytes, statuses: list[int], piece: bytes
) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        assert [await status_of(reader) for _ in statuses] == statuses
        with pytest.raises(ConnectionError):
            await flood(writer, piece)

    connect(client)


BOTH = POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (
            b"\x16\x03\x01 hello\r\n\r\n",
            "the request must be HTTP/1.1; Invalid HTTP request received.",
        ),
        (BOTH, "a request must have Content-Length or Transfer-Encoding; got both"),
    ],
)
def test_what_is_not_http_is_refused_in_json_and_what_follows_is_not_read(
    sent: bytes, message: str
) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body) == {"error": message}

    connect(client)


def test_a_head_in_pieces_is_answered_and_the_connection_used_again() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in (GET, GET, UPGRADE):
            for piece in (request[:5], request[5:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            assert await status_of(reader) == 200

    connect(client)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"Content-Length: 200\r\n\r\n" + b"x" * 200 + GET, 413),
        (b"Content-Length: 200\r\n\r\n", 413),
        (b"Content-Length: 90\r\n\r\n", 408),
        (b"Transfer-Encoding: chunked\r\n\r\n" + 2 * CHUNK, 413),
    ],
)
def test_after_a_refused_body_the_connection_is_closed(sent: bytes, status: int) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(POST + sent)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert (answer.count(b"HTTP/1.1"), b"\r\nconnection: close\r\n" in answer) == (1, True)

    connect(client, seconds=IDLE)


def test_what_is_not_http_after_the_response_ends_the_connection_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(POST.replace(b"predict", b"health") + b"Transfer-Encoding: chunked\r\n\r\n")
        assert await status_of(reader) == 405
        writer.write(b"no chunk\r\n")
        assert await reader.read() == b""

    connect(client)
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


SMALL_CHUNKS = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"texts": [""]}')


@pytest.mark.parametrize(("free", "status"), [(15, 200), (14, 413)])
def test_a_body_in_too_many_small_chunks_is_refused(
    free: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "FREE_CHUNKS", free)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):  # each body is counted for itself
            writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n" + SMALL_CHUNKS + b"0\r\n\r\n")
            if status == 200:
                assert await status_of(reader) == 200
        if status == 413:
            answer = await reader.read()
            rule = b"the body must have at most 14 chunks, and one more per 1,024 bytes"
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert answer.endswith(b'{"error": "%b; send larger ones"}' % rule)

    connect(client)


@pytest.mark.parametrize(("size", "parsed"), [(1, 65), (64, 69), (1024, 200)])
def test_small_chunks_are_refused_before_the_rest_is_parsed(size: int, parsed: int) -> None:
    connection = protocol.Connection(h11.SERVER)
    chunk = b"%x\r\n%b\r\n" % (size, size * b"x")
    connection.receive_data(POST + b"Transfer-Encoding: chunked\r\n\r\n" + 200 * chunk)
    with suppress(h11.RemoteProtocolError):
        while connection.next_event() is not h11.NEED_DATA:
            pass
    assert (connection.chunks, connection.has_small_chunks) == (parsed, parsed < 200)


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        GET[:-2] + 99 * b"a:\r\n",
        GET[:-2] + 99 * b" a\r\n",
        CHUNKED + b'f\r\n{"texts": [""]}\r\n0\r\n' + 101 * b"a:\r\n",
    ],
    ids=["headers", "folded lines", "trailers"],
)
def test_more_than_a_hundred_lines_of_headers_are_refused(sent: bytes) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent + b"\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")

    connect(client)


def test_what_is_refused_at_once_is_answered_once_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED.replace(b"predict", b"health") + b"no chunk\r\n")
        assert (await reader.read()).count(b"HTTP/1.1 ") == 1

    connect(client)
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_ends_before_it_can_answer_says_so_without_a_traceback(
    begun: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    servers: list[uvicorn.Server] = []

    async def endless(_: object, __: object, send: Any) -> None:
        if begun:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", b"9")],
                }
            )
        servers[0].should_exit = True
        await asyncio.Event().wait()

    class Noted(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    monkeypatch.setattr(uvicorn, "Server", Noted)
    monkeypatch.setitem(globals(), "make_app", lambda **_: AccessLog(endless))

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 " if begun else b"HTTP/1.1 503 ")
        assert begun or answer.endswith(b'{"error":"the server has been stopped"}')

    connect(client)
    assert not any(record.exc_info for record in caplog.records)


def test_a_connection_beyond_the_limit_is_refused_and_leaves_the_others_alone() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET)
        assert await status_of(reader) == 200
        another, other_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
        head, _, body = (await another.read()).partition(b"\r\n\r\n")
        other_writer.close()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert json.loads(body) == {
            "error": "the server has too many connections; try again in a second"
        }
        writer.write(GET)
        assert await status_of(reader) == 200

    connect(client, most_connections=1)


def test_an_answer_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_: object, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.sleep(2 * IDLE)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
        )
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setitem(globals(), "make_app", lambda **_: slow)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (GET[:5], GET[5:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert await status_of(reader) == 200

    connect(client)
