"""HTTP/1.1 of uvicorn, with deadlines for slow clients, few connections, and errors in JSON."""

import asyncio
import json
from typing import Any, cast

import h11
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol

# The parser takes as long for a chunk of one byte as for one of kilobytes. So a body may have this
# many chunks of any size, and one more for every 1,024 bytes: 4,160 chunks for 4 MiB. Clients and
# proxies send chunks of about 1.4 KB (a packet) or more.
FREE_CHUNKS, BYTES_PER_CHUNK = 64, 1024
# Lines of a head, and of the trailers of a body: Apache's default of LimitRequestFields.
MAX_LINES = 100


class Buffer(ReceiveBuffer):
    """What has been received, with a limit of header lines: each takes the parser 5 µs."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines up to the first blank one, None before it has come."""
        lines = super().maybe_extract_lines()
        if lines and len(lines) > MAX_LINES:
            raise h11.LocalProtocolError("too many lines")
        return lines


class Connection(h11.Connection):
    """HTTP/1.1 as h11 speaks it, but with few headers and few small chunks of a body."""

    chunks = 0  # of the body in work
    received = 0  # bytes of it

    def next_event(self) -> Any:
        """Return the next event; `RemoteProtocolError` at a chunk too many."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.chunks = self.received = 0
        elif isinstance(event, h11.Data):
            self.chunks += event.chunk_start
            self.received += len(event.data)
        if self.has_small_chunks:
            raise h11.RemoteProtocolError("too many chunks")
        return event

    @property
    def has_small_chunks(self) -> bool:
        """Whether the body in work has too many chunks for its bytes."""
        return self.chunks > FREE_CHUNKS + self.received // BYTES_PER_CHUNK


class Protocol(H11Protocol):
    """Close connections beyond a limit, and those of clients that are too slow.

    The head of a request must arrive `timeout_keep_alive` seconds after the last response, and a
    response must be taken in `seconds`. uvicorn's own timer ends at the first byte, and for a
    response that nobody takes it has none.
    """

    def __init__(
        self, *arguments: Any, most_connections: int, seconds: float, **options: Any
    ) -> None:
        """Make a connection of a server; uvicorn gives the other arguments."""
        super().__init__(*arguments, **options)
        self.conn: Connection = Connection(h11.SERVER)
        self.conn._receive_buffer = Buffer()
        self.most_connections = most_connections
        self.seconds = seconds
        self.write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer, which uvicorn starts only after a response."""
        super().connection_made(cast("asyncio.Transport", transport))
        if len(self.connections) > self.most_connections:
            self._refuse(503, "the server has too many connections; try again in a second")
            return
        # So `pause_writing` is called for a single byte.
        self.transport.set_write_buffer_limits(high=0)
        self._close_at(self.loop.time() + self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """Start the deadline of a response that the client does not take."""
        super().pause_writing()
        self.write_deadline = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """End the deadline when all has been taken."""
        super().resume_writing()
        self._end_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the deadline with the connection."""
        super().connection_lost(exc)
        self._end_deadline()

    def _end_deadline(self) -> None:
        if self.write_deadline:
            self.write_deadline.cancel()

    def data_received(self, data: bytes) -> None:
        """Handle the data; go on with the timer unless it completed the head of a request."""
        timer = self.timeout_keep_alive_task
        super().data_received(data)
        unanswered = self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE
        if (
            timer
            and unanswered
            and not self.timeout_keep_alive_task
            and not self.transport.is_closing()
        ):
            self._close_at(timer.when())

    def _close_at(self, deadline: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_at(deadline, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, and a body in too many chunks."""
        if self.conn.has_small_chunks:
            self._refuse(
                413,
                f"the body must have at most {FREE_CHUNKS} chunks, and one more per "
                f"{BYTES_PER_CHUNK:,} bytes; send larger ones",
            )
        else:
            self._refuse(400, f"the request must be HTTP/1.1; {msg}")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in the form of all errors unless that has been done, and close the connection."""
        body = json.dumps({"error": message}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            events = (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        if self.cycle:
            self.cycle.disconnected = True  # so that the application does not answer, too
        self.transport.close()
