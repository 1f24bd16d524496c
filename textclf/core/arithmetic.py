"""Arithmetic with the same results on all x86-64 CPUs with AVX2 and FMA, and on all arm64 CPUs."""

import ctypes
import os
import platform
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")  # of the kernel
REFERENCE = "Linux on x86-64 with AVX2"
AGREEMENT = (
    "without a network, metrics to six digits, predictions to 1e-9 and labels are the same; "
    "with one, the accuracy is within its interval"
)
AVX2, FMA = (1, 1, 5), (0, 2, 12)  # leaf, register and bit of CPUID, as glibc numbers them


def pin_arithmetic() -> None:
    """Set the variables that fix the CPU instructions and the threads of numpy and OpenBLAS.

    Other instructions round differently. The variables are read when the libraries are loaded, so
    call this before importing any of them. An x86-64 CPU without AVX2 can't give the same bytes,
    and the libraries choose.
    """
    # The order of additions depends on the number of threads.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["VECLIB_MAXIMUM_THREADS"] = "1"  # of Accelerate, with which numpy is built for macOS
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    if is_x86() and has_avx2():
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"
        os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL"  # numpy 2.4's names
        os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)  # numpy refuses to load with both
    elif is_arm():
        # It runs on every arm64 CPU; numpy itself gives the same bytes.
        os.environ["OPENBLAS_CORETYPE"] = "NEOVERSEN1"


def promise() -> str:
    """Return what results of this machine and of others have in common: see docs/environment.md."""
    if gives_same_bytes():
        return f"the bytes of {REFERENCE}"
    own = ""
    if sys.platform == "linux" and is_arm():
        own = "the bytes of Linux on arm64 without a network, and "
    return f"{own}close to {REFERENCE}: {AGREEMENT}"


def gives_same_bytes() -> bool:
    """Return whether this machine gives the bytes that dvc.lock of the repository has."""
    return sys.platform == "linux" and is_x86() and has_avx2()


def is_arm() -> bool:
    """Return whether the CPU is of the type arm64."""
    return platform.machine().lower() in {"aarch64", "arm64"}


def is_x86() -> bool:
    """Return whether the CPU is of the type x86-64."""
    return platform.machine().lower() in {"x86_64", "amd64"}


def has_avx2() -> bool:
    """Return whether an x86-64 CPU has AVX2 and FMA and may use them; True if nothing says.

    glibc knows what programs may use, also on an emulated CPU; before version 2.33 only the kernel
    can be asked.
    """
    try:
        leaf = ctypes.CDLL(None).__x86_get_cpuid_feature_leaf  # for <sys/platform/x86.h>
    except (AttributeError, OSError, TypeError):
        if not CPUINFO.exists():
            return True
        return {"avx2", "fma"} <= {*CPUINFO.read_text(errors="replace").split()}
    # EAX, EBX, ECX, EDX of what the CPU has, then of what may be used.
    leaf.restype = ctypes.POINTER(ctypes.c_uint * 8)
    flags = (leaf(number).contents[4 + register] >> bit for number, register, bit in (AVX2, FMA))
    return all(flag & 1 for flag in flags)
