"""Measure `textclf serve` on the loopback interface: requests per second, latencies, and health under load.

    python -m benchmarks.serve

Needs the models of a run. A server with its default options runs beside this client, which keeps one connection per
client open, sends the next request when the last one has been answered, and shares the machine's cores with the server.
The texts are those of the corpus, in turn. While clients send requests of 100 texts, one more asks for /health. Rates
are the median of the rounds; latencies are of all rounds together.
"""

import asyncio
import itertools
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results
from textclf.artifacts import splits

ROUNDS, SECONDS = 5, 4.0  # of each case in a round
CASES = ((1, 1), (1, 8), (100, 1), (100, 8))  # texts per request, clients
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM_UP = 20  # requests


class Measured(NamedTuple):
    """Seconds of each request, and of all."""

    latencies: list[float]
    seconds: float


def run() -> dict[str, Any]:
    """Start a server, and return the measurements of all cases."""
    texts = [text for rows in splits.read(Path("data/splits")).values() for text in rows["text"]]
    command = [sys.executable, "-m", "textclf.cli", "serve", "--port", "0"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None  # noqa: S101 (a pipe, see above)
            port = int(re.findall(r":(\d+)$", server.stderr.readline().strip())[0])
            content = asyncio.run(measure(port, texts, started))
        finally:
            server.terminate()
    return content | {"characters": round(statistics.mean(map(len, texts))), "rounds": ROUNDS}


async def measure(port: int, texts: list[str], started: float) -> dict[str, Any]:
    """Return the measurements of all cases, in alternation."""
    await request_for(port, itertools.repeat(HEALTH), 0)
    start = time.perf_counter() - started
    for count, _ in CASES:
        await request_for(port, itertools.islice(bodies(texts, count), WARM_UP), 60)
    found: dict[tuple[int, int], list[Measured]] = {case: [] for case in CASES}
    health: list[float] = []
    for _ in range(ROUNDS):
        for count, clients in CASES:
            source = bodies(texts, count)
            watch = asyncio.create_task(request_for(port, itertools.repeat(HEALTH), SECONDS)) if count > 1 else None
            began = time.perf_counter()
            each = await asyncio.gather(*(request_for(port, source, SECONDS) for _ in range(clients)))
            found[count, clients].append(Measured([*itertools.chain(*each)], time.perf_counter() - began))
            health += await watch if watch else []
    return {
        "start_seconds": round(start, 2),
        "cases": [
            {
                "texts": count,
                "clients": clients,
                "requests_per_second": round(statistics.median(len(m.latencies) / m.seconds for m in measured)),
                **milliseconds([*itertools.chain(*(m.latencies for m in measured))]),
            }
            for (count, clients), measured in found.items()
        ],
        "health_under_load": milliseconds(health),
    }


def bodies(texts: list[str], count: int) -> Iterator[bytes]:
    """Yield requests of so many texts each, without end."""
    source = itertools.cycle(texts)
    while True:
        body = json.dumps({"texts": list(itertools.islice(source, count))}).encode()
        yield HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def request_for(port: int, requests: Iterator[bytes], seconds: float) -> list[float]:
    """Send requests over one connection, one after the other, for some seconds; return the seconds of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    end = time.perf_counter() + seconds
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.findall(rb"content-length: (\d+)", head)[0]
        await reader.readexactly(int(length))
        now = time.perf_counter()
        latencies.append(now - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        if now > end:
            break
    writer.close()
    return latencies


def milliseconds(latencies: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of latencies in milliseconds."""
    cuts = statistics.quantiles(latencies, n=100)
    return {"p50": round(1000 * cuts[49], 1), "p99": round(1000 * cuts[98], 1)}


def table(content: dict[str, Any] | None = None) -> str:
    """Return a result, by default the stored one, as Markdown."""
    content = content or results.read("serve")
    rows = []
    for case in content["cases"]:
        rate = case["requests_per_second"]
        cells = (case["texts"], case["clients"], f"{rate:,}", f"{rate * case['texts']:,}", case["p50"], case["p99"])
        rows.append([*map(str, cells)])
    health = content["health_under_load"]
    machine, (before, after) = (content["measured"][key] for key in ("machine", "load"))
    where = f"{machine['cpu']}, {machine['cores']} cores, which server and client share"
    notes = (
        f"{where}; load average {before} before, {after} after; texts of {content['characters']} characters. "
        f"The server is ready {content['start_seconds']:.1f} seconds after its start. While it answers requests of 100 "
        f"texts, `GET /health` takes {health['p50']} ms (median), {health['p99']} ms at the 99th percentile."
    )
    header = ["texts per request", "clients", "requests per second", "texts per second", "p50, ms", "p99, ms"]
    return f"{results.markdown(header, rows)}\n\n{notes}"


if __name__ == "__main__":
    results.main({"serve": run}, table)
