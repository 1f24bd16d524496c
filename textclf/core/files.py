"""Read and write files with reproducible bytes, and report damaged files in one line."""

import contextlib
import csv
import hashlib
import json
import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.quoting import FORMULA, first_line

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "validation", "test")  # in the order in which rows are used
# In a column of splits: a training row whose text `textclf suggest` chose. Such rows are no random
# sample, so they are never held out: neither to test nor to choose by.
SUGGESTED = "suggested"
# Suffix of a split's name for those of its rows that belong to no class and train nothing.
UNKNOWN = "_unknown"
# These stand beside `SPLITS`; the label of their rows is -1.
UNKNOWN_SPLITS = tuple(f"{name}{UNKNOWN}" for name in SPLITS[1:])
# Before the name of a column of data.columns, a feature beside the text, or of data.slices, by
# whose values the test rows are measured in parts: its purpose, and its name in the splits.
COLUMN = "column_"
SLICE = "slice_"
DIGITS = 6  # decimals in metrics and curves
# Limits the classes with ROC and precision-recall curves: of more, those with the most mistakes.
CURVES = 12
FORMAT = "format"  # key of versioned JSON
VERSION = 1  # its value
# Columns of tables that are text even if they look like numbers or missing values: a class may be
# called 007 or NA.
AUDITED = ("id", "given", "suggested", "flagged_by")  # of the table of an audit
TEXT_COLUMNS = ("model", "split", "class", "actual", "predicted", "term", "method", *AUDITED)
# What a spreadsheet would compute, a number aside; apostrophes before it too, so that `read_csv`
# can take one away.
COMPUTED = re.compile(rf"\A'*(?![+-][\d.]*\Z)[{re.escape(''.join(FORMULA))}]")
# Exceptions that damaged CSV and npz raise.
_FORMATS = (csv.Error, zipfile.BadZipFile, zlib.error, tokenize.TokenError)


