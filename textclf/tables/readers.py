"""Records of a table in any format that is read here, as a stream: nothing skipped, nothing guessed.

CSV, TSV, JSON Lines, Parquet, lines of `sentence TAB label`, and plain lines; compressed or not; a file or a folder.
"""

import contextlib
import csv
import gzip
import io
import json
import json.scanner
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from textclf.core.errors import UserError

if TYPE_CHECKING:
    import _csv

    import pyarrow as pa

SHOWN = 40  # characters of a value in an error
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
CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")  # what no Unicode text holds; a byte that can't be decoded becomes one
UNNAMEABLE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what would break an id or a line of an error
BLOCK_ROWS = 4096  # in memory at a time
LONGEST = 2**31 - 1  # characters of a field; Python's csv would stop at 131,072

Record = Mapping[str, object]  # column: value
Numbered = tuple[int, Record | ValueError]  # line or row from 1, and what stands there or the rule that it breaks


@dataclass(frozen=True)
class Block:
    """Rows that follow one another: what numbers them, and their values by column, in lists of one length."""

    numbers: Sequence[int]
    columns: Mapping[str, list[object]]

    def records(self) -> Iterator[tuple[int, Record]]:
        """The same rows one by one, as `records` gives them."""
        for number, values in zip(self.numbers, zip(*self.columns.values(), strict=True), strict=True):
            yield number, dict(zip(self.columns, values, strict=True))


@dataclass(frozen=True)
class Layout:
    """How a table is written, and which of its columns are wanted, by what they are for: text, label, ...

    `option` begins the names of the settings in errors: `data.` of params.yaml, `--` of a command line. The others
    are those of section data of params.yaml.
    """

    columns: Mapping[str, str]
    files: str = "**/*"
    format: str = "auto"
    encoding: str = "utf-8"
    delimiter: str | None = None
    quoting: bool | None = None
    option: str = "data."

    def wanted(self) -> list[str]:
        """The columns, each once."""
        return list(dict.fromkeys(self.columns.values()))


# Files


def files_of(path: Path, layout: Layout) -> list[tuple[str, Path, str]]:
    """The name in ids, the path and the format of each file to read; all are known before the first is read."""
    if path.is_dir():
        files = _below(path, layout)
    elif path.exists():  # a pipe too, such as a shell's <(...)
        files = {_nameable(path.name, path): path}
    else:
        where = repr(str(path)) if UNNAMEABLE.search(str(path)) else path
        raise UserError(f"{where} not found; set {layout.option}path to a file or folder of texts")
    return [(name, file, _format(file, layout)) for name, file in sorted(files.items())]


def _below(folder: Path, layout: Layout) -> dict[str, Path]:
    """The files of a folder that match, by their names in it, hidden ones left out."""
    files = {}
    for file in folder.glob(layout.files):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        name = _nameable("/".join(parts), file)
        if file.is_file():
            files[name] = file
        elif not file.is_dir():
            raise UserError(f"{file} must be a file; got a broken link or a device; remove it")
        elif file.is_symlink():
            where = f"set {layout.option}path to it"
            raise UserError(f"{file} must be a folder itself; got a link, which is not followed; {where}")
        else:
            next(file.iterdir(), None)  # glob passes over a folder that must not be read, and says nothing
    if not files:
        raise UserError(f"{folder} must hold files that match {layout.option}files; got none for {layout.files}")
    return files


def _nameable(name: str, path: Path) -> str:
    """The name itself; `UserError` if it can't be part of an id and of an error's line."""
    if UNNAMEABLE.search(name):
        raise UserError(f"{str(path)!r} must have a name in UTF-8 without control characters; rename it")
    return name


def uncompressed(name: str) -> Path:
    """A file's name without the ending of its compression."""
    path = Path(name)
    return path.with_suffix("") if is_compressed(path) else path


def is_compressed(path: Path) -> bool:
    """Whether a file is to be decompressed, by its ending."""
    return path.suffix.lower() in COMPRESSIONS


