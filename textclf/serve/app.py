"""The application: its routes, how it answers, and one form for every error."""

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from textclf.core.errors import UserError
from textclf.core.quoting import quote_value
from textclf.core.text_row import TextRow
from textclf.predict import outputs
from textclf.predict.command import columns_for, predict_batches
from textclf.predict.inputs import TextBatch
from textclf.predict.predictor import Predictor
from textclf.serve import Limits
from textclf.serve.middleware import FACTS, PATHS, AccessLog, Guard
from textclf.serve.requests import (
    BodyReader,
    ErrorResponse,
    PredictRequest,
    PredictResponse,
    busy,
    parse,
)
from textclf.version import __version__

T = TypeVar("T")

EXPLAINING = 4  # one of this many requests may ask for explanations
CLIENT_CLOSED = 499  # status in the log when nobody is left to read an answer
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "The body is not JSON, or the head is ambiguous"},
    408: {"model": ErrorResponse, "description": "The body did not arrive in time"},
    413: {"model": ErrorResponse, "description": "The body is too large"},
    415: {"model": ErrorResponse, "description": "The content type is not JSON"},
    422: {"model": ErrorResponse, "description": "A value breaks a rule or a limit"},
    503: {"model": ErrorResponse, "description": "The server is busy"},
}
ROUTING = {
    404: f"the path must be one of {', '.join(sorted(PATHS))}",
    405: "the method must be POST for /predict, and GET for the other paths",
}
REQUEST_BODY = {
    "required": True,
    "content": {"application/json": {"schema": PredictRequest.model_json_schema()}},
}


class LimitedThreads:
    """Threads, and how many calls may wait for them or run in them at once."""

    def __init__(self, threads: int, calls: int) -> None:
        """Start no thread before it is needed."""
        self.executor = ThreadPoolExecutor(threads)
        self.most = calls
        # A call that was given up stays until its thread has ended.
        self.calls: set[Future[Any]] = set()

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


class Server:
    """The models, and the threads in which they predict and, apart from those, explain."""

    def __init__(
        self, models: Mapping[str, Predictor], default: str, limits: Limits, threads: int
    ) -> None:
        """Serve these models; `default` is the name of the one used if a request names none."""
        self.models = models
        self.default = default
        self.limits = limits
        self.bodies = BodyReader(limits)
        self.predicting = LimitedThreads(threads, limits.requests)
        # Explanations are slow, so they must not delay the other answers.
        self.explaining = LimitedThreads(1, max(1, limits.requests // EXPLAINING))
        self.columns = max(len(model.reads) for model in models.values())
        for model in models.values():
            model.predict_proba([TextRow("", dict.fromkeys(model.reads, ""))])  # builds lookups now

    async def predict(self, request: Request) -> Response:
        """Return the predictions for the texts in the body of a request."""
        kind = request.headers.get("content-type", "")
        if (
            kind.partition(";")[0].strip().lower() != "application/json"
        ):  # which a page of another origin may not send
            raise HTTPException(
                415, f"the content type must be application/json; got {quote_value(kind)}"
            )
        self.predicting.require_room()
        try:
            body = await self.bodies.read(request)
            async with asyncio.timeout(self.limits.seconds):
                wanted, content = await self.predicting.run(self._parse_and_predict, body)
                if content is None:
                    content = await self.explaining.run(self._answer, wanted)
        except TimeoutError:
            raise busy() from None
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED)
        request.scope[FACTS].update(model=wanted.model or self.default, texts=len(wanted.texts))
        return Response(content, media_type="application/json")

    def _parse_and_predict(self, body: bytes) -> tuple[PredictRequest, bytes | None]:
        """Return the request in a body, and the JSON of the response.

        The response is None if the request asks for explanations.
        """
        wanted = parse(body, self.limits, self.models, self.columns)
        return wanted, None if wanted.explain else self._answer(wanted)

    def _answer(self, wanted: PredictRequest) -> bytes:
        """Return the response as JSON.

        Each line between the first and the last is a line of `textclf predict`.
        """
        name, coverage = wanted.model or self.default, wanted.coverage
        model, lines = self.models[name], io.BytesIO()
        if coverage is not None:
            try:
                model.require_coverage(coverage)
            except UserError as error:
                raise HTTPException(422, error.lines[0]) from None
        terms = wanted.terms if wanted.explain else None
        columns = columns_for(model, text=True, explanation=terms, sets=coverage, top=wanted.top)
        try:
            batch = TextBatch(
                [str(number + 1) for number in range(len(wanted.texts))], model.rows(wanted.texts)
            )
            outputs.write(predict_batches([batch], model, columns), lines, "jsonl", columns)
        except (UserError, TypeError) as error:  # of a record
            if not self.columns:
                raise
            raise HTTPException(422, str(error)) from None
        predictions = lines.getvalue().removesuffix(b"\n").replace(b"\n", b",\n")
        head = json.dumps({"model": name, "version": model.version}).encode()[:-1]
        return b'%s, "predictions": [\n%s\n]}\n' % (head, predictions)

    async def health(self) -> Response:
        """Return that the server can answer, and with which version of the default model."""
        return JSONResponse(
            {"status": "ok", "model": self.default, "version": self.models[self.default].version}
        )

    async def describe(self) -> Response:
        """Return the versions of textclf and the models, their classes, and the limits."""
        return JSONResponse(
            {
                "version": __version__,
                "default": self.default,
                "models": {
                    name: {"version": model.version, "classes": model.model.classes}
                    for name, model in self.models.items()
                },
                "limits": vars(self.limits),
                "openapi": "/openapi.json",
            }
        )


def create_app(
    models: Mapping[str, Predictor],
    default: str,
    limits: Limits | None = None,
    threads: int = 1,
    local: bool = False,
) -> FastAPI:
    """Return the ASGI application that serves the models.

    With `local`, only this machine may call it.
    """
    server = Server(models, default, limits or Limits(), threads)
    # The pages of documentation load scripts from a CDN, and redirects would lead to whatever the
    # request calls Host.
    app = FastAPI(
        title="textclf", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(Guard, local=local)
    app.add_middleware(AccessLog)  # around the other
    app.add_exception_handler(StarletteHTTPException, _refuse)
    app.add_exception_handler(Exception, _fail)
    app.get("/health", response_model=None)(server.health)
    app.get("/", response_model=None)(server.describe)
    app.post(
        "/predict",
        response_model=None,
        responses={200: {"model": PredictResponse}, **DOCUMENTED},
        openapi_extra={"requestBody": REQUEST_BODY},
    )(server.predict)
    return app


async def _refuse(_request: Request, error: Exception) -> Response:
    # It is registered for this type alone.
    assert isinstance(error, StarletteHTTPException)  # noqa: S101
    message = ROUTING.get(error.status_code, error.detail)
    return JSONResponse({"error": message}, error.status_code, error.headers)


async def _fail(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
