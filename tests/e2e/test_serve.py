"""`textclf serve` as a process: under load, and stopped."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

import httpx
import pytest

from tests.processes import WINDOWS
from tests.unit.predict.models import export, network, two_classes
from textclf.artifacts.decisions import write_index

TEXTS = [["The food was great."], ["Never again.", ""], ["☃"] * 50]
CLIENTS = 100
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


class Serving(NamedTuple):
    """A server: its process, its port, the folder with its models, and a client of it."""

    process: subprocess.Popen[str]
    port: int
    folder: Path
    client: httpx.Client

    def post(self, **content: object) -> httpx.Response:
        return self.client.post("/predict", json=content)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    export(two_classes(), folder / "models" / "linear")
    export(network(), folder / "models" / "network")
    write_index("network", ["linear", "network"], folder / "models")
    return folder


@contextlib.contextmanager
def serve(folder: Path, stdout: int | IO[str] = subprocess.PIPE) -> Iterator[Serving]:
    """Run a server with the default limits."""
    command = [sys.executable, "-m", "textclf.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stderr is not None
        started = process.stderr.readline()
        match = re.fullmatch(
            r"serving linear, network \(default\) at http://127\.0\.0\.1:(\d+)\n", started
        )
        assert match, started
        limits = httpx.Limits(max_connections=CLIENTS)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{match[1]}", trust_env=False, timeout=60, limits=limits
        ) as client:
            yield Serving(process, int(match[1]), folder, client)
        process.kill()


@pytest.fixture
def serving(folder: Path) -> Iterator[Serving]:
    with serve(folder) as serving:
        yield serving


def stop(serving: Serving) -> tuple[int, list[dict[str, object]], str]:
    """Stop a server with SIGTERM and return its exit code, the lines of its log, and stderr."""
    serving.process.send_signal(signal.SIGTERM)
    out, err = serving.process.communicate(timeout=60)
    return serving.process.returncode, [json.loads(line) for line in (out or "").splitlines()], err


def test_it_answers_and_stops_on_what_windows_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", WINDOWS)
    with serve(folder) as serving:
        assert serving.post(texts=TEXTS[0]).status_code == 200
        assert stop(serving)[0] == 0


def read_response(connection: socket.socket) -> tuple[int, bytes]:
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    lengths = [
        line
        for line in iter(stream.readline, b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    return status, stream.read(int(lengths[0].split(b":")[1]))


def test_a_hundred_clients_get_what_the_command_prints_and_sigterm_ends_the_server(
    serving: Serving,
) -> None:
    expected = {}
    for texts in TEXTS:
        command = [sys.executable, "-m", "textclf.cli", "predict", "--", *texts]
        expected[len(texts)] = subprocess.run(
            command, cwd=serving.folder, capture_output=True
        ).stdout

    def client(number: int) -> list[httpx.Response]:
        return [serving.post(texts=TEXTS[(number + turn) % len(TEXTS)]) for turn in range(3)]

    with ThreadPoolExecutor(CLIENTS) as clients:
        responses = [
            response for answers in clients.map(client, range(CLIENTS)) for response in answers
        ]
    assert {response.status_code for response in responses} <= {200, 503}
    answered = [response.content for response in responses if response.status_code == 200]
    for content in answered:
        _, *lines, _, _ = content.replace(b"},\n", b"}\n").split(b"\n")
        assert b"".join(line + b"\n" for line in lines) == expected[len(lines)]
    status, log, err = stop(serving)
    assert (status, err) == (0, "")
    assert len(log) == 3 * CLIENTS
    assert sum(line["status"] == 200 for line in log) == len(answered) > 0


def test_a_request_in_work_is_answered_before_the_server_ends(serving: Serving) -> None:
    body = json.dumps({"texts": ["great"]}).encode()
    with serving.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[:5])
        assert serving.client.get("/health").status_code == 200  # so it has read the head before it
        serving.process.send_signal(signal.SIGTERM)
        while True:  # until it listens no more
            try:
                serving.connect().close()
            except OSError:
                break
        connection.sendall(body[5:])
        status, content = read_response(connection)
    assert status == 200
    assert json.loads(content)["predictions"][0]["text"] == "great"
    assert serving.process.wait(60) == 0


def test_a_full_disk_of_stderr_does_not_keep_the_server_from_starting(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "textclf.cli", "serve", "--port", str(port)]
    with (
        Path("/dev/full").open("w") as full,
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=full) as process,
    ):
        answer = None
        while answer is None and process.poll() is None:
            with contextlib.suppress(httpx.ConnectError):
                answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=60)
        assert answer is not None
        process.terminate()
        assert (answer.status_code, process.wait(60)) == (200, 0)