def write_json(path: Path, content: Any, *, sort_keys: bool = True) -> None:
    """Write indented JSON, with sorted keys unless their order matters.

    Raises `ValueError` for NaN and infinity.
    """
    text = json.dumps(content, sort_keys=sort_keys, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_csv(path: Path, rows: "pd.DataFrame") -> None:
    """Write a table as CSV with a header, LF line ends and decimals rounded to `DIGITS`.

    NaN becomes empty. An apostrophe stands before a text that a spreadsheet would compute;
    `read_csv` takes it away.
    """
    # Without `infer_objects`, `round` would skip numbers that are held as objects.
    rounded = rows.infer_objects().round(DIGITS)
    texts = rounded.select_dtypes(exclude=["number", "bool"])
    rounded[texts.columns] = texts.map(
        lambda cell: COMPUTED.sub(r"'\g<0>", cell) if isinstance(cell, str) else cell
    )
    rounded.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def csv_lines(rows: Iterable[Sequence[str]], delimiter: str = ",", line_end: str = "\n") -> bytes:
    """Return rows as lines of CSV in UTF-8, quoted as RFC 4180 asks, also around a lone CR."""
    lines: list[str] = []
    file = SimpleNamespace(write=lines.append)
    # With CRLF, the writer quotes a field with a lone CR, too.
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return "".join(line.removesuffix("\r\n") + line_end for line in lines).encode()


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; `UserError` if it is missing or damaged."""
    with reading(path):
        return json.loads(path.read_text(encoding="utf-8"))


def write_versioned_json(path: Path, content: Mapping[str, Any], *, sort_keys: bool = True) -> None:
    """Write a JSON object with the version of its layout under the key `format`."""
    write_json(path, {**content, FORMAT: VERSION}, sort_keys=sort_keys)


def read_versioned_json(path: Path) -> dict[str, Any]:
    """Return a JSON object that `write_versioned_json` wrote, without the key `format`.

    Raises `UserError` if the file is missing or damaged, or has a newer format.
    """
    content = read_json(path)
    with reading(path):
        if not isinstance(content, dict):
            raise TypeError(content)
        written = content.pop(FORMAT)
        if type(written) is not int or written < VERSION:
            raise TypeError(written)
    if written > VERSION:
        raise UserError(
            f"{path} was made by a newer textclf (format {written}; this version reads {VERSION}); "
            "upgrade textclf"
        )
    return content


def require_known(path: Path, names: Iterable[str], known: Collection[str]) -> None:
    """Raise `UserError` if a file has a name that only a newer version can have written."""
    for name in names:
        if name not in known:
            raise UserError(
                f"{path} was made by a newer textclf (this version does not know {name}); "
                "upgrade textclf"
            )


def read_csv(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Return a table of `write_csv`, or only the named columns of it, in the order of the file.

    `TEXT_COLUMNS` are not parsed, all others are numbers; a missing number is NaN. Raises
    `UserError` if the file is missing or damaged, or a column is missing.
    """
    import pandas as pd

    with reading(path), path.open(encoding="utf-8", newline="") as file:
        header, *rows = filter(None, csv.reader(file, strict=True))  # an empty line is no row
        missing = set(columns or header) - set(header)
        if missing:
            raise LookupError(missing)
        cells = zip(*rows, strict=True) if rows else [()] * len(header)
        table = dict(zip(header, cells, strict=True))
        wanted = [name for name in header if columns is None or name in columns]
        return pd.DataFrame({name: _values(name, table[name]) for name in wanted})


def _values(name: str, cells: Sequence[str]) -> Any:
    """Return the cells of a column as text, as integers if all of them are, or as decimals."""
    if name in TEXT_COLUMNS:
        return [
            cell[1:] if cell[:1] == "'" and COMPUTED.match(cell[1:]) else cell for cell in cells
        ]
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except ValueError:
        return np.array([float(cell) if cell else math.nan for cell in cells])


def write_npy(file: IO[bytes], array: NDArray[np.generic]) -> None:
    """Write an array of numbers or fixed-length text in C order, with the bytes of `numpy.save`.

    `numpy.save` ignores an error of its last write, as on a full disk. Here each write that fails
    raises `OSError`.
    """
    array = np.asarray(array, order="C")
    npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
    file.write(array.data)


def write_npz(file: IO[bytes], **arrays: NDArray[np.generic]) -> None:
    """Write arrays as `numpy.savez` does, with the same bytes by any version of Python.

    `numpy.savez` asks for 64-bit sizes, which Python before 3.11.4 writes otherwise. Only large
    arrays have them here.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zip_member(f"{name}.npy")
            member.file_size = array.nbytes
            with archive.open(member, "w") as opened:
                npy.write_array(opened, np.asarray(array), allow_pickle=False)


def zip_member(name: str) -> zipfile.ZipInfo:
    """Return the entry of a file in an archive, the same bytes at any time and on any system."""
    member = zipfile.ZipInfo(name)  # of 1980
    member.create_system = 3  # Unix; on Windows Python notes another
    return member


def require(path: Path) -> Path:
    """Return the path; `UserError` that names the command that makes it if it does not exist."""
    if not path.exists():
        raise UserError(f"{path} not found; run dvc repro (or dvc pull) to make it")
    return path


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise `UserError` if the block finds the file of an earlier stage missing or damaged."""
    require(path)
    try:
        yield
    except (
        ValueError,
        LookupError,
        TypeError,
        EOFError,
        ArithmeticError,
        RuntimeError,
        OSError,
        *_FORMATS,
    ) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # an error of the file system; a reader of Parquet sets no file name
        raise UserError(
            f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it"
        ) from error


def sha256(data: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(path: Path, kind: str, reason: object) -> UserError:
    """Return the error for a file that its library can't read as one of this kind."""
    return UserError(f"{path} must be a whole {kind} file; {first_line(reason)}; copy it again")


@contextlib.contextmanager
def whole_file(path: Path, kind: str) -> Iterator[None]:
    """Turn exceptions of a library that reads a file of this kind into `UserError`.

    Exceptions of the file system stay.
    """
    try:
        yield
    except (UserError, ImportError):
        raise
    except MemoryError as error:
        rule = f"must be a whole {kind} file whose parts memory can hold"
        advice = "copy it again, or use a machine with more memory"
        raise UserError(f"{path} {rule}; {first_line(error)}; {advice}") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} must contain text in UTF-8; got byte 0x{error.object[error.start]:02x}"
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path, kind, error) from error
