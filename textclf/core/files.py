"""Files and folders that appear whole or not at all, and whose bytes repeat."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "validation", "test")  # in the order in which rows are used
SCRATCH = ".scratch"  # ending of what is not whole yet; DVC and Git ignore it
DIGITS = 6  # after the point, in metrics and curves
OF_ARCHIVES = (zipfile.BadZipFile, zlib.error, tokenize.TokenError)  # errors of a damaged npz
TEXT_COLUMNS = (
    "model",
    "split",
    "class",
    "actual",
    "predicted",
    "term",
    "method",
)  # of tables; a class may be called 007 or NA


@contextlib.contextmanager
def outputs(*targets: Path) -> Iterator[list[Path]]:
    """Scratch paths, one a target, that take their targets' places together when the block ends well.

    The caller creates a file or a folder at each scratch path. Each lies in the folder of its target, so that
    the last step is a rename. If the block raises, no target is touched and nothing is left behind; what a process
    that was killed left behind of the same targets is removed first.
    """
    with contextlib.ExitStack() as stack:
        scratch = []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            for left in target.parent.glob(f".{glob.escape(target.name)}.*{SCRATCH}"):
                if not _runs(left.name.split(".")[-3]):
                    shutil.rmtree(left, ignore_errors=True)
            folder = tempfile.mkdtemp(SCRATCH, f".{target.name}.{os.getpid()}.", target.parent)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            scratch.append(Path(folder, target.name))
        yield scratch
        for source in scratch:
            source.stat()  # before any target is touched
        for source, target in zip(scratch, targets, strict=True):
            if os.path.lexists(target) and (source.is_dir() or (target.is_dir() and not target.is_symlink())):
                # A folder can't be renamed over anything: move what is there aside, to be removed with the scratch.
                target.rename(source.parent / "replaced")
            source.replace(target)


def _runs(process: str) -> bool:
    """Whether there is a process of that number; what is no number belongs to none that may be disturbed."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, PermissionError):
        return True
    return True


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, two spaces and a newline at the end; no NaN or infinity."""
    text = json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_csv(path: Path, rows: "pd.DataFrame") -> None:
    """Write a table as CSV: a line of names, LF at the end of each line, numbers rounded to `DIGITS`."""
    rows.round(DIGITS).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Content of a JSON file; `UserError` if it is missing or damaged."""
    with reading(path):
        return json.loads(path.read_text(encoding="utf-8"))


def read_csv(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Columns (all, if none is named) of a table that `write_csv` wrote, those of `TEXT_COLUMNS` as they stand.

    A number that is not there is NaN. `UserError` if it is missing, damaged, or has no such columns.
    """
    import pandas as pd

    with reading(path):
        return pd.read_csv(
            path,
            usecols=None if columns is None else list(columns),
            dtype=dict.fromkeys(TEXT_COLUMNS, str),
            keep_default_na=False,
            na_values="",  # no text of ours is empty
            encoding="utf-8",
        )


def read_parquet(path: Path, columns: list[str]) -> "pd.DataFrame":
    """A table of text and numbers with these columns at least; `UserError` if it is missing or damaged."""
    import pandas as pd

    with reading(path):
        rows = pd.read_parquet(path)
        rows[columns]  # KeyError if one is not there
        return rows


def require(path: Path) -> Path:
    """The path itself; `UserError` naming the command that makes it if nothing is there."""
    if not path.exists():
        raise UserError(f"{path} not found; run dvc repro (or dvc pull) to make it")
    return path


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """A block that reads a file; `UserError` if the file is missing, or if its content is not what was written."""
    require(path)
    try:
        yield
    except (ValueError, LookupError, TypeError, EOFError, RuntimeError, OSError, *OF_ARCHIVES) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # it is the file system's word, and not that of a reader of Parquet
        raise UserError(f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it") from error


def sha256(data: bytes) -> str:
    """SHA-256 of the bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
