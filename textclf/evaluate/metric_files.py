"""The JSON files in metrics/, checked when they are read: someone may have edited, merged or cut them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from textclf.core.differences import MISSING, value_at
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, require
from textclf.core.settings import validate
from textclf.evaluate.metric_shapes import ANY_KEY, SHAPES
from textclf.evaluate.registry import pair_name

REMEDY = "remove it and run dvc repro (or dvc pull) to make it"


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Return the mapping in the bytes of a JSON file whose numbers are all finite.

    `where` names the file in errors. Raises `UserError` for anything else, and for text that is not Unicode.
    """
    try:
        content = from_json(data, allow_inf_nan=False)
        json.dumps(content, allow_nan=False)  # such as 1e999
    except ValueError:
        raise UserError(f"{where} must be JSON with finite numbers; got something else") from None
    if not isinstance(content, dict):
        raise UserError(f"{where} must be a mapping; got {type(content).__name__}")
    return content


def check(content: Mapping[str, Any], name: str, where: str) -> None:
    """Raise `UserError` unless what a file called `<name>.json` holds has the types that its readers expect.

    A file that is none of `SHAPES` may hold anything. Keys of the top level may be missing: an older version may not
    have written them.
    """
    shape = SHAPES.get(name, {})
    for key, value in content.items():
        try:
            validate(shape.get(key, shape.get(ANY_KEY, Any)), value, where, prefix=key)
        except UserError as error:
            raise UserError(error.lines[0]) from None  # a damaged file may have a thousand mistakes


def read(
    path: Path, name: str, models: Sequence[str] = (), external: Sequence[str] = (), validated: bool = False
) -> dict[str, Any]:
    """Return the content of a file that is one of `SHAPES`, with all that readers need for the models of a run.

    `models` are those of train, `external` those of evaluate.external; `validated`: there are validation rows.
    Raises `UserError` if the file is missing or damaged, or lacks a number.
    """
    data = require(path).read_bytes()
    try:
        content = parse(data, str(path))
        check(content, name, str(path))
    except UserError as error:
        raise UserError(f"{error.lines[0]}; {REMEDY}") from None
    splits = [split for split in SPLITS if validated or split != "validation"]
    for key in map(".".join, _needed(name, models, external, splits)):
        if value_at(content, key) in (MISSING, None):
            raise UserError(f"{path}: {key} is missing; it must be set; {REMEDY}")
    return content


def read_all(folder: Path, names: Iterable[str], models: Sequence[str], external: Sequence[str] = ()) -> dict[str, Any]:
    """Return the contents of files in the folder metrics by name, decisions among them, as `read`."""
    decisions = read(folder / "decisions.json", "decisions", models, external)
    validated = decisions["protocol"]["validation_rows"] > 0
    return {name: read(folder / f"{name}.json", name, models, external, validated) for name in names}


def _needed(
    name: str, models: Sequence[str], external: Sequence[str], splits: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the keys that a file must have for these models and splits, each with the keys above it."""
    measured = [*((model, split) for model in models for split in splits), *((each, "test") for each in external)]
    match name:
        case "evaluation":
            yield from ((*place, metric) for place in measured for metric in ("accuracy", "ece", "log_loss"))
        case "intervals":
            yield from ((*place, "accuracy", "effective_rows") for place in measured)
        case "comparisons":
            yield from ((pair_name(later, earlier),) for earlier, later in combinations((*models, *external), 2))
        case "decisions":
            yield from (("protocol",), ("guessing",), ("crossvalidation",))
            yield from ((model,) for model in (*models, *external))
        case "training" | "slices":
            yield from ((model,) for model in (*models, *external))
        case "splits":
            yield from ((split,) for split in splits)
            yield ("label_conflicts",)
            for kind in ("exact", "normalised"):
                yield from (("duplicates", kind, split) for split in splits)
                pairs = [f"{later}_in_{earlier}" for earlier, later in combinations(splits, 2)]
                yield from (("leaks", kind, pair) for pair in pairs)
