"""The application: its routes, how it answers, and one form for every error."""

import asyncio
import io
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from textclf import __version__
from textclf.core.errors import UserError
from textclf.predict import inputs, outputs
from textclf.predict.command import predict_batches
from textclf.predict.predictor import Predictor
from textclf.serve.access_log import PATHS, AccessLog, note
from textclf.serve.limits import Limits
from textclf.serve.requests import ErrorResponse, PredictRequest, PredictResponse, parse, read_body

CLIENT_CLOSED = 499  # status in the log when nobody is left to read an answer
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "The body is not JSON"},
    408: {"model": ErrorResponse, "description": "The body did not arrive in time"},
    413: {"model": ErrorResponse, "description": "The body is too large"},
    422: {"model": ErrorResponse, "description": "A value breaks a rule or a limit"},
    503: {"model": ErrorResponse, "description": "The server is busy"},
}
ROUTING = {
    404: f"the path must be one of {', '.join(sorted(PATHS))}",
    405: "the method must be POST for /predict, and GET for the other paths",
}
REQUEST_BODY = {"required": True, "content": {"application/json": {"schema": PredictRequest.model_json_schema()}}}


class Server:
    """The models, and the threads in which they predict, so that the event loop stays free for other requests."""

    def __init__(self, models: Mapping[str, Predictor], default: str, limits: Limits, threads: int) -> None:
        """Serve these models; `default` is the name of the one used if a request names none."""
        self.models = models
        self.default = default
        self.limits = limits
        self.threads = ThreadPoolExecutor(threads, "predict")
        self.active = 0  # requests in work
        for model in models.values():
            model.predict_proba([""])  # builds the lookup of the vocabulary now rather than for the first request

    async def predict(self, request: Request) -> Response:
        """Return the predictions for the texts in the body of a request."""
        if self.active >= self.limits.requests:
            raise self._busy()
        self.active += 1
        try:
            body = await read_body(request, self.limits)
            async with asyncio.timeout(self.limits.seconds):
                content, facts = await asyncio.get_running_loop().run_in_executor(self.threads, self._answer, body)
        except TimeoutError:
            raise self._busy() from None
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED)
        finally:
            self.active -= 1
        note(request, **facts)
        return Response(content, media_type="application/json")

    def _answer(self, body: bytes) -> tuple[bytes, dict[str, object]]:
        """Return the JSON of the response, and what to log about it."""
        wanted = parse(body, self.limits, self.models)
        name = wanted.model or self.default
        if wanted.coverage is not None:
            try:
                self.models[name].require_coverage(wanted.coverage)
            except UserError as error:
                raise HTTPException(422, error.lines[0]) from None
        return predict_json(name, self.models[name], wanted), {"model": name, "texts": len(wanted.texts)}

    def _busy(self) -> HTTPException:
        return HTTPException(503, "the server is busy; try again in a second", {"Retry-After": "1"})

    async def health(self) -> Response:
        """Return that the server can answer."""
        return JSONResponse({"status": "ok"})

    async def describe(self) -> Response:
        """Return the version, the models with their classes, and the limits of a request."""
        return JSONResponse(
            {
                "version": __version__,
                "default": self.default,
                "models": {name: {"classes": model.classes_} for name, model in self.models.items()},
                "limits": vars(self.limits),
                "openapi": "/openapi.json",
            }
        )


def predict_json(name: str, model: Predictor, wanted: PredictRequest) -> bytes:
    """Return the response as JSON, in which each line between the first and the last is a line of `textclf predict`."""
    lines = io.BytesIO()
    terms, coverage = wanted.terms if wanted.explain else None, wanted.coverage
    columns = outputs.Columns(model.classes_, text=True, explanation=wanted.explain, sets=coverage is not None)
    batches = predict_batches(inputs.read_arguments(wanted.texts), model, terms, coverage)
    outputs.write(batches, lines, "jsonl", columns)
    predictions = lines.getvalue().removesuffix(b"\n").replace(b"\n", b",\n")
    return b'{"model": %s, "predictions": [\n%s\n]}\n' % (json.dumps(name).encode(), predictions)


def create_app(
    models: Mapping[str, Predictor], default: str, limits: Limits | None = None, threads: int = 1
) -> FastAPI:
    """Return the ASGI application that serves the models."""
    server = Server(models, default, limits or Limits(), threads)
    app = FastAPI(title="textclf", version=__version__, docs_url=None, redoc_url=None)  # those load scripts from a CDN
    app.add_middleware(AccessLog)
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
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 (the type for which it is registered)
    message = ROUTING.get(error.status_code, error.detail)
    return JSONResponse({"error": message}, error.status_code, error.headers)


async def _fail(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