def _format(path: Path, layout: Layout) -> str:
    if layout.format != "auto":
        return layout.format
    if (kind := ENDINGS.get(uncompressed(path.name).suffix.lower())) is None:
        raise UserError(
            f"{path} must end in {', '.join(ENDINGS)}, with {' or '.join(COMPRESSIONS)} behind it or not; "
            f"name its {layout.option}format, or match other files by {layout.option}files"
        )
    return kind


def records(path: Path, kind: str, layout: Layout, opened: IO[bytes] | None = None) -> Iterator[Numbered]:
    """Every row of a file of a format, or of a stream that is open; `UserError` for what is wrong with the whole."""
    with _reading(path, layout), opened or _opened(path) as stream:
        match kind:
            case "csv" | "tsv":
                yield from _delimited(stream, kind, path, layout)
            case "jsonl":
                yield from _json_lines(stream, path, layout)
            case "lines":
                yield from _plain(stream, path, layout)
            case "txt":
                yield from _sentences(stream, path, layout)
            case _:
                yield from chain.from_iterable(block.records() for block in _parquet(stream, path, layout))


def blocks(path: Path, kind: str, layout: Layout) -> Iterator[Block | list[Numbered]]:
    """The rows that `records` gives, many at a time and so in a fraction of the time.

    They come one by one where a row breaks a rule, or the format has no faster way.
    """
    with _reading(path, layout), _opened(path) as stream:
        match kind:
            case "csv" | "tsv":
                yield from _delimited_blocks(stream, kind, path, layout)
            case "jsonl" if SOURCE not in layout.wanted():
                yield from _json_blocks(stream, path, layout)
            case "parquet":
                yield from _parquet(stream, path, layout)
            case _:
                rows = records(path, kind, layout, stream)
                while some := list(islice(rows, BLOCK_ROWS)):
                    yield some if kind == "jsonl" else _gathered(some, layout)


def _gathered(rows: list[Numbered], layout: Layout) -> Block | list[Numbered]:
    """The rows as a block, if none breaks a rule; all have the same columns."""
    good = [record for _, record in rows if not isinstance(record, ValueError)]
    if len(good) < len(rows):
        return rows
    names = [name for name in layout.wanted() if name in good[0]]
    return Block([number for number, _ in rows], {name: [record[name] for record in good] for name in names})


