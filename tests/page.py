"""A page as its elements and the text of its sections."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:  # tests of predict, which import this module, run without what draws charts
    from textclf.plot.style import Spec
    from textclf.report.run import Run

VOID = {"meta", "link", "br", "img", "path", "rect", "line"}


class Page(HTMLParser):
    """The elements and the text of a page; one that is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.section = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = str(dict(attrs)["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"dd", "td", "th", "li", "p", "div", "h2", "h3", "h4"}:
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text[self.section] = self.text.get(self.section, "") + data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def without_pictures(run: Run, *shown: str) -> str:
    """Return the page of a run without the pictures of its charts, which take most of the time.

    With `shown` it has these sections alone, and those that others refer to.
    """
    return _draw(run, *shown)[0]


def specs(run: Run) -> list[Spec]:
    return _draw(run)[1]


def _draw(run: Run, *shown: str) -> tuple[str, list[Spec]]:
    from textclf.pages import parts
    from textclf.report import page as report

    sections = {
        name: section
        for name, section in report.SECTIONS.items()
        if not shown or name in {*shown, "errors", "data", "provenance"}
    }
    with (
        mock.patch.object(parts, "svg", return_value="") as drawn,
        mock.patch.object(report, "SECTIONS", sections),
    ):
        page = report.render(run)
    return page, [call.args[0] for call in drawn.call_args_list]


def section(run: Run, name: str) -> str:
    """The text of a section of a run's page, without pictures, its white space single."""
    return " ".join(Page(without_pictures(run, name)).text[name].split())
