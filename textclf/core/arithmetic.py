"""Arithmetic that gives the same result on every x86-64 CPU with AVX2."""

import os
import platform


def pin_arithmetic() -> None:
    """Set environment variables that limit numpy and OpenBLAS to AVX2 and OpenBLAS to one thread.

    By default these libraries choose their instructions by the CPU, and other instructions round differently.
    The variables are read when the libraries are loaded, so call this before importing any of them. Those of Keras
    and TensorFlow are set where Keras is imported: see `textclf.models.keras.build`.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the order of additions depends on the number of threads
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    if is_x86():
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"
        os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL"  # numpy 2.4's names
        os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)  # numpy refuses to load with both


def is_x86() -> bool:
    """Return whether the CPU is of the type x86-64."""
    return platform.machine().lower() in {"x86_64", "amd64"}
