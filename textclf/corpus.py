"""Rows of any labelled table, read exactly: nothing skipped, nothing guessed, every mistake told by its row."""

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pandas as pd

from textclf.errors import UserError
from textclf.params import Data

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 5  # wrong rows spelled out in an error
NAMED = 12  # columns listed in an error
ENDINGS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".tsv": "tsv",
    ".txt": "txt",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
SOURCE = "source"  # column that every file without one of this name has: its own name without endings
INTEGER = re.compile(r"-?[0-9]{1,1000}")  # Python's int() refuses some thousand digits
CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")  # what no Unicode text holds; a byte that can't be decoded becomes one
UNNAMEABLE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what would break an id or a line of an error
LONGEST = 2**31 - 1  # characters of a field; Python's csv would stop at 131,072

Record = Mapping[str, object]  # column: value
Numbered = tuple[int, Record | ValueError]  # line or row from 1, and what stands there or the rule that it breaks


@dataclass
class Corpus:
    """Rows of a corpus, and how many were left out for want of a text or label.

    `rows` has the columns `id`, `text`, `label` and, if asked for, `group`, all text. `classes` are the labels in
    their order, of two the positive one last. `dropped` counts the rows left out: `rows` in all, `text` and `label`
    by what was missing.
    """

    rows: pd.DataFrame
    classes: list[str]
    dropped: dict[str, int] = field(default_factory=lambda: {"rows": 0, "text": 0, "label": 0})


def read(path: Path, settings: Data) -> Corpus:
    """The rows of a file, or of the files of a folder in the order of their names, under the settings.

    A row's id is that of its column, or `file:line` (in Parquet `file:row`), both from 1, the file named as it lies
    in the folder. Labels are text: integers in digits, booleans as true and false. Text and label are kept as they
    stand, spaces included. `UserError` for every row that breaks a rule (all are counted, the first few shown), for
    a column that is not there (those that are there are listed), and for rows of fewer than two classes.
    """
    collected = _Rows(settings)
    for name, file, kind in _files(path, settings):
        collected.add(name, file, kind)
    if collected.wrong:
        total = f"{path}: {collected.wrong} of {collected.count} rows are wrong, {SHOWN} shown"
        raise UserError(*collected.shown, *([total] if collected.wrong > SHOWN else []))
    rows = pd.DataFrame(collected.columns)
    if rows.empty:
        raise UserError(f"{path} must have rows; got none with text and label")
    return Corpus(rows, order(rows["label"], settings.classes, str(path)), collected.dropped)


def order(labels: Iterable[str], given: Sequence[str] | None, where: str) -> list[str]:
    """The classes in order: as given, or integers by value if all are such, else by code point.

    `UserError` if they are fewer than two, or one of those given has no row; `where` names the file.
    """
    found = set(labels)
    if len(found) < 2:
        raise UserError(f"{where} must have rows of at least two classes; got only {_shown(min(found))}")
    if given is None:
        whole = all(INTEGER.fullmatch(name) for name in found)
        return sorted(found, key=lambda name: (int(name) if whole else 0, name))
    if missing := [name for name in given if name not in found]:
        rule = f"every class of data.classes ({_listed(given)}) must have a row"
        raise UserError(f"{where}: {rule}; got none of {_shown(missing[0])}")
    return list(given)