@contextlib.contextmanager
def _reading(path: Path, layout: Layout) -> Iterator[None]:
    """A block that reads a file; `UserError` if its bytes are not what they should be."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file system's word
        whole = COMPRESSIONS[path.suffix.lower()]
        raise UserError(f"{path} must be a whole {whole} file; {line_of(error)}; copy it again") from error
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x}" if error.start < len(error.object) else "its end"
        raise UserError(
            f"{path} must be {layout.encoding}; got {byte} ({error.reason}); set {layout.option}encoding"
        ) from error
    except UnicodeError as error:  # UTF-16 without a byte order mark
        raise UserError(f"{path} must be {layout.encoding}; {line_of(error)}; set {layout.option}encoding") from error


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


def _lines(stream: IO[bytes], layout: Layout) -> Iterator[str]:
    """The lines with their ends, after a byte order mark if there is one; a byte that is wrong becomes a surrogate.

    Only LF ends a line. A lone CR, U+0085 and their like belong to the text.
    """
    # Closed here: Python warns of a file that it finds open when it sweeps up.
    with io.TextIOWrapper(stream, encoding=layout.encoding, errors="surrogateescape", newline="\n") as text:
        if first := next(text, "").removeprefix("\ufeff"):
            yield first
        yield from text


def _undecoded(text: str, layout: Layout) -> ValueError | None:
    """What is wrong with a piece of the file, if bytes of it could not be decoded."""
    if text.isascii() or not (found := SURROGATE.search(text)):
        return None
    byte = ord(found.group()) - 0xDC00  # as surrogateescape has it; UTF-7 knows other surrogates
    got = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a surrogate pair"
    return ValueError(f"must be {layout.encoding}; got {got} at offset {found.start()}; set {layout.option}encoding")


def _require_columns(path: Path, columns: Sequence[str], layout: Layout, hint: str = "") -> None:
    """`UserError` unless the columns that are wanted are there, once each."""
    wrong = []
    for purpose, wanted in layout.columns.items():
        if wanted == SOURCE and SOURCE not in columns:
            continue
        if (count := columns.count(wanted)) != 1:
            got = f"{count} of the name {shown(wanted)}" if count else shown(wanted)
            rule = f"must be one of its columns ({listed(columns)})"
            wrong.append(f"{path}: {layout.option}{purpose} {rule}; got {got}{hint}")
    if wrong:
        raise UserError(*wrong)


# Formats


@dataclass(frozen=True)
class _Columns:
    """What the header of a delimited table says: how many fields a row has, and where those wanted stand."""

    width: int
    places: Mapping[str, int]
    layout: Layout
    hint: str  # of what may be the matter with a row of another width

    def record(self, values: list[str]) -> Record | ValueError:
        """A row's record, all None of a blank line, or the rule that it breaks."""
        if wrong := _undecoded("".join(values), self.layout):
            return wrong
        if not values:
            return dict.fromkeys(self.places)
        if len(values) != self.width:
            return ValueError(f"must have {self.width} fields, as the header has; got {len(values)}; {self.hint}")
        return {name: values[place] for name, place in self.places.items()}

    def block(self, numbers: Sequence[int], rows: list[list[str]]) -> Block | list[Numbered]:
        """The same of several rows, looked at together: one by one only where one of them is wrong or blank."""
        if set(map(len, rows)) == {self.width} and decodes("".join(chain.from_iterable(rows))):
            return Block(numbers, {name: list(map(itemgetter(place), rows)) for name, place in self.places.items()})
        return [(number, self.record(values)) for number, values in zip(numbers, rows, strict=True)]


def _columns(header: list[str] | None, path: Path, layout: Layout, quoting: bool) -> _Columns:
    """What the header says; `UserError` if it is none, or the columns that are wanted are not in it."""
    if header is None:
        raise UserError(f"{path} must have a header and rows; got an empty file")
    if not header:
        raise UserError(f"{path}:1: must be a header; got a blank line; remove it")
    first = "".join(header)
    if wrong := _undecoded(first, layout):
        raise UserError(f"{path}:1: {wrong}")
    if "\0" in first:
        raise UserError(f"{path}:1: must be {layout.encoding}; got NUL; set {layout.option}encoding")
    hint = f"; if another character parts the columns, set {layout.option}delimiter" if len(header) == 1 else ""
    _require_columns(path, header, layout, hint)
    hint = (
        "put quotes around a field that holds the delimiter or a line end"
        if quoting
        else f"if there are quotes around fields, set {layout.option}quoting to true"
    )
    places = {name: header.index(name) for name in layout.wanted() if name in header}
    return _Columns(len(header), places, layout, hint)


def _dialect(kind: str, layout: Layout) -> tuple[str, bool]:
    """What parts the fields of CSV or TSV, and whether quotes are special."""
    delimiter, quoting = (",", True) if kind == "csv" else ("\t", False)
    return (
        delimiter if layout.delimiter is None else layout.delimiter,
        quoting if layout.quoting is None else layout.quoting,
    )


def _delimited(stream: IO[bytes], kind: str, path: Path, layout: Layout) -> Iterator[Numbered]:
    """CSV and TSV: a header, then a record a row, numbered by the line on which it begins."""
    delimiter, quoting = _dialect(kind, layout)
    lines = _lines(stream, layout)
    rows = _quoted(lines, path, delimiter, layout.option) if quoting else _unquoted(lines, delimiter)
    _, header = next(rows, (0, None))
    columns = _columns(header, path, layout, quoting)
    for number, values in rows:
        yield number, columns.record(values)


