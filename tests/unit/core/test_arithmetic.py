"""What is pinned before numpy is loaded, on which CPU."""

import os
from pathlib import Path

import pytest

from textclf.core import arithmetic

NAMES = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "OPENBLAS_NUM_THREADS")


def pin(monkeypatch: pytest.MonkeyPatch, machine: str, avx2: bool) -> dict[str, str]:
    """Return the variables after pinning on such a machine, of a user who has set all of them otherwise."""
    for name in NAMES:
        monkeypatch.setenv(name, "the user's")
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(arithmetic, "has_avx2", lambda: avx2)
    arithmetic.pin_arithmetic()
    return {name: os.environ[name] for name in NAMES if name in os.environ}


def test_on_a_cpu_with_avx2_the_libraries_use_nothing_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pin(monkeypatch, "x86_64", avx2=True) == {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.mark.parametrize(("machine", "avx2"), [("x86_64", False), ("aarch64", True), ("arm64", False)])
def test_on_another_cpu_no_instructions_are_chosen_for_the_libraries(
    monkeypatch: pytest.MonkeyPatch, machine: str, avx2: bool
) -> None:
    pinned = pin(monkeypatch, machine, avx2)
    assert pinned["OPENBLAS_NUM_THREADS"] == "1"
    assert pinned["OPENBLAS_CORETYPE"] == "the user's"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("flags\t\t: fpu sse4_2 avx avx2 fma\nbugs\t\t: spectre\n", True),
        ("flags\t\t: fpu sse4_2 avx fma\n", False),
        ("flags\t\t: avx2\n", False),
        (None, True),
    ],
)
def test_with_an_older_glibc_the_kernel_says_what_the_cpu_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, found: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if text is not None:
        cpuinfo.write_text(text)
    monkeypatch.setattr("ctypes.CDLL", lambda _: None)
    monkeypatch.setattr(arithmetic, "CPUINFO", cpuinfo)
    assert arithmetic.has_avx2() is found
