"""A client of the application in this process, for the tests of the server."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any

import httpx

from tests.unit.predict.models import doubting, network, several_labels, three_classes, two_classes
from textclf.serve import Limits
from textclf.serve.app import create_app

JSON = {"Content-Type": "application/json"}
MODELS = {
    "linear": two_classes(),
    "network": network(),
    "three": doubting(three_classes(), rows=20),
} | {"labels": several_labels()}


def make_app(local: bool = False, **limits: Any) -> Any:
    return create_app(MODELS, "linear", Limits(**limits), local=local)


def talk(
    app: Any, *requests: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> list[httpx.Response]:
    """Return the responses to requests that are sent at once."""

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", headers=JSON
        ) as client:
            return list(await asyncio.gather(*(request(client) for request in requests)))

    return asyncio.run(run())


def post(content: bytes | AsyncIterable[bytes], **limits: Any) -> httpx.Response:
    (response,) = talk(make_app(**limits), lambda client: client.post("/predict", content=content))
    return response
