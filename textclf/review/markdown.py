"""Text as Markdown that no name can break: the filters of the comment's template.

A model, parameter or path may have any name. The template therefore writes every text as code, in
which nothing is markup, a mention or a link, and nothing ends a table cell; only what a filter of
this module returns stays as it is.
"""

import math
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from textclf.core.formatting import confidence_level, count_noun, p_relation
from textclf.core.quoting import list_few, shorten
from textclf.evaluate.intervals import Interval
from textclf.review.changes import format_number

if TYPE_CHECKING:
    from jinja2 import Template

# Characters of a value.
LONGEST = 100
# Names of a list in a sentence or a table cell.
MOST_NAMES = 8
# Characters that stay as they are in an address. Parentheses would end a Markdown link, so they are
# quoted.
URL_CHARACTERS = "/:?=&%#+,;@~!$'*"


def template(name: str) -> "Template":
    """Return a template of this package that writes every text as code unless it is `Markup`."""
    from jinja2 import Environment, StrictUndefined  # which the other functions do without

    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    path = files("textclf.review").joinpath("templates", name)
    return environment.from_string(path.read_text(encoding="utf-8"))


def _finalize(value: Any) -> Markup | float:
    if isinstance(value, Markup | int | float):
        return value
    if isinstance(value, str):
        return code(value)
    raise TypeError(f"the template must print texts and numbers; got {value!r}")


def safe(text: str) -> Markup:
    """Return the text as it is: the caller states that it holds no text of others, or only code."""
    return Markup(text)  # noqa: S704 (this is what the function is for)


def code(text: str, longest: int = LONGEST) -> Markup:
    """Return the text as inline code, shortened, with control characters escaped.

    A backtick would end the code and a pipe the table cell: if the text has one, each character
    becomes an entity.
    """
    text = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    text = shorten(text, longest)
    if text.strip() and not set(text) & set("`|"):
        return safe(f"`{text}`")
    entities = "".join(
        letter if letter.isalnum() or letter == " " else f"&#{ord(letter)};" for letter in text
    )
    return safe(f"<code>{entities}</code>")


def names(texts: Sequence[str]) -> Markup:
    """Return the texts as code, separated by commas; after `MOST_NAMES`, the number of others."""
    return safe(list_few([code(text) for text in texts], MOST_NAMES))


def url(address: str) -> Markup:
    """Return the address quoted, as the target of a Markdown link."""
    return safe(quote(address, safe=URL_CHARACTERS))


def number(value: float | None) -> Markup:
    """Return a metric's value; nothing for None."""
    return safe("" if value is None else format_number(value))


def signed(value: float) -> Markup:
    """Return a difference with its sign; nothing for NaN."""
    if math.isnan(value):
        return safe("")
    return safe(f"{'+' if value >= 0 else ''}{format_number(value)}")


def ends(interval: Interval) -> Markup:
    """Return the two ends of an interval of a difference."""
    return safe(f"({signed(interval.low)} to {signed(interval.high)})")


FILTERS: dict[str, Callable[..., Markup]] = {
    function.__name__: function for function in (code, ends, names, number, signed, url)
}
FILTERS |= {
    "count_noun": lambda number, noun: safe(count_noun(number, noun)),
    "level": lambda confidence: safe(confidence_level(confidence)),
    "outcome": lambda check: safe(check.outcome),
    "p_equals": lambda p: safe(f"p {p_relation(p)}"),
    "reason": lambda check: safe(check.reason),
    "verdict": lambda verdict: safe(
        f"**{verdict}**" if verdict in {"better", "worse"} else verdict
    ),
}