def _delimited_blocks(stream: IO[bytes], kind: str, path: Path, layout: Layout) -> Iterator[Block | list[Numbered]]:
    """The same in blocks."""
    delimiter, quoting = _dialect(kind, layout)
    lines = _lines(stream, layout)
    if not quoting:
        header = next((values for _, values in _unquoted(lines, delimiter)), None)
        columns, number = _columns(header, path, layout, quoting), 2
        while some := [values for _, values in _unquoted(islice(lines, BLOCK_ROWS), delimiter)]:
            yield columns.block(range(number, number := number + len(some)), some)
        return
    rows = _reader(lines, delimiter)
    _, first = _next(rows, 1, path, layout.option)
    columns = _columns(first[0] if first else None, path, layout, quoting)
    while True:
        numbers, some = _next(rows, BLOCK_ROWS, path, layout.option)
        if not some:
            return
        yield columns.block(numbers, some)


def _reader(lines: Iterator[str], delimiter: str) -> "_csv.Reader":
    """The fields of RFC 4180's rows, none on a blank line."""
    csv.field_size_limit(LONGEST)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _next(rows: "_csv.Reader", count: int, path: Path, option: str) -> tuple[Sequence[int], list[list[str]]]:
    """The next rows, so many if there are, and the line on which each begins."""
    first, some = rows.line_num + 1, list[list[str]]()
    try:
        some.extend(islice(rows, count))
    except csv.Error as error:  # what is before it stands in `some`
        raise _misquoted(error, path, _starts(first, some)[-1], rows.line_num, option) from error
    if rows.line_num == first - 1 + len(some):
        return range(first, first + len(some)), some
    return _starts(first, some)[:-1], some


def _starts(first: int, rows: list[list[str]]) -> list[int]:
    """The line on which each row begins, and the one behind them: a row ends with its line, and holds LFs in quotes."""
    return list(accumulate((1 + sum(value.count("\n") for value in values) for values in rows), initial=first))


def _quoted(lines: Iterator[str], path: Path, delimiter: str, option: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its fields: those of RFC 4180, none on a blank line."""
    rows = _reader(lines, delimiter)
    while True:
        number = rows.line_num + 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise _misquoted(error, path, number, rows.line_num, option) from error
        yield number, values


def _misquoted(error: csv.Error, path: Path, number: int, last: int, option: str) -> UserError:
    """What is wrong with the quotes of the row that begins in line `number` and was read to line `last`."""
    if "new-line" in str(error):
        rule = (
            "must hold no lone CR outside quotes; put quotes around the text that holds it, "
            "or save the file with LF or CRLF at the end of its lines"
        )
    else:
        at_end = "end of data" in str(error)
        got = "an end of the file inside quotes" if at_end else f"text behind a closing quote in line {last}"
        rule = (
            f"quotes must be closed, and doubled inside quotes; got {got}; "
            f"if quotes are text here, set {option}quoting to false"
        )
    return UserError(f"{path}:{number}: {rule}")


def _unquoted(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The number of each line, and its fields, none on a blank line; no quote is special."""
    for number, line in enumerate(lines, start=1):
        row = line.removesuffix("\n").removesuffix("\r")
        yield number, row.split(delimiter) if row else []


def _json_lines(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Numbered]:
    """JSON Lines: an object a line, numbered by it; a blank line is a row without text."""
    keys: dict[str, None] = {}  # in the order in which they come
    for number, line in enumerate(_lines(stream, layout), start=1):
        yield number, _json_record(line, layout, keys)
    if keys:
        _require_columns(path, list(keys), layout)


def _json_record(line: str, layout: Layout, keys: dict[str, None]) -> Record | ValueError:
    """The object on a line, or the rule that it breaks; its keys join those of the lines before it."""
    rule = "must be a JSON object on a line of its own"
    if wrong := _undecoded(line, layout):
        return wrong
    try:
        value = _JSON.decode(line) if line.strip() else {}
    except (ValueError, RecursionError) as error:
        return ValueError(f"{rule}; {_reason(error)} in {shown(line.strip())}")
    if not isinstance(value, dict):
        return ValueError(f"{rule}; got {shown(value)}")
    if SOURCE in keys:
        value.setdefault(SOURCE, None)
    elif keys and SOURCE in value and SOURCE in layout.wanted():
        return ValueError(f"{SOURCE} must be a key of the first row too, or of none; add it there")
    keys.update(dict.fromkeys(value))
    return value


def _json_blocks(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block | list[Numbered]]:
    """The same in blocks, where no row is to take its file's name."""
    keys: dict[str, None] = {}
    lines, number = _lines(stream, layout), 1
    while some := list(islice(lines, BLOCK_ROWS)):
        numbers = range(number, number := number + len(some))
        if (values := _objects(some)) is None:
            yield [(place, _json_record(line, layout, keys)) for place, line in zip(numbers, some, strict=True)]
        else:
            keys.update(dict.fromkeys(chain.from_iterable(values)))
            yield Block(numbers, {name: [value.get(name) for value in values] for name in layout.wanted()})
    if keys:
        _require_columns(path, list(keys), layout)


def _objects(lines: list[str]) -> list[dict[str, object]] | None:
    """The object on each line; None if a line is none, or such that it wants a closer look."""
    if not decodes("".join(lines)):
        return None
    values = []
    try:
        for line in lines:
            value, end = _SCAN(line, 0)
            # As many colons as keys: there is no other object in it and no key twice.
            if type(value) is not dict or line.count(":") != len(value):
                value = _JSON.decode(line)
                if type(value) is not dict:
                    return None
            elif line[end:] not in {"\n", "\r\n", ""}:
                return None
            values.append(value)
    except (ValueError, RecursionError, StopIteration):
        return None
    return values


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; `ValueError` if it has a key twice, of which Python would drop the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"key {shown(counts.most_common(1)[0][0])} stands twice")
    return content


