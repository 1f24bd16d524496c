"""What is pinned before numpy is loaded, on which CPU."""

import os
from pathlib import Path

import pytest

from textclf.core import arithmetic

NAMES = (
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "OPENBLAS_NUM_THREADS",
)


def pin(monkeypatch: pytest.MonkeyPatch, machine: str, avx2: bool) -> dict[str, str]:
    """Return the variables after pinning on such a machine; the user has set others."""
    for name in NAMES:
        monkeypatch.setenv(name, "the user's")
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(arithmetic, "has_avx2", lambda: avx2)
    arithmetic.pin_arithmetic()
    return {name: os.environ[name] for name in NAMES if name in os.environ}


def test_on_a_cpu_with_avx2_the_libraries_use_nothing_above_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pin(monkeypatch, "x86_64", avx2=True) == {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.mark.parametrize(
    ("machine", "core"),
    [("x86_64", "the user's"), ("aarch64", "NEOVERSEN1"), ("arm64", "NEOVERSEN1")],
)
def test_without_avx2_only_arm64_has_a_kernel_chosen(
    monkeypatch: pytest.MonkeyPatch, machine: str, core: str
) -> None:
    pinned = pin(monkeypatch, machine, avx2=False)
    assert pinned == dict.fromkeys(NAMES, "the user's") | {
        "OPENBLAS_CORETYPE": core,
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.mark.parametrize(
    ("machine", "system", "promised"),
    [
        ("x86_64", "linux", "the bytes of Linux on x86-64 with AVX2"),
        ("AMD64", "win32", "close to Linux on x86-64 with AVX2"),
        ("arm64", "darwin", "close to Linux on x86-64 with AVX2"),
        (
            "aarch64",
            "linux",
            "the bytes of Linux on arm64 without a network, and close to Linux on x86-64 with AVX2",
        ),
    ],
)
def test_what_is_promised_depends_on_the_type_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, machine: str, system: str, promised: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(arithmetic, "has_avx2", lambda: True)
    assert arithmetic.promise().partition(":")[0] == promised


@pytest.mark.parametrize(
    ("text", "has_avx2"),
    [
        ("flags\t\t: fpu sse4_2 avx avx2 fma\nbugs\t\t: spectre\n", True),
        ("flags\t\t: fpu sse4_2 avx fma\n", False),
        ("flags\t\t: avx2\n", False),
        (None, True),
    ],
)
def test_with_an_older_glibc_the_kernel_says_what_the_cpu_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, has_avx2: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if text is not None:
        cpuinfo.write_text(text)
    monkeypatch.setattr("ctypes.CDLL", lambda _: None)
    monkeypatch.setattr(arithmetic, "CPUINFO", cpuinfo)
    assert arithmetic.has_avx2() is has_avx2