class _Rows:
    """Rows as they are read, file by file, and what is wrong in them."""

    def __init__(self, settings: Data) -> None:
        self.settings = settings
        self.columns: dict[str, list[str]] = {"id": [], "text": [], "label": []}
        if settings.group is not None:
            self.columns["group"] = []
        self.dropped = {"rows": 0, "text": 0, "label": 0}
        self.count = 0
        self.wrong = 0
        self.shown: list[str] = []  # what is said of the first wrong rows
        self.places: dict[str, str] = {}  # of ids

    def add(self, name: str, path: Path, kind: str) -> None:
        """Read a file; `name` is that of its rows in their ids."""
        before, place = self.count, str(path)
        source = {SOURCE: _uncompressed(name).stem} if SOURCE in _wanted(self.settings) else {}
        for number, record in _records(path, kind, self.settings):
            self.count += 1
            try:
                if isinstance(record, ValueError):
                    raise record
                self._add_row({**source, **record} if source else record, f"{name}:{number}", f"{place}:{number}")
            except ValueError as error:
                self.wrong += 1
                if self.wrong <= SHOWN:
                    self.shown.append(f"{place}:{number}: {error}")
        if self.count == before:
            raise UserError(f"{path} must have rows; got none")

    def _add_row(self, record: Record, name: str, place: str) -> None:
        settings = self.settings
        text, label = _text(record, settings.text), _label(record, settings.label)
        missing = [kind for kind, value in (("text", text), ("label", label)) if not value.strip()]
        if missing and settings.missing == "drop":
            for kind in ("rows", *missing):
                self.dropped[kind] += 1
            return
        if missing:
            column = getattr(settings, missing[0])
            raise ValueError(
                f"{missing[0]} must not be empty; got {_shown(record.get(column))} in column {_name(column)}; "
                "fill it in, or set data.missing to drop"
            )
        if settings.classes is not None and label not in settings.classes:
            rule = f"must be one of data.classes ({_listed(settings.classes)})"
            raise ValueError(
                f"{_name(settings.label)} {rule}; got {_shown(label)}; "
                "mend it, or add it there, in quotes if it looks like a number or a boolean"
            )
        row = {"id": name, "text": text, "label": label}
        for kind, column in (("id", settings.id), ("group", settings.group)):
            if column is not None:
                row[kind] = _label(record, column)
                if not row[kind].strip():
                    raise ValueError(
                        f"{_name(column)} must not be empty; got {_shown(record.get(column))}; "
                        f"fill it in, or set data.{kind} to null"
                    )
        if settings.id is not None and (first := self.places.setdefault(row["id"], place)) != place:
            raise ValueError(
                f"{_name(settings.id)} must be another in each row; got {_shown(row['id'])}, as in {first}"
            )
        for kind, value in row.items():
            self.columns[kind].append(value)


def _text(record: Record, column: str) -> str:
    value = record.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{_name(column)} must be text; got {_shown(value)}")  # noqa: TRY004
    return _checked(value, column)


def _label(record: Record, column: str) -> str:
    value = record.get(column)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{_name(column)} must be text, an integer or a boolean; got {_shown(value)}")  # noqa: TRY004
    if CONTROL.search(_checked(value, column)):
        raise ValueError(f"{_name(column)} must not hold control characters; got {_shown(value)}")
    return value


def _checked(value: str, column: str) -> str:
    """The value itself; `ValueError` if it can't be kept as text."""
    if (position := value.find("\0")) >= 0:
        raise ValueError(f"{_name(column)} must not hold NUL; got one at offset {position}")
    if not value.isascii() and (found := SURROGATE.search(value)):
        raise ValueError(f"{_name(column)} must be Unicode text; got half a surrogate pair at offset {found.start()}")
    return value


# Files


def _files(path: Path, settings: Data) -> list[tuple[str, Path, str]]:
    """The name in ids, the path and the format of each file to read; all are known before the first is read."""
    if path.is_file():
        files = {_nameable(path.name, path): path}
    elif path.is_dir():
        files = _below(path, settings.files)
    else:
        raise UserError(f"{path} not found; set data.path to a file or folder of labelled texts")
    return [(name, file, _format(file, settings)) for name, file in sorted(files.items())]


def _below(folder: Path, pattern: str) -> dict[str, Path]:
    """The files of a folder that match, by their names in it, hidden ones left out."""
    files = {}
    for file in folder.glob(pattern):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        name = _nameable("/".join(parts), file)
        if file.is_file():
            files[name] = file
        elif not file.is_dir():
            raise UserError(f"{file} must be a file; got a broken link or a device; remove it")
        elif file.is_symlink():
            raise UserError(f"{file} must be a folder itself; got a link, which is not followed; set data.path to it")
        else:
            next(file.iterdir(), None)  # glob passes over a folder that must not be read, and says nothing
    if not files:
        raise UserError(f"{folder} must hold files that match data.files; got none for {pattern}")
    return files


