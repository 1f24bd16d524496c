"""A folder per class, a file per text, as scikit-learn's load_files reads them: the label is the folder's name."""

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
    yield (
        WHOLE_FILE,
        decoding_error(text, layout) or {"text": text, "label": composed(path.parent.name)},
    )


def composed(name: str) -> str:
    """Return a name of the file system in NFC; macOS may give the same name decomposed, as a letter and an accent."""
    return unicodedata.normalize("NFC", name)


def is_folder_per_class(files: Mapping[str, Path]) -> bool:
    """Return whether all files of a folder, by their names below it, are .txt files in folders, each of them a text.

    They are not if the first of them has a tab in its first line, as UCI's format of a sentence per
    line has.
    """
    if not files or any(
        "/" not in name or uncompressed_name(name).suffix.lower() != ".txt" for name in files
    ):
        return False
    first = files[min(files)]
    with decompressing(first), open_bytes(first) as stream:
        return b"\t" not in stream.read(HEAD).partition(b"\n")[0]
