"""The comments of params.yaml, made from the descriptions of the settings."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from textclf.core.params_text import with_comments
from textclf.core.settings import Section
from textclf.params import parse


def commented(text: str) -> str:
    """Return the text of a params.yaml with comments made from the descriptions of its settings.

    Raises `UserError` if a value breaks a rule.
    """
    comments = {}
    for name, kind in sections(parse(text)):
        comments[name] = summary(kind)
        for key, field in settings_of(kind).items():
            comments[f"{name}.{key}"] = field.description or ""
    return with_comments(text, comments)


def sections(section: Section, prefix: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Yield the dotted name and class of every section within one, in the order of params.yaml."""
    for key, inner in section:
        if isinstance(inner, Section):
            yield f"{prefix}{key}", type(inner)
            yield from sections(inner, f"{prefix}{key}.")


def settings_of(kind: type[Section]) -> dict[str, FieldInfo]:
    """Return the fields of a section that are settings and not sections themselves."""
    return {key: field for key, field in kind.model_fields.items() if section_of(field) is None}


def section_of(field: FieldInfo) -> type[Section] | None:
    """Return the class of a field that holds a section, None for a setting."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def summary(kind: type[Section]) -> str:
    """Return the first line of the docstring of a section."""
    return (kind.__doc__ or "").strip().partition("\n")[0]