_JSON = json.JSONDecoder(object_pairs_hook=_object)
_SCAN = json.scanner.make_scanner(json.JSONDecoder())  # type: ignore[arg-type] # without a hook it is C throughout


def _reason(error: ValueError | RecursionError) -> str:
    """Why a line is no JSON, in a few words."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg.removesuffix(" at").removesuffix(" starting")
    return "too deep" if isinstance(error, RecursionError) else line_of(error).partition(";")[0]


def _sentences(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Numbered]:
    """UCI's format: lines `sentence TAB label` without a header, numbered; the last tab parts, no quote is special."""
    _require_columns(path, ["text", "label"], layout)
    hint = "" if "label" in layout.columns else f"; if each line is a text, set {layout.option}format to lines"
    for number, line in enumerate(_lines(stream, layout), start=1):
        stripped = line.removesuffix("\n").removesuffix("\r")
        text, tab, label = stripped.rpartition("\t")
        if wrong := _undecoded(line, layout):
            yield number, wrong
        elif stripped and not tab:
            rule = "must be a sentence, a tab and a label"
            yield number, ValueError(f"{rule}; got {shown(stripped)} without a tab{hint}")
        else:
            yield number, {"text": text, "label": label}


def _plain(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Numbered]:
    """Lines that are texts, numbered, an empty one too."""
    _require_columns(path, [layout.columns["text"]], layout)
    for number, line in enumerate(_lines(stream, layout), start=1):
        text = line.removesuffix("\n").removesuffix("\r")
        yield number, _undecoded(line, layout) or {layout.columns["text"]: text}


