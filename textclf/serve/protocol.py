"""HTTP/1.1 as uvicorn speaks it, with a deadline for slow clients and errors in JSON."""

import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Protocol(H11Protocol):
    """Close a connection if the head of a request has not arrived `timeout_keep_alive` seconds after the last response.

    uvicorn's own timer ends at the first byte, so that a client could hold a connection with half a head for ever, or
    go on sending a body that has been refused.
    """

    def connection_made(self, transport: object) -> None:
        """Start the timer, which uvicorn starts only after a response."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._close_at(self.loop.time() + self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        """Handle the data; go on with the timer unless it completed the head of a request."""
        timer = self.timeout_keep_alive_task
        super().data_received(data)
        unanswered = self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE
        if timer and unanswered and not self.timeout_keep_alive_task and not self.transport.is_closing():
            self._close_at(timer.when())

    def _close_at(self, deadline: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_at(deadline, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the form of all errors."""
        body = json.dumps({"error": f"the request must be HTTP/1.1; {msg}"}).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