def _nameable(name: str, path: Path) -> str:
    """The name itself; `UserError` if it can't be part of an id and of an error's line."""
    if UNNAMEABLE.search(name):
        raise UserError(f"{str(path)!r} must have a name in UTF-8 without control characters; rename it")
    return name


def _uncompressed(name: str) -> Path:
    """A file's name without the ending of its compression."""
    path = Path(name)
    return path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path


def _format(path: Path, settings: Data) -> str:
    if settings.format != "auto":
        return settings.format
    if (kind := ENDINGS.get(_uncompressed(path.name).suffix.lower())) is None:
        raise UserError(
            f"{path} must end in {', '.join(ENDINGS)}, with {' or '.join(COMPRESSIONS)} behind it or not; "
            "name its data.format, or match other files by data.files"
        )
    return kind


def _records(path: Path, kind: str, settings: Data) -> Iterator[Numbered]:
    """Every row of a file; `UserError` for what is wrong with the whole of it."""
    try:
        with _opened(path) as stream:
            match kind:
                case "csv":
                    yield from _delimited(stream, path, settings, delimiter=",", quoting=True)
                case "tsv":
                    yield from _delimited(stream, path, settings, delimiter="\t", quoting=False)
                case "jsonl":
                    yield from _json_lines(stream, path, settings)
                case "txt":
                    yield from _sentences(stream, path, settings)
                case _:
                    yield from _parquet(stream, path, settings)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file system's word
        whole = COMPRESSIONS[path.suffix.lower()]
        raise UserError(f"{path} must be a whole {whole} file; {_line(error)}; copy it again") from error
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x}" if error.start < len(error.object) else "its end"
        raise UserError(
            f"{path} must be {settings.encoding}; got {byte} ({error.reason}); set data.encoding"
        ) from error
    except UnicodeError as error:  # UTF-16 without a byte order mark
        raise UserError(f"{path} must be {settings.encoding}; {_line(error)}; set data.encoding") from error


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes, decompressed as they are read."""
    match path.suffix.lower():
        case ".gz":
            return cast("IO[bytes]", gzip.open(path))
        case ".zst":
            import pyarrow as pa

            return cast("IO[bytes]", pa.CompressedInputStream(path.open("rb"), "zstd"))
        case _:
            return path.open("rb")


def _lines(stream: IO[bytes], settings: Data) -> Iterator[str]:
    """The lines with their ends, after a byte order mark if there is one; a byte that is wrong becomes a surrogate.

    Only LF ends a line. A lone CR, U+0085 and their like belong to the text.
    """
    # Closed here: Python warns of a file that it finds open when it sweeps up.
    with io.TextIOWrapper(stream, encoding=settings.encoding, errors="surrogateescape", newline="\n") as text:
        if first := next(text, "").removeprefix("\ufeff"):
            yield first
        yield from text


def _undecoded(text: str, settings: Data) -> ValueError | None:
    """What is wrong with a piece of the file, if bytes of it could not be decoded."""
    if text.isascii() or not (found := SURROGATE.search(text)):
        return None
    byte = ord(found.group()) - 0xDC00  # as surrogateescape has it; UTF-7 knows other surrogates
    got = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a surrogate pair"
    return ValueError(f"must be {settings.encoding}; got {got} at offset {found.start()}; set data.encoding")


def _wanted(settings: Data) -> list[str]:
    """The columns that the settings name, each once."""
    names = (settings.text, settings.label, settings.id, settings.group)
    return list(dict.fromkeys(name for name in names if name is not None))


def _require_columns(path: Path, columns: Sequence[str], settings: Data, hint: str = "") -> None:
    """`UserError` unless the columns that the settings name are there, once each."""
    wrong = []
    for setting in ("text", "label", "id", "group"):
        wanted = getattr(settings, setting)
        if wanted is None or (wanted == SOURCE and SOURCE not in columns):
            continue
        if (count := columns.count(wanted)) != 1:
            got = f"{count} of the name {_shown(wanted)}" if count else _shown(wanted)
            wrong.append(f"{path}: data.{setting} must be one of its columns ({_listed(columns)}); got {got}{hint}")
    if wrong:
        raise UserError(*wrong)


# Formats


def _delimited(stream: IO[bytes], path: Path, settings: Data, delimiter: str, quoting: bool) -> Iterator[Numbered]:
    """CSV and TSV: a header, then a record a row, numbered by the line on which it begins."""
    delimiter = delimiter if settings.delimiter is None else settings.delimiter
    quoting = quoting if settings.quoting is None else settings.quoting
    rows = (_quoted if quoting else _unquoted)(_lines(stream, settings), path, delimiter)
    _, header = next(rows, (0, None))
    if header is None:
        raise UserError(f"{path} must have a header and rows; got an empty file")
    if not header:
        raise UserError(f"{path}:1: must be a header; got a blank line; remove it")
    first = "".join(header)
    if wrong := _undecoded(first, settings):
        raise UserError(f"{path}:1: {wrong}")
    if "\0" in first:
        raise UserError(f"{path}:1: must be {settings.encoding}; got NUL; set data.encoding")
    hint = "; if another character parts the columns, set data.delimiter" if len(header) == 1 else ""
    _require_columns(path, header, settings, hint)
    places = {name: header.index(name) for name in _wanted(settings) if name in header}
    blank = dict.fromkeys(places)
    hint = (
        "put quotes around a field that holds the delimiter or a line end"
        if quoting
        else "if there are quotes around fields, set data.quoting to true"
    )
    for number, values in rows:
        if wrong := _undecoded("".join(values), settings):
            yield number, wrong
        elif not values:
            yield number, blank
        elif len(values) != len(header):
            rule = f"must have {len(header)} fields, as the header has"
            yield number, ValueError(f"{rule}; got {len(values)}; {hint}")
        else:
            yield number, {name: values[place] for name, place in places.items()}


def _quoted(lines: Iterator[str], path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its fields: those of RFC 4180, none on a blank line."""
    csv.field_size_limit(LONGEST)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = rows.line_num + 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if "new-line" in str(error):
                rule = (
                    "must hold no lone CR outside quotes; put quotes around the text that holds it, "
                    "or save the file with LF or CRLF at the end of its lines"
                )
            else:
                at_end = "end of data" in str(error)
                got = (
                    "an end of the file inside quotes"
                    if at_end
                    else f"text behind a closing quote in line {rows.line_num}"
                )
                rule = (
                    f"quotes must be closed, and doubled inside quotes; got {got}; "
                    "if quotes are text here, set data.quoting to false"
                )
            raise UserError(f"{path}:{number}: {rule}") from error
        yield number, values


