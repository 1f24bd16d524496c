"""Differences between two contents of a file of settings or metrics."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MISSING: tuple[str, ...] = ()  # the value of a setting that is not set


@dataclass(frozen=True)
class Difference:
    """A value at the base and at the head, as JSON; None where it is not set."""

    name: str
    base: str | None
    head: str | None


def flatten(content: Any, prefix: str = "") -> dict[str, str]:
    """Return dotted keys and their values as JSON; a list or an empty mapping is one value."""
    if not isinstance(content, dict) or not content:
        return {prefix: json.dumps(content, ensure_ascii=False, default=str)}
    flat: dict[str, str] = {}
    for key, value in content.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def compare_values(base: Any, head: Any) -> list[Difference]:
    """Return the keys whose values differ: in the order of the base, then those that are new."""
    before, after = flatten(base) if base else {}, flatten(head) if head else {}
    # An empty mapping is nothing beside one with entries.
    for one, other in ((before, after), (after, before)):
        for key in [key for key, value in one.items() if value == "{}" and key not in other]:
            if any(entry.startswith(f"{key}.") for entry in other):
                del one[key]
    return [
        Difference(key, before.get(key), after.get(key))
        for key in before | after
        if before.get(key) != after.get(key)
    ]


def value_at(content: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key, `MISSING` if it is not set."""
    value: Any = content
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
    return value
