"""The page that says what textclf takes from its surroundings, held to the code."""

import re

import pytest

from tests.processes import ROOT
from textclf.core import surroundings
from textclf.models.common.networks import environment

TEXT = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| ([^|]+) \| (.+) \|$", TEXT, re.MULTILINE)
ROWS = {title: set(re.findall(r"`(\w+)\*?`", cells)) for title, cells in TABLE}


def test_the_docs_name_the_variables_that_are_removed() -> None:
    removed = {
        *surroundings.IGNORED,
        *environment.KERAS_VARIABLES,
        *environment.TENSORFLOW_VARIABLES,
    }
    assert removed == ROWS["Stages and the command `textclf` remove them"]


@pytest.mark.parametrize(
    ("title", "names"),
    [
        (
            "textclf sets them, whatever you have",
            {*surroundings.PINNED, *environment.keras_environment({}, x86=True)},
        ),
        (
            "textclf reads them",
            {
                *environment.KEPT_VARIABLES,
                environment.DEVICE_VARIABLE,
                "DVC_STAGE",
                "TEXTCLF_CORPUS",
            },
        ),
    ],
)
def test_the_docs_name_the_variables_that_are_set_and_read(title: str, names: set[str]) -> None:
    assert names - ROWS[title] == set()
