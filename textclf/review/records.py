"""What pr-report reads of dvc.yaml and dvc.lock, which people edit and merge by hand."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from textclf.core.settings import rule
from textclf.evaluate.metric_shapes import OpenMapping

MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")  # of a file, or of a list of the files of a folder


def _require_path(value: str) -> str:
    if not value or "\0" in value:
        raise rule("a path")
    return value


def _require_output(value: Any) -> Any:
    path = next(iter(value), None) if isinstance(value, dict) else value
    if not isinstance(path, str):
        raise rule("a path, or a mapping with a path as its key")
    _require_path(path)
    return value


def _require_md5(value: str) -> str:
    if not MD5.fullmatch(value):
        raise rule("an MD5 in hexadecimal digits")
    return value


Path = Annotated[str, AfterValidator(_require_path)]
Outputs = list[Annotated[Any, AfterValidator(_require_output)]] | None


class Declared(OpenMapping):
    """A stage in dvc.yaml: its outputs, each a path or a mapping from the path to options."""

    outs: Outputs = None
    metrics: Outputs = None
    plots: Outputs = None


class Pipeline(OpenMapping):
    """The content of dvc.yaml."""

    stages: dict[str, Declared] | None = None


class Entry(OpenMapping):
    """A file or folder that a stage read or wrote."""

    path: Path
    md5: Annotated[str, AfterValidator(_require_md5)] = ""


class Recorded(OpenMapping):
    """A stage in dvc.lock."""

    deps: list[Entry] = Field([])
    outs: list[Entry] = Field([])
    params: dict[str, dict[str, Any]] = Field({})


class Lock(OpenMapping):
    """The content of dvc.lock."""

    stages: dict[str, Recorded] | None = None
