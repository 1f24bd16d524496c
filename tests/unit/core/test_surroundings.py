"""What a process of textclf ignores of a user's settings, and where it refuses to work."""

import os
import sys
import warnings
from pathlib import Path

import pytest

from tests.refusal import refusal
from textclf.core import surroundings
from textclf.core.errors import UserError


def test_variables_that_change_libraries_are_removed_and_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    removed = {
        "PANDAS_FUTURE",
        "SCIPY_ARRAY_API",
        "SKLEARN_WORKING_MEMORY",
        "SOURCE_DATE_EPOCH",
        "PYTHONWARNINGS",
    }
    for name in removed:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PANDA", "x")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "pinned")
    before = dict(os.environ)
    surroundings.ignore_settings()
    assert before.keys() - os.environ.keys() == removed


def test_a_warning_of_a_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        surroundings.ignore_settings()
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
        warnings.warn("odd", RuntimeWarning, stacklevel=1)
    assert [str(each.message) for each in caught] == ["odd"]


def test_the_code_of_another_folder_is_refused(here: Path) -> None:
    surroundings.require_own_code(Path("/project/stages"))  # this folder has none
    (here / "stages").mkdir()
    surroundings.require_own_code(here / "stages")
    other = here / "other" / "stages"
    other.mkdir(parents=True)
    with pytest.raises(
        UserError,
        match=r"must be that of the current folder; got .*/other/stages; unset PYTHONSAFE",
    ):
        surroundings.require_own_code(other)


@pytest.mark.parametrize(
    ("x86", "avx2", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_x86_without_avx2_is_refused(
    monkeypatch: pytest.MonkeyPatch, x86: bool, avx2: bool, refused: bool
) -> None:
    monkeypatch.setattr(surroundings, "is_x86", lambda: x86)
    monkeypatch.setattr(surroundings, "has_avx2", lambda: avx2)
    if not refused:
        surroundings.require_cpu()
        return
    assert "the CPU must have AVX2 and FMA" in refusal(surroundings.require_cpu)