def _unquoted(lines: Iterator[str], path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG001
    """The number of each line, and its fields, none on a blank line; no quote is special."""
    for number, line in enumerate(lines, start=1):
        row = line.removesuffix("\n").removesuffix("\r")
        yield number, row.split(delimiter) if row else []


def _json_lines(stream: IO[bytes], path: Path, settings: Data) -> Iterator[Numbered]:
    """JSON Lines: an object a line, numbered by it; a blank line is a row without text."""
    rule = "must be a JSON object on a line of its own"
    keys: dict[str, None] = {}  # in the order in which they come
    for number, line in enumerate(_lines(stream, settings), start=1):
        if wrong := _undecoded(line, settings):
            yield number, wrong
            continue
        try:
            value = _JSON.decode(line) if line.strip() else {}
        except (ValueError, RecursionError) as error:
            yield number, ValueError(f"{rule}; {_reason(error)} in {_shown(line.strip())}")
            continue
        if not isinstance(value, dict):
            yield number, ValueError(f"{rule}; got {_shown(value)}")
            continue
        if SOURCE in keys:
            value.setdefault(SOURCE, None)
        elif keys and SOURCE in value and SOURCE in _wanted(settings):
            yield number, ValueError(f"{SOURCE} must be a key of the first row too, or of none; add it there")
            continue
        keys.update(dict.fromkeys(value))
        yield number, value
    if keys:
        _require_columns(path, list(keys), settings)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; `ValueError` if it has a key twice, of which Python would drop the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"key {_shown(counts.most_common(1)[0][0])} stands twice")
    return content


