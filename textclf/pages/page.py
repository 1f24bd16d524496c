"""A page: a heading, a table of contents, sections, and a content security policy.

Under this policy nothing else can run or be loaded. A page names no time, machine or path. Text of
the corpus is escaped, cut, and shown without hidden characters.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from textclf.core.display import visible
from textclf.core.formatting import count_noun

# The folder of a package that holds its templates.
TEMPLATES = "templates"
PAGE = "page.html.j2"
STYLE = "page.css"
SCRIPT = "page.js"


@dataclass(frozen=True)
class Heading:
    """What stands at the top of a page."""

    # Such as report.
    kind: str
    subject: str
    facts: str


def render(
    package: str,
    heading: Heading,
    sections: Mapping[str, str],
    context: Mapping[str, Any],
    filters: Mapping[str, Callable[..., Any]] | None = None,
    charts: bool = True,
) -> str:
    """Return a page with a section for each id in `sections`, which maps ids to titles, in order.

    The template of a section is `templates/sections/<id>.html.j2` of the package; its values are in
    `context`. A section whose value there is None is left out. A page without `charts` has no
    script.
    """
    style = template(STYLE)
    script = template(SCRIPT) if charts else ""
    loader = ChoiceLoader([PackageLoader(name, TEMPLATES) for name in ("textclf.pages", package)])
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "count_noun": count_noun, **(filters or {})}
    return environment.get_template(PAGE).render(
        context,
        heading=heading,
        sections={name: title for name, title in sections.items() if context[name] is not None},
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        policy=_policy(script, style),
    )


def template(name: str) -> str:
    """Return a file of the folder of templates, such as `STYLE`."""
    return resources.files("textclf.pages").joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """Return the content security policy of a page with only this inline script and style."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_integrity(script)}" if script else "script-src 'none'",
            f"style-src {_integrity(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _integrity(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"