def _parquet(stream: IO[bytes], path: Path, layout: Layout) -> Iterator[Block]:
    """Parquet, its rows numbered."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with contextlib.ExitStack() as stack:
            if is_compressed(path) or not stream.seekable():
                stream = stack.enter_context(_spooled(stream))
            file = pq.ParquetFile(stream)
            schema: pa.Schema = file.schema_arrow
            _require_columns(path, schema.names, layout)
            wanted = [name for name in layout.wanted() if name in schema.names]
            for name in wanted:
                _require_type(path, name, schema.field(name).type, text=name == layout.columns["text"])
            number = 1
            for batch in file.iter_batches(BLOCK_ROWS, columns=wanted):
                columns = {name: batch.column(name).to_pylist() for name in wanted}
                yield Block(range(number, number := number + batch.num_rows), columns)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must hold text in UTF-8; got byte 0x{error.object[error.start]:02x}") from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{path} must be a whole Parquet file; {line_of(error)}; copy it again") from error


@contextlib.contextmanager
def _spooled(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same bytes on disk, since Parquet is read from its end."""
    import shutil
    import tempfile

    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool)
        yield spool


def _require_type(path: Path, name: str, kind: "pa.DataType", text: bool) -> None:
    import pyarrow.types as types

    value = kind.value_type if types.is_dictionary(kind) else kind
    good = types.is_string(value) or types.is_large_string(value) or types.is_string_view(value) or types.is_null(value)
    if not good and not (not text and (types.is_integer(value) or types.is_boolean(value))):
        rule = "text" if text else "text, integers or booleans"
        raise UserError(f"{path}: column {named(name)} must hold {rule}; got {line_of(kind)}")


# Values


def text_of(record: Record, column: str) -> str | None:
    """The text in a column, None if nothing is there; `ValueError` if it is not text."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{named(column)} must be text; got {shown(value)}")  # noqa: TRY004
    return _checked(value, column)


def label_of(record: Record, column: str) -> str | None:
    """The label or id in a column as text, None if nothing is there; `ValueError` if it can't be one."""
    value = record.get(column)
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{named(column)} must be text, an integer or a boolean; got {shown(value)}")  # noqa: TRY004
    if CONTROL.search(_checked(value, column)):
        raise ValueError(f"{named(column)} must not hold control characters; got {shown(value)}")
    return value


def _checked(value: str, column: str) -> str:
    """The value itself; `ValueError` if it can't be kept as text."""
    if (position := value.find("\0")) >= 0:
        raise ValueError(f"{named(column)} must not hold NUL; got one at offset {position}")
    if not value.isascii() and (found := SURROGATE.search(value)):
        raise ValueError(f"{named(column)} must be Unicode text; got half a surrogate pair at offset {found.start()}")
    return value


def texts_of(values: list[object]) -> list[str] | None:
    """The texts in a column of a block; None unless each is there and such as `text_of` takes."""
    if set(map(type, values)) != {str}:
        return None
    texts = cast("list[str]", values)
    joined = "".join(texts)
    good = "\0" not in joined and decodes(joined) and all(map(str.strip, texts))
    return texts if good else None


def labels_of(values: list[object]) -> list[str] | None:
    """The labels or ids in a column of a block as text; None unless each is there and such as `label_of` takes."""
    if set(map(type, values)) == {int}:
        return list(map(str, values))
    texts = texts_of(values)
    return None if texts is None or CONTROL.search("".join(set(texts))) else texts


def decodes(text: str) -> bool:
    """Whether all of it is Unicode text, without half a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Words of errors


def shown(value: object, limit: int = SHOWN) -> str:
    """A value as Python writes it, on one line and not too long."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(short(value, limit))
        case _:
            return short(repr(value), limit)


def short(text: str, limit: int) -> str:
    """The text, or its beginning if it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def named(name: str) -> str:
    """A name as it stands, or quoted where it would be misread in a list or break the line."""
    plain = name.isprintable() and name == name.strip() and 0 < len(name) <= 40 and "," not in name
    return name if plain else shown(name)


def listed(names: Sequence[str]) -> str:
    """The names in a line, the first few of many."""
    return ", ".join([named(name) for name in names[:NAMED]] + (["…"] if len(names) > NAMED else []))


def line_of(error: object) -> str:
    """The first line of what a library says, its bytes of the file escaped."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    line = line.rstrip(" .:")
    return short(line if line.isprintable() else line.encode("unicode_escape").decode("ascii"), 200)
