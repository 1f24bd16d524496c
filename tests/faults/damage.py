"""Damage to files, one fault at a time, and what their readers make of it."""

import contextlib
import copy
import json
import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from textclf.core.errors import UserError

Kind = Callable[[bytes, random.Random], bytes]
Place = tuple[Any, ...]  # keys and positions that lead to a value

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 0.5, 2.5, 10**40, 10**400, 1e308, float("nan"), float("inf")),
    *(
        "",
        "x",
        "\ud800",
        "\0",
        "null",
        "../..",
        [],
        [1],
        ["a"],
        {},
        {"a": 1},
        {"a": {}},
        [[]],
        [{}],
    ),
)
YAML = {".yaml", ".lock"}
KEYS = ("", "x", "train", "test", "a_in_b", "protocol", "\ud800", "\0", "a.b")


def flip(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one bit flipped."""
    return flip_bit(data, rng.randrange(8 * len(data)))


def flip_bit(data: bytes, position: int) -> bytes:
    damaged = bytearray(data)
    damaged[position // 8] ^= 1 << position % 8
    return bytes(damaged)


def edit(suffix: str) -> Kind:
    """Return a file after a wrong edit or merge of its structure (JSON, YAML) or its bytes."""

    def damage(data: bytes, rng: random.Random) -> bytes:
        content = (
            json.loads(data)
            if suffix == ".json"
            else yaml.safe_load(data)
            if suffix in YAML
            else None
        )
        if not content or rng.random() >= 0.8:
            return damage_bytes(data, rng)
        changed = damage_structure(content, rng)
        if suffix == ".json":
            return json.dumps(changed).encode()
        return yaml.dump(changed, Dumper=yaml.SafeDumper, allow_unicode=False).encode(
            "utf-8", "replace"
        )

    return damage


def damage_structure(content: Any, rng: random.Random) -> Any:
    """Return nested mappings and lists with one value removed, replaced or moved."""
    changed = copy.deepcopy(content)
    *above, last = rng.choice([place for place in _places(changed) if place])
    parent = changed
    for key in above:
        parent = parent[key]
    match rng.choice(["remove", "replace", "replace", "rename", "deepen"]):
        case "remove":
            del parent[last]
        case "rename" if isinstance(parent, dict):
            parent[rng.choice(KEYS)] = parent.pop(last)
        case "deepen":
            value = parent[last]
            for _ in range(rng.choice([1, 2, 45, 200])):
                value = rng.choice([[value], {"a": value}])
            parent[last] = value
        case _:
            parent[last] = copy.deepcopy(rng.choice(VALUES))
    return changed


def _places(content: Any, above: Place = ()) -> Iterator[Place]:
    yield above
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, value in items:
        yield from _places(value, (*above, key))


def damage_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes cut, emptied, overwritten, repeated or with others among them."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice([1, 4, 64, 1024]))
    match rng.choice(["cut", "empty", "flip", "insert", "remove", "repeat", "zero", "nest"]):
        case "cut":
            return data[:start]
        case "empty":
            return b""
        case "flip" if start < len(data):
            return flip_bit(data, 8 * start + rng.randrange(8))
        case "insert":
            return (
                data[:start]
                + rng.choice([b"\xff\xfe", b"\0", b"{", b"[", b"\r", b"NaN", b"1e999"])
                + data[start:]
            )
        case "remove":
            return data[:start] + data[end:]
        case "repeat":
            return data[:end] + data[start:]
        case "zero":
            return data[:start] + bytes(end - start) + data[end:]
        case _:
            return rng.choice([b"[", b'{"a":']) * 100_000


@contextlib.contextmanager
def damaged(path: Path, kind: Kind, rng: random.Random) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(kind(before, rng))
    try:
        yield
    finally:
        path.write_bytes(before)


def defects(
    files: Sequence[Path],
    answer: Callable[[], object],
    count: int,
    rng: random.Random,
    kinds: Sequence[Kind] = (),
    *,
    same: bool = False,
) -> list[str]:
    """Return what went wrong in so many tries, each with one file damaged.

    `answer` reads the files; it must give an answer (if `same`, that of whole files) or raise a
    `UserError`, of one line if the file is no params.yaml. Large files are damaged more often if
    bits are flipped at random (`kinds`); without kinds, files are damaged as by a wrong edit.
    """
    expected = answer()
    sizes = [path.stat().st_size if kinds else 1 for path in files]
    wrong = []
    for _ in range(count):
        (path,) = rng.choices(files, sizes)
        with damaged(path, rng.choice(kinds) if kinds else edit(path.suffix), rng):
            content = path.read_bytes()
            try:
                given = answer()
                bad = "another answer" if same and given != expected else ""
            except UserError as error:
                bad = (
                    "" if len(error.lines) == 1 or path.name == "params.yaml" else str(error.lines)
                )
            except Exception as error:  # noqa: BLE001 (any other is a traceback for the user)
                bad = "".join(traceback.format_exception(error)[-3:])
        if bad:
            wrong.append(f"{path}: {content[:2000]!r}\n{bad}")
    return wrong
