"""Settings: the base class of params.yaml's sections, the YAML dialect, errors in sentences."""

import difflib
import functools
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, quote_name, quote_value, shorten

PARAMS_FILE = Path("params.yaml")
LARGEST = sys.float_info.max
MAX_SEED = 2**32 - 1  # the largest that numpy's RandomState takes
MOST_VALUES = 100_000  # of a YAML file, which in a pull request anybody may have written
MOST_BITS = 10_000  # of an integer in decimal; Python refuses to write some more digits
SHOWN = 60  # characters of a value in an error
# The name that a user gives a representation or a model.
ENTRY = re.compile(r"[a-z][a-z0-9_]{0,39}")
PORTS = {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
DEVICES = {"aux", "con", "nul", "prn", *PORTS}
# What was read of params.yaml, by file and dotted key; "" is all of it.
READ: dict[tuple[Path, str], Any] = {}
CONFLICTED = "must have no markers of a conflict; got some (<<<<<<<), as a merge leaves them"
MAPPING_KEY = "[key]"  # pydantic's mark in a location: it is the key of a mapping that is wrong
RULES = {  # by the type of pydantic's error
    "rule": "{rule}",
    "literal_error": "one of {expected}",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of {max_length}",
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(
        ("int_type", "int_from_float", "int_parsing", "int_parsing_size"), "an integer"
    ),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_unicode"), "text"),
    "string_too_short": "text that is not empty",
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
    "dict_type": "a mapping",
    **dict.fromkeys(("model_type", "model_attributes_type"), "a section of settings"),
}

T = TypeVar("T")


class Section(BaseModel):
    """A section of params.yaml.

    Unknown keys are refused, types are exact, and it is frozen once it is read. Every setting has a
    default and a `description` of one line, from which the comments of params.yaml are made.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_settings(cls, value: Any, handler: Callable[[Any], Self]) -> Self:
        """Put the settings that this section has into the error about one that it has not."""
        try:
            return handler(value)
        except ValidationError as error:
            details = error.errors(include_url=False)
            if all(detail["type"] != "extra_forbidden" for detail in details):
                raise
            known = [_with_known(detail, cls) for detail in details]
            raise ValidationError.from_exception_data(cls.__name__, known) from None


@dataclass(frozen=True)
class Param:
    """The mark of a parameter of a stage's `run` that takes a key of params.yaml, as data.path."""

    key: str


Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
# Not strict: a YAML list may fill a tuple.
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


def rule(text: str) -> PydanticCustomError:
    """Return an error for a pydantic validator to raise; its text completes "<key> must be ..."."""
    return PydanticCustomError("rule", "{rule}", {"rule": text})


def relation(text: str) -> PydanticCustomError:
    """Return an error about several settings of a section; its text is the whole sentence."""
    return PydanticCustomError("relation", "{relation}", {"relation": text})


def _with_known(detail: ErrorDetails, section: type[BaseModel]) -> InitErrorDetails:
    """Return an error of pydantic's to raise again.

    One about an unknown setting lists those of the section.
    """
    context = detail.get("ctx", {})
    error: str | PydanticCustomError = detail["type"]
    match error:
        case "rule":
            error = rule(context["rule"])
        case "relation":
            error = relation(context["relation"])
        case "extra_forbidden" | "unknown":
            known = context.get("known", list(section.model_fields))
            error = PydanticCustomError("unknown", "unknown setting", {"known": known})
    return {"type": error, "loc": detail["loc"], "input": detail["input"], "ctx": context}


class Entries(Section):
    """A section of entries by names that the user gives; each subclass has its kind of entry."""

    model_config = ConfigDict(extra="allow")
    NAMED: ClassVar[str] = "a pair"  # what a name is of
    TAKEN: ClassVar[Collection[str]] = ()  # names that textclf uses itself
    FEWEST: ClassVar[str] = ""  # what must be there at least

    @model_validator(mode="before")
    @classmethod
    def _has_names(cls, value: Any) -> Any:
        if isinstance(value, dict):
            require_names(value, cls.NAMED, cls.TAKEN)
            if cls.FEWEST and not value:
                raise rule(f"a section with at least {cls.FEWEST}")
        return value

    def __getitem__(self, name: str) -> Any:
        """Return the settings of an entry; `KeyError` if there is none of that name."""
        return (self.__pydantic_extra__ or {})[name]

    def names(self) -> list[str]:
        """Return the names of all entries, in order."""
        return list(self.__pydantic_extra__ or {})

    def pairs(self) -> dict[str, Any]:
        """Return the entries by name, of sections whose entries are pairs."""
        return self.__pydantic_extra__ or {}


def require_names(keys: Iterable[object], what: str, taken: Collection[str] = ()) -> None:
    """Raise the error of a validator, which says `what` keys name, unless each may be one.

    Files are named so, and Windows makes none that is called as one of its `DEVICES`, with any
    ending.
    """
    for key in keys:
        rule = ""
        if not isinstance(key, str) or not ENTRY.fullmatch(key):
            rule = "small letters, digits and _, at most 40"
        elif key in {*taken, *DEVICES}:
            rule = f"one that {'textclf' if key in taken else 'Windows'} does not use itself"
        if rule:
            raise relation(f"the name of {what} must be {rule}; got {show(key)}")


def named(what: str, taken: Collection[str] = ()) -> AfterValidator:
    """Return the validator of a mapping whose keys are names, as `require_names`."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        require_names(value, what, taken)
        return value

    return AfterValidator(check)


def _path(value: str) -> str:
    if not value.strip() or not value.isprintable() or "\\" in value:
        raise rule("a printable path with / between folders")
    return value


FilePath = Annotated[Name, AfterValidator(_path)]


def one_of(known: Iterable[str], text: str = "one of") -> AfterValidator:
    """Return the validator of a name that is one of these.

    `text` comes before them in the rule of its error.
    """
    names = tuple(known)

    def check(value: str) -> str:
        if value not in names:
            raise rule(f"{text} {', '.join(names)}")
        return value

    return AfterValidator(check)


def unique(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values; raise the error of a validator if one is repeated."""
    if len(set(values)) < len(values):
        raise rule("a list without repetitions")
    return values


Columns = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(unique)]


