"""Measure `textclf serve` on the loopback interface: requests per second, latencies, and health under load.

    python -m benchmarks.serve --result benchmarks/results/serve.json

Needs the models of a run. A server with its default options runs beside this client, which keeps one connection per
client open, sends the next request when the last one has been answered, and shares the machine's cores with the server.
The texts are those of the corpus, in turn. While clients send requests of 100 texts, one more asks for /health. Rates
are the median of the rounds; latencies are of all rounds together.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from textclf.artifacts import splits
from textclf.core import files

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "serve.json"
CASES = ((1, 1), (1, 8), (100, 1), (100, 8))  # texts per request, clients
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM_UP = 20  # requests


class Measured(NamedTuple):
    """Seconds of each request, and of all."""

    latencies: list[float]
    seconds: float


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure textclf serve on the loopback interface.")
    parser.add_argument("--rounds", type=int, default=5, help="number of times to measure each (default 5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each case in a round (default 4)")
    parser.add_argument("--model", help="the default model of the server (default: that of models/index.json)")
    parser.add_argument("--result", type=Path, help="a JSON file to write")
    arguments = parser.parse_args()
    texts = [text for rows in splits.read(Path("data/splits")).values() for text in rows["text"]]
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "textclf.cli", "serve", "--port", "0"]
    command += ["--model", arguments.model] if arguments.model else []
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None  # noqa: S101 (a pipe, see above)
            port = int(re.findall(r":(\d+)$", server.stderr.readline().strip())[0])
            content = asyncio.run(measure(port, texts, arguments.rounds, arguments.seconds, started))
        finally:
            server.terminate()
    content |= {
        "characters": round(statistics.mean(map(len, texts))),
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(each, 1) for each in (load, os.getloadavg()[0])],
        "machine": machine(),
        "rounds": arguments.rounds,
    }
    if arguments.result is not None:
        files.write_json(arguments.result, content)
    print(table(content))


async def measure(port: int, texts: list[str], rounds: int, seconds: float, started: float) -> dict[str, Any]:
    """Return the measurements of all cases, in alternation."""
    await request_for(port, itertools.repeat(HEALTH), 0)
    start = time.perf_counter() - started
    for count, _ in CASES:
        await request_for(port, itertools.islice(bodies(texts, count), WARM_UP), 60)
    found: dict[tuple[int, int], list[Measured]] = {case: [] for case in CASES}
    health: list[float] = []
    for _ in range(rounds):
        for count, clients in CASES:
            source = bodies(texts, count)
            watch = asyncio.create_task(request_for(port, itertools.repeat(HEALTH), seconds)) if count > 1 else None
            began = time.perf_counter()
            each = await asyncio.gather(*(request_for(port, source, seconds) for _ in range(clients)))
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


def machine() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.machine()


def table(content: dict[str, Any] | None = None) -> str:
    """Return a result, by default the stored one, as Markdown."""
    content = content or json.loads(RESULT.read_text(encoding="utf-8"))
    lines = [
        "| texts per request | clients | requests per second | texts per second | p50, ms | p99, ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for case in content["cases"]:
        rate = case["requests_per_second"]
        cells = (case["texts"], case["clients"], f"{rate:,}", f"{rate * case['texts']:,}", case["p50"], case["p99"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    health = content["health_under_load"]
    before, after = content["load"]
    where = (
        f"{content['machine']}, {content['cores']} cores, which server and client share; load average {before} before, "
    )
    where += f"{after} after; texts of {content['characters']} characters."
    start = f"The server is ready {content['start_seconds']:.1f} seconds after its start."
    busy = (
        f"While it answers requests of 100 texts, `GET /health` takes {health['p50']} ms (median), {health['p99']} ms "
    )
    busy += "at the 99th percentile."
    lines += ["", f"{where} {start} {busy}"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
