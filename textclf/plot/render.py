"""Specifications to SVG, and the script that makes them interactive in a page."""

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import vl_convert

from textclf.plot.marks import HOVER
from textclf.plot.style import Spec

FONTS = resources.files("textclf.plot") / "fonts.conf"
# In SVG by Vega, which escapes < and > in text and attributes.
TAG, NUMBER = re.compile(r"<[^<>]*>"), re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
EMPTY_PATH = re.compile(r'<path[^<>]* d="(?:|M0,0h0v0h0Z)"[^<>]*/>')
FONT = ' font-family="sans-serif"'  # set once, on the svg element
POINTED = {"params", "tooltip"}  # keys that only a pointer uses
UNUSED = re.compile(FONT + r'| (?:class|role|aria-\w+|pointer-events|xmlns:xlink)="[^"]*"| (?:stroke-)?opacity="1"')


def svg(spec: Spec) -> str:
    """Return the chart as SVG without script, id or style; its numbers have two decimals, its ink is currentColor."""
    drawn: str = _load().vegalite_to_svg(still(spec))
    drawn = TAG.sub(lambda tag: NUMBER.sub(_short, UNUSED.sub("", tag[0])), EMPTY_PATH.sub("", drawn))
    return drawn.replace("<svg", f"<svg{FONT}", 1)


@functools.cache
def _load() -> Any:
    """Return vl-convert with the fonts that it brings, and none of the machine's: so the same widths everywhere.

    It looks for fonts when it first measures a text, and only there; programs that are started later find theirs.
    """
    with resources.as_file(FONTS) as path, _variable("FONTCONFIG_FILE", str(path)):
        vl_convert.vega_to_svg({"marks": [{"type": "text", "encode": {"enter": {"text": {"value": "a"}}}}]})
    return vl_convert


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def still(part: Any) -> Any:
    """Return a specification, or a part of one, without what only a pointer uses."""
    if isinstance(part, list):
        return [still(item) for item in part if not (isinstance(item, dict) and item.get("name") == HOVER)]
    if not isinstance(part, dict):
        return part
    if "condition" in part and "param" in part["condition"]:
        return {"value": part["condition"]["value"]}
    return {key: value if key == "values" else still(value) for key, value in part.items() if key not in POINTED}


def _short(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2):g}"


@functools.cache
def javascript(snippet: str) -> str:
    """Return a script that holds Vega, Vega-Lite and Vega-Embed (`vegaEmbed`) and ends with the snippet.

    It depends on nothing but the snippet and the version of vl-convert.
    """
    return vl_convert.javascript_bundle(snippet)