_JSON = json.JSONDecoder(object_pairs_hook=_object)


def _reason(error: ValueError | RecursionError) -> str:
    """Why a line is no JSON, in a few words."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg.removesuffix(" at").removesuffix(" starting")
    return "too deep" if isinstance(error, RecursionError) else _line(error).partition(";")[0]


def _sentences(stream: IO[bytes], path: Path, settings: Data) -> Iterator[Numbered]:
    """UCI's format: lines `sentence TAB label` without a header, numbered; the last tab parts, no quote is special."""
    _require_columns(path, ["text", "label"], settings)
    for number, line in enumerate(_lines(stream, settings), start=1):
        stripped = line.removesuffix("\n").removesuffix("\r")
        text, tab, label = stripped.rpartition("\t")
        if wrong := _undecoded(line, settings):
            yield number, wrong
        elif stripped and not tab:
            yield number, ValueError(f"must be a sentence, a tab and a label; got {_shown(stripped)} without a tab")
        else:
            yield number, {"text": text, "label": label}


def _parquet(stream: IO[bytes], path: Path, settings: Data) -> Iterator[Numbered]:
    """Parquet, its rows numbered."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix.lower() in COMPRESSIONS:
        stream = io.BytesIO(stream.read())  # it is read from its end
    try:
        file = pq.ParquetFile(stream)
        schema: pa.Schema = file.schema_arrow
        _require_columns(path, schema.names, settings)
        wanted = [name for name in _wanted(settings) if name in schema.names]
        for name in wanted:
            _require_type(path, name, schema.field(name).type, text=name == settings.text)
        number = 0
        for batch in file.iter_batches(columns=wanted):
            for values in zip(*(batch.column(name).to_pylist() for name in wanted), strict=True):
                yield (number := number + 1), dict(zip(wanted, values, strict=True))
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must hold text in UTF-8; got byte 0x{error.object[error.start]:02x}") from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{path} must be a whole Parquet file; {_line(error)}; copy it again") from error


def _require_type(path: Path, name: str, kind: "pa.DataType", text: bool) -> None:
    import pyarrow.types as types

    value = kind.value_type if types.is_dictionary(kind) else kind
    good = types.is_string(value) or types.is_large_string(value) or types.is_string_view(value) or types.is_null(value)
    if not good and not (not text and (types.is_integer(value) or types.is_boolean(value))):
        rule = "text" if text else "text, integers or booleans"
        raise UserError(f"{path}: column {_name(name)} must hold {rule}; got {_line(kind)}")


# Words of errors


def _shown(value: object, limit: int = 40) -> str:
    """A value as Python writes it, on one line and not too long."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(_short(value, limit))
        case _:
            return _short(repr(value), limit)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _name(name: str) -> str:
    """A name as it stands, or quoted where it would be misread in a list or break the line."""
    plain = name.isprintable() and name == name.strip() and 0 < len(name) <= 40 and "," not in name
    return name if plain else _shown(name)


def _listed(names: Sequence[str]) -> str:
    return ", ".join([_name(name) for name in names[:NAMED]] + (["…"] if len(names) > NAMED else []))


def _line(error: object) -> str:
    """The first line of what a library says, its bytes of the file escaped."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    line = line.rstrip(" .:")
    return _short(line if line.isprintable() else line.encode("unicode_escape").decode("ascii"), 200)
