"""How much memory and disk a split needs, estimated before it starts."""

from pathlib import Path

from textclf.artifacts import shards
from textclf.core import resources
from textclf.split.settings import Split
from textclf.tables.compression import is_compressed
from textclf.tables.formats import FORMATS
from textclf.tables.given import find_table
from textclf.tables.settings import Data

SAMPLE = 2**20  # bytes from which the length of a row is estimated


def require_memory_and_disk(table: Path, data: Data, settings: Split, target: Path) -> None:
    """Print what the split of a large table needs; `UserError` unless there is as much memory and disk.

    Does nothing for tables of at most one shard, and for compressed files and formats that are not read by line,
    whose number of rows is not known without reading them.
    """
    files = find_table(table, data)
    if any(not FORMATS[file.format].by_line or is_compressed(file.path) or not file.path.is_file() for file in files):
        return
    size = sum(file.path.stat().st_size for file in files)
    with files[0].path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    rows = size * sample.count(b"\n") // max(len(sample), 1)
    if rows <= shards.ROWS:
        return
    # Measured with rows of 63 bytes and of 600 bytes.
    hash_memory = 70 * rows + 8 * size * shards.ROWS // rows
    disk = 2 * size
    if settings.method == "hash":
        memory, purpose = hash_memory, "split.method hash"
    else:
        memory = 4 * size + 350 * rows
        purpose = f"split.method {settings.method} (hash takes {resources.format_size(hash_memory)})"
    resources.announce(rows, -(-rows // shards.ROWS), memory, disk)
    resources.require_disk(target, disk, str(target))
    resources.require_memory(memory, purpose)
