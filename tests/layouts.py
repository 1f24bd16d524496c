"""Folders as data scientists have them, in which `textclf init` is called for a table."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

WORDS = {
    "billing": "invoice charge refund card payment",
    "shipping": "parcel late courier box address",
}
TABLE = "id,message,team\n" + "".join(
    f"{n},{team} {words.split()[n % 5]} {words.split()[n // 5 % 5]} {n},{team}\n"
    for n in range(40)
    for team, words in [[*WORDS.items()][n % 2]]
)
CSV = "tickets.csv"


class Layout(NamedTuple):
    """The user's files and links, the table, and whether the project may be made in this folder."""

    table: str
    taken: bool = False
    files: Mapping[str, str] = {}
    links: Mapping[str, str] = {}
    git: bool = True


LAYOUTS = {
    name: Layout(**layout)
    for name, layout in yaml.safe_load(
        Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    ).items()
}


def make(layout: Layout, folder: Path) -> None:
    """Write files and links of a layout into an empty folder; commit them if it is in Git."""
    for name, target in layout.links.items():
        (folder / name).symlink_to(target)
    table = (
        {}
        if (folder / layout.table).is_symlink() or layout.table == "data/raw"
        else {layout.table: TABLE}
    )
    for name, text in {**layout.files, **table}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(TABLE if text == "TABLE" else text, encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file below a folder, and each link's target, without Git's."""
    result = {}
    for place, folders, files in os.walk(folder):
        for name in (*files, *folders):
            path = Path(place, name)
            if ".git" not in path.parts and (path.is_symlink() or path.is_file()):
                content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
                result[path.relative_to(folder).as_posix()] = content
    return result


APPENDED = (".gitignore", ".dvcignore", ".gitattributes")  # to which init may add lines


def damage(before: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the names of files that are gone or changed since `contents`."""
    now = contents(folder)
    return [
        name
        for name, content in before.items()
        if now.get(name) != content
        and not (name in APPENDED and now.get(name, b"").startswith(content))
    ]
