"""Specifications to SVG."""

import functools
import os
import re
from importlib import resources
from typing import Any

import vl_convert

from textclf.plot.style import Spec

FONTS = resources.files("textclf.plot") / "fonts.conf"
VARIABLE = "FONTCONFIG_FILE"
# In SVG by Vega, which escapes < and > in text and attributes.
TAG = re.compile(r"<[^<>]*>")
NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
EMPTY_PATH = re.compile(r'<path[^<>]* d="(?:|M0,0h0v0h0Z)"[^<>]*/>')
# Set once, on the svg element.
FONT = ' font-family="sans-serif"'
LABELLED = re.compile(r'<(\w+) aria-label="([^"]*)"([^<>]*)/>')
UNUSED, UNUSED_IN_TITLED = (
    re.compile(
        FONT
        + rf'| (?:class|role|{aria}|pointer-events|xmlns:xlink)="[^"]*"| (?:stroke-)?opacity="1"'
    )
    for aria in (r"aria-\w+", "aria-roledescription")
)


def svg(spec: Spec, titled: bool = True) -> str:
    """Return the chart as SVG without script, id or style.

    Its numbers have two decimals, its ink is currentColor. `titled`: a description of a mark
    becomes its title, and screen readers pass over the labels of axes.
    """
    drawn: str = _load().vegalite_to_svg(spec)
    unused = UNUSED
    if titled:
        drawn, unused = LABELLED.sub(r"<\1\3><title>\2</title></\1>", drawn), UNUSED_IN_TITLED
    drawn = EMPTY_PATH.sub("", drawn)
    drawn = TAG.sub(lambda tag: NUMBER.sub(_short, unused.sub("", tag[0])), drawn)
    return drawn.replace("<svg", f"<svg{FONT}", 1)


@functools.cache
def _load() -> Any:
    """Return vl-convert with its own fonts and none of the machine's, for equal widths everywhere.

    It looks for fonts when it first measures a text, and only there; programs that are started
    later find theirs.
    """
    before = os.environ.pop(VARIABLE, None)
    with resources.as_file(FONTS) as path:
        os.environ[VARIABLE] = str(path)
        vl_convert.vega_to_svg(
            {"marks": [{"type": "text", "encode": {"enter": {"text": {"value": "a"}}}}]}
        )
    del os.environ[VARIABLE]
    if before is not None:
        os.environ[VARIABLE] = before
    return vl_convert


def _short(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2):g}"