# YAML


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """Return the mapping in a YAML 1.2 text, the dialect of DVC: 1e-3 is a number, `no` is text.

    `name` says in errors where the text is from. Raises `UserError` if it is not YAML or not a
    mapping, or if a key is repeated or is not text.
    """
    from ruamel.yaml import YAML  # which predict does not need
    from ruamel.yaml.constructor import ConstructorError, SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    class Constructor(SafeConstructor):
        """Refuse keys that are not text or are repeated, and merges (<<) of too many values."""

        values = 0

        def check_mapping_key(
            self, _node: Any, key_node: Any, mapping: Any, key: Any, _value: Any
        ) -> bool:
            if not isinstance(key, str):
                problem = f"key {quote_value(key)} must be text; put it in quotes"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            if key in mapping:
                raise ConstructorError(
                    None, None, f"key {quote_name(key)} is repeated", key_node.start_mark
                )
            return True

        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            self.values += len(node.value)
            if self.values > MOST_VALUES:
                raise ConstructorError(
                    None, None, f"merges of more than {MOST_VALUES:,} values", node.start_mark
                )

    reader = YAML(typ="safe", pure=True)
    reader.Constructor = Constructor
    try:
        content = reader.load(text)
    except MarkedYAMLError as error:
        if re.search("^(<{7}|>{7}) ", text, re.MULTILINE):
            raise UserError(f"{name} {CONFLICTED}; edit it") from None
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        reason = first_line(error.problem or error.context)
        raise UserError(f"{where}: {reason}; expected YAML") from None
    except (LookupError, TypeError, AttributeError):  # as ruamel.yaml fails on `!!bool maybe`
        raise UserError(
            f"{name}: a value must be of the type that its tag (!!) names; expected YAML"
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: {reason}; expected YAML") from None
    if not isinstance(content, dict):
        raise UserError(f"{name} must be a mapping of sections; got {show(content)}")
    return content


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, as `parse_yaml`.

    Raises `UserError` also if the file is missing or not UTF-8. A text that was parsed before gives
    the same mapping, which must not be changed.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path} not found; run in the folder that holds it, or git checkout {path}"
        ) from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(
            f"{path} must be UTF-8; got byte 0x{byte:02x} at offset {error.start}"
        ) from None
    return _parse_once(text, str(path))


_parse_once = functools.lru_cache(maxsize=8)(parse_yaml)


# Validation


