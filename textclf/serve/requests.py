"""The JSON of requests and responses, and errors that say what to correct."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from pydantic_core import from_json

from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.core.settings import rule_of
from textclf.serve import Limits
from textclf.tables.jsonl import DECODER

MAX_TERMS = 100  # of an explanation
SMALL = 2**16  # bytes of a body that any connection may hold
CLOSE = {"Connection": "close"}


class PredictRequest(BaseModel):
    """Texts to classify."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: Annotated[list[str], FailFast(), Field(min_length=1)] = Field(
        description="the texts; for a model that reads other columns, objects with the key text "
        "and these columns",
        json_schema_extra={"items": {"anyOf": [{"type": "string"}, {"type": "object"}]}},
    )
    model: str | None = Field(
        default=None, description="name of a model; null is the server's default"
    )
    explain: bool = Field(
        default=False, description="whether to add the terms that decided, with their weights"
    )
    terms: int = Field(
        default=10, ge=1, le=MAX_TERMS, description="terms of an explanation, at most"
    )
    coverage: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="share of texts whose set of labels is to have the right one",
    )
    top: int | None = Field(
        default=None, ge=1, description="the most probable classes to return, at most"
    )


class Prediction(BaseModel):
    """The prediction for one text, as `textclf predict` prints it.

    It has `probability_<class>` for each class, if these are few.
    """

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="the position of the text in the request, from 1")
    text: str
    label: str | list[str] | None = Field(
        description="null for a text of no class, if no answer costs least, or if a requested "
        "set has not exactly one "
        "label; a list from a model of several labels per text"
    )
    expected: float | None = Field(
        default=None,
        description="of ordered classes that are numbers: their mean by the probabilities",
    )
    confidence: float | list[float] = Field(
        description="probability of the label, or of each; for null the highest"
    )
    reason: str | None = Field(
        default=None,
        description="of a model that rejects texts: unknown for a text of no class, abstain if no "
        "answer costs least",
    )
    set: list[str] = Field(
        default=[], description="labels that the text may have, if a coverage was asked for"
    )
    top: list[dict[str, str | float]] = Field(
        default=[], description="the most probable classes, if asked for"
    )


class PredictResponse(BaseModel):
    """Predictions in the order of the texts."""

    model: str = Field(description="name of the model that predicted")
    version: str = Field(
        description="its release, as keras@v0.0.1; else 12 digits of its provenance.json's SHA-256"
    )
    predictions: list[Prediction]


class ErrorResponse(BaseModel):
    """Any error: what must be how, and what the request had instead."""

    error: str


def busy() -> HTTPException:
    """Return the error of a request for which there is no room."""
    return HTTPException(503, "the server is busy; try again in a second", {"Retry-After": "1"})


@dataclass
class BodyReader:
    """Reads bodies.

    Clients that send slowly hold little memory, and don't keep others from sending theirs.
    """

    limits: Limits
    large: int = 0  # unfinished bodies larger than `SMALL`

    async def read(self, request: Request) -> bytes:
        """Return the body of a request; `HTTPException` as soon as it is too large or too late.

        Of more than `SMALL` bytes, there may be only as many bodies at once as requests. Raises
        `ClientDisconnect` if the client goes away before the end.
        """
        if int(request.headers.get("content-length", 0)) > self.limits.bytes:
            raise _too_large(self.limits)
        body = bytearray()
        is_large = False
        try:
            async with asyncio.timeout(self.limits.seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.limits.bytes:
                        raise _too_large(self.limits)
                    if len(body) > SMALL and not is_large:
                        if self.large >= self.limits.requests:
                            raise busy()
                        self.large += 1
                        is_large = True
        except TimeoutError:
            raise HTTPException(
                408, f"the body must arrive within {self.limits.seconds:g} seconds", CLOSE
            ) from None
        finally:
            self.large -= is_large
        return bytes(body)


def _too_large(limits: Limits) -> HTTPException:
    return HTTPException(
        413, f"the body must have at most {limits.bytes:,} bytes; send the texts in parts", CLOSE
    )


def parse(body: bytes, limits: Limits, models: Collection[str], columns: int = 0) -> PredictRequest:
    """Return the request in a body, with records if a model reads `columns`.

    Raises `HTTPException` if it breaks a rule.
    """
    fields = list(PredictRequest.model_fields)
    _require_few_values(body, limits, len(fields), columns)
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise _no_json(error) from None
    if not isinstance(content, dict):
        raise HTTPException(
            422, f"the body must be an object with the key texts; got {quote_value(content)}"
        )
    if (unknown := next((key for key in content if key not in fields), None)) is not None:
        raise HTTPException(
            422, f"the keys must be among {', '.join(fields)}; got {quote_name(unknown)}"
        )
    records: Any = content.get("texts")
    if columns and isinstance(records, list):
        content["texts"] = [
            each.get("text") if isinstance(each, dict) else each for each in records
        ]
    try:
        wanted = PredictRequest.model_validate(content)
    except ValidationError as error:
        raise HTTPException(422, _sentence(error)) from None
    if body.count(b":") > len(content):
        try:
            # It refuses a key that is repeated, of which pydantic takes the last value.
            DECODER.decode(body.decode())
        except ValueError as error:
            raise _no_json(error) from None
    if len(wanted.texts) > limits.texts:
        raise HTTPException(
            422,
            f"texts must be at most {limits.texts:,} per request; got {len(wanted.texts):,}; "
            "send them in parts",
        )
    for position, text in enumerate(wanted.texts):
        if len(text) > limits.characters:
            raise HTTPException(
                422,
                f"texts[{position}] must have at most {limits.characters:,} characters; "
                f"got {len(text):,}",
            )
    if wanted.model is not None and wanted.model not in models:
        raise HTTPException(
            422, f"model must be one of {list_names(list(models))}; got {quote_value(wanted.model)}"
        )
    wanted.texts = records
    return wanted


def _require_few_values(body: bytes, limits: Limits, fields: int, columns: int) -> None:
    """Raise `HTTPException` if there are too many values, before an object is made of each.

    They are counted by strings and by commas between values.
    """
    per_text = 2 * (columns + 1) if columns else 1  # of a record, keys and values
    most = per_text * limits.texts + 2 * fields  # strings: texts, keys and the values of keys
    # Every other piece is in a string.
    pieces = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"', 2 * most + 1)
    if len(pieces) > 2 * most + 1 or sum(piece.count(b",") for piece in pieces[::2]) > most:
        raise HTTPException(
            422, f"texts must be at most {limits.texts:,} per request; got more; send them in parts"
        )


def _no_json(error: ValueError) -> HTTPException:
    return HTTPException(400, f"the body must be JSON in UTF-8; {error}")


def _sentence(error: ValidationError) -> str:
    """Return the first mistake as a sentence: key, rule, value."""
    detail: Any = error.errors(include_url=False)[0]
    key, *positions = detail["loc"]
    place = str(key) + "".join(f"[{position}]" for position in positions)
    if detail["type"] == "missing":
        return f"{place} is missing; it must be a list of texts"
    return f"{place} must be {rule_of(detail)}; got {quote_value(detail['input'])}"
