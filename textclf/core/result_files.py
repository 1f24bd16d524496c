"""JSON files of results, written from objects of a class and read as objects of the same class."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import from_json

from textclf.core.errors import UserError
from textclf.core.files import DIGITS, require, write_json
from textclf.core.formatting import round_significant
from textclf.core.settings import rule, validate

REMEDY = "remove it and run dvc repro (or dvc pull) to make it"
LARGEST = 2**63 - 1  # number of rows or features


class Result(BaseModel):
    """A mapping in a file, by the name of each key. Types are exact; other keys are ignored.

    A field that was not set is not written, one that is None is written as null. So `to_json` of
    what was read is the content of the file.
    """

    model_config = ConfigDict(
        extra="ignore", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _require_mapping(cls, value: Any) -> Any:
        if not isinstance(value, dict | cls):
            raise rule("a mapping")
        return value


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


Exact = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_rounded)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1), AfterValidator(_rounded)]
PValue = Annotated[float, Field(strict=True, ge=0, le=1), AfterValidator(round_significant)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Positive = Annotated[int, Field(strict=True, gt=0, le=LARGEST)]


def to_json(content: Any) -> Any:
    """Return a `Result`, or a mapping of some by name, as it stands in a file."""
    if isinstance(content, Result):
        return content.model_dump(exclude_unset=True)
    if isinstance(content, Mapping):
        return {name: to_json(part) for name, part in content.items()}
    return content


def write(path: Path, content: Any) -> None:
    """Write a `Result`, or a mapping of some by name, as JSON."""
    write_json(path, to_json(content))


def read(path: Path, kind: Any) -> Any:
    """Return the content of a file that `write` wrote; `UserError` if it is missing or damaged."""
    return check(kind, parse_file(path), str(path))


def parse_file(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file; `UserError` with a remedy if it is missing or damaged."""
    data = require(path).read_bytes()
    try:
        return parse(data, str(path))
    except UserError as error:
        raise UserError(f"{error.lines[0]}; {REMEDY}") from None


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Return the mapping in the bytes of a JSON file whose numbers are all finite.

    `where` names the file in errors. Raises `UserError` for anything else, and for text that is not
    Unicode.
    """
    try:
        content = from_json(data, allow_inf_nan=False)
        json.dumps(content, allow_nan=False)  # such as 1e999
    except ValueError:
        raise UserError(f"{where} must be JSON with finite numbers; got something else") from None
    if not isinstance(content, dict):
        raise UserError(f"{where} must be a mapping; got {type(content).__name__}")
    return content


def check(kind: Any, content: Mapping[str, Any], where: str, remedy: str = f"; {REMEDY}") -> Any:
    """Return a file's content as an object of a type; `UserError` with its first mistake."""
    try:
        return validate(kind, content, where)
    except UserError as error:  # a damaged file may have a thousand mistakes
        raise UserError(f"{error.lines[0]}{remedy}") from None
