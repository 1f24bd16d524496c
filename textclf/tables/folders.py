"""A folder per class, named for it, with a file per text, as scikit-learn's load_files reads."""

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from textclf.tables.compression import decompressing, open_bytes, uncompressed_name
from textclf.tables.layout import WHOLE_FILE, Layout, NumberedRow
from textclf.tables.lines import decoding_error, read_whole

FORMAT = "folders"
HEAD = 2**16  # bytes in which the first line is looked for


def read_rows(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[NumberedRow]:
    """Yield the one row of a file: its content, unchanged, and the name of its folder."""
    layout.require_columns(path, ["text", "label"])
    text = read_whole(stream, layout)
    record = {"text": text, "label": composed(path.parent.name)}
    yield WHOLE_FILE, decoding_error(text, layout) or record


def composed(name: str) -> str:
    """Return a name of the file system in NFC: macOS may give letter and accent apart."""
    return unicodedata.normalize("NFC", name)


def is_text(name: str) -> bool:
    """Return whether a file's name ends in .txt, before the ending of a compression."""
    return uncompressed_name(name).suffix.lower() == ".txt"


def is_folder_per_class(files: Mapping[str, Path]) -> bool:
    """Return whether all files of a folder are .txt files in folders below it, each of them a text.

    They are not if the first of them has a tab in its first line, as UCI's format of a sentence per
    line has. The keys of `files` are names below the folder.
    """
    are_texts = all("/" in name and is_text(name) for name in files)
    if not files or not are_texts:
        return False
    first = files[min(files)]
    with decompressing(first), open_bytes(first) as stream:
        return b"\t" not in stream.read(HEAD).partition(b"\n")[0]
