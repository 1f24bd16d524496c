"""Random damage of text files: of their bytes, and of the structure of JSON and YAML."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import yaml

Place = tuple[Any, ...]  # keys and positions that lead to a value

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 0.5, 2.5, 10**40, 10**400, 1e308, float("nan"), float("inf")),
    *("", "x", "\ud800", "\0", "null", "../..", [], [1], ["a"], {}, {"a": 1}, {"a": {}}, [[]], [{}]),
)
KEYS = ("", "x", "train", "test", "a_in_b", "protocol", "\ud800", "\0", "a.b")


def damage(generator: random.Random, data: bytes, kind: str) -> bytes:
    """Return the bytes of a file with one random fault; `kind` is the file's ending: json, yaml, lock or another."""
    content = json.loads(data) if kind == "json" else yaml.safe_load(data) if kind in {"yaml", "lock"} else None
    if content and generator.random() < 0.8:
        changed = damage_structure(generator, content)
        if kind == "json":
            return json.dumps(changed).encode()
        return yaml.dump(changed, Dumper=yaml.SafeDumper, allow_unicode=False).encode("utf-8", "replace")
    return damage_bytes(generator, data)


def damage_structure(generator: random.Random, content: Any) -> Any:
    """Return a copy of nested mappings and lists with one value removed, replaced or moved to another key."""
    changed = copy.deepcopy(content)
    *above, last = generator.choice([place for place in _places(changed) if place])
    parent = changed
    for key in above:
        parent = parent[key]
    match generator.choice(["remove", "replace", "replace", "rename", "deepen"]):
        case "remove":
            del parent[last]
        case "rename" if isinstance(parent, dict):
            parent[generator.choice(KEYS)] = parent.pop(last)
        case "deepen":
            value = parent[last]
            for _ in range(generator.choice([1, 2, 45, 200])):
                value = generator.choice([[value], {"a": value}])
            parent[last] = value
        case _:
            parent[last] = copy.deepcopy(generator.choice(VALUES))
    return changed


def _places(content: Any, above: Place = ()) -> Iterator[Place]:
    yield above
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield from _places(value, (*above, key))


def damage_bytes(generator: random.Random, data: bytes) -> bytes:
    """Return the bytes cut, emptied, overwritten, repeated or with others among them."""
    start = generator.randrange(len(data) + 1)
    end = min(len(data), start + generator.choice([1, 4, 64, 1024]))
    match generator.choice(["cut", "empty", "flip", "insert", "remove", "repeat", "zero", "nest"]):
        case "cut":
            return data[:start]
        case "empty":
            return b""
        case "flip" if start < len(data):
            return data[:start] + bytes([data[start] ^ (1 << generator.randrange(8))]) + data[start + 1 :]
        case "insert":
            return (
                data[:start]
                + generator.choice([b"\xff\xfe", b"\0", b"{", b"[", b"\r", b"NaN", b"1e999"])
                + data[start:]
            )
        case "remove":
            return data[:start] + data[end:]
        case "repeat":
            return data[:end] + data[start:]
        case "zero":
            return data[:start] + bytes(end - start) + data[end:]
        case _:
            return generator.choice([b"[", b'{"a":']) * 100_000
