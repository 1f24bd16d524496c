"""The arguments of `textclf serve`."""

from dataclasses import dataclass
from typing import Annotated

from textclf.core.command import Argument, Command, Group
from textclf.predict.arguments import ModelChoice
from textclf.serve import Limits

SERVER = Group("server")
LIMITS = Group("limits")


@dataclass(frozen=True, kw_only=True)
class Serve(Command):
    """The arguments of `textclf serve`."""

    description = """
    Serve the models over HTTP until SIGTERM: POST /predict, GET /health, GET / (models and limits),
    GET /openapi.json. Logs one line of JSON per request to stdout. Needs fastapi and uvicorn.

      textclf serve --port 8000
      curl http://127.0.0.1:8000/predict --json '{"texts": ["The food was great."]}'
    """
    module = "serve.command"
    choice: Annotated[ModelChoice, Group("model")]
    host: Annotated[
        str, Argument("address to listen at (default: 127.0.0.1, this machine)"), SERVER
    ] = "127.0.0.1"
    port: Annotated[int, Argument("(default: 8000; 0 is any free one)"), SERVER] = 8000
    threads: Annotated[int, Argument("that predict (default: 2)", "N"), SERVER] = 2
    max_texts: Annotated[
        int, Argument(f"texts per request (default: {Limits.texts})", "N"), LIMITS
    ] = Limits.texts
    max_characters: Annotated[
        int, Argument(f"characters per text (default: {Limits.characters})", "N"), LIMITS
    ] = Limits.characters
    max_bytes: Annotated[
        int, Argument(f"bytes of a request's body (default: {Limits.bytes})", "N"), LIMITS
    ] = Limits.bytes
    max_requests: Annotated[
        int,
        Argument(f"requests at once; more get status 503 (default: {Limits.requests})", "N"),
        LIMITS,
    ] = Limits.requests
    timeout: Annotated[
        float,
        Argument(
            "for a request's body, then for its answer, then to take it "
            f"(default: {Limits.seconds:g})",
            "SECONDS",
        ),
        LIMITS,
    ] = Limits.seconds