def load_params(
    wanted: Mapping[str, Any], path: Path = PARAMS_FILE, content: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the validated value of each dotted key of params.yaml, such as split or data.path.

    `wanted` maps keys to types: a `Section`, or any type of pydantic's. A section that is missing
    has its defaults. `content` takes the place of the file's, if it was read before. Raises
    `UserError` with a line for each mistake in any of them.
    """
    values: dict[str, Any] = {}
    lines: list[str] = []
    params = load_yaml(path) if content is None else content
    for key, kind in wanted.items():
        try:
            value = _value_at(params, key, kind, str(path))
            values[key] = validate(kind, value, str(path), key)
            if content is None:
                READ[path, key] = value
        except UserError as error:
            lines += error.lines
    if lines:
        raise UserError(*lines)
    return values


def load_section(key: str, kind: type[T], path: Path = PARAMS_FILE) -> T:
    """Return the validated section at a dotted key of params.yaml, as `load_params`."""
    return cast("T", load_params({key: kind}, path)[key])


def _value_at(content: Mapping[str, Any], key: str, kind: Any, name: str) -> Any:
    """Return the value of a dotted key, {} for a section that is missing."""
    value: Any = content
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(value, dict):
            section = ".".join(parts[:depth])
            raise UserError(f"{name}: {section} must be a section of settings; got {show(value)}")
        if part not in value and isinstance(kind, type) and issubclass(kind, Section):
            return {}
        if part not in value:
            raise UserError(f"{name}: {key} is missing; it must be set")
        value = value[part]
    return value


def validate(kind: Any, content: Any, name: str = str(PARAMS_FILE), prefix: str = "") -> Any:
    """Return the content as a value of a type; `UserError` with a line for each mistake.

    `name` says in errors which file it is from, and `prefix` is the dotted key under which it
    stands there.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        details = _first_of_each_key(error.errors())
        raise UserError(*(f"{name}: {_sentence(detail, prefix)}" for detail in details)) from None


def _first_of_each_key(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return one error per key, in the order of the settings."""
    first: dict[Any, ErrorDetails] = {}
    lists: set[Any] = set()
    for detail in details:
        # A list with a wrong element is too short for pydantic as well.
        if detail["type"] == "too_short" and detail["loc"] in lists:
            continue
        first.setdefault(detail["loc"], detail)
        lists.add(detail["loc"][:-1])
    return list(first.values())


def _sentence(detail: ErrorDetails, prefix: str) -> str:
    """Return pydantic's error as a sentence: key, rule, value."""
    parts = [part for part in detail["loc"] if part != MAPPING_KEY]
    inner = "".join(
        f"[{part}]" if isinstance(part, int) else f".{quote_name(part)}" for part in parts
    )
    key = f"{prefix}{inner}".lstrip(".")
    if detail["type"] == "missing":
        return f"{key} is missing; it must be set"
    if detail["type"] == "unknown":
        return f"{key} is no setting; {suggest(str(detail['loc'][-1]), detail['ctx']['known'])}"
    if detail["type"] == "relation":
        return f"{key}: {detail['msg']}" if key else detail["msg"]
    return f"{key} must be {rule_of(detail)}; got {show(detail['input'])}"


def suggest(name: str, known: Collection[str]) -> str:
    """Return the hint of an error about an unknown name: the most similar known one, or all."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known) or 'none'}"


def rule_of(detail: ErrorDetails) -> str:
    """Return the rule that pydantic found broken; it completes "<key> must be ..."."""
    text = RULES.get(detail["type"])
    return detail["msg"] if text is None else text.format(**detail.get("ctx", {}))


def show(value: object, limit: int = SHOWN) -> str:
    """Return a value as params.yaml would show it, on one line and not too long."""
    return shorten(to_yaml(value), limit)


def to_yaml(value: object) -> str:
    """Return a value as it could be written in YAML, on one line."""
    match value:
        case None:
            return "null"
        case BaseModel():
            return to_yaml(value.model_dump())
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > MOST_BITS:
            return hex(value)
        case float() if not math.isfinite(value):
            return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
        case str():
            return value if _is_plain(value) else repr(value)
        case list() | tuple():
            return f"[{', '.join(map(to_yaml, value))}]"
        case dict():
            parts = (f"{to_yaml(key)}: {to_yaml(part)}" for key, part in value.items())
            return f"{{{', '.join(parts)}}}"
        case _:
            return str(value)


@functools.lru_cache(10_000)  # a few lines of YAML can repeat a text often
def _is_plain(text: str) -> bool:
    """Return whether YAML reads a text without quotes as that text."""
    if not text.isprintable() or text != text.strip() or not text:
        return False
    try:
        return bool(parse_yaml(f"x: {text}", "") == {"x": text})
    except UserError:
        return False
