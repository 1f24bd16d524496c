"""Arithmetic that gives the same result on every x86-64 CPU with AVX2."""

import os
import platform


def pin_arithmetic() -> None:
    """Set environment variables that limit numpy, OpenBLAS and XLA to AVX2 and BLAS to one thread.

    By default these libraries choose their instructions by the CPU, and other instructions round differently.
    The variables are read when the libraries are loaded, so call this before importing any of them.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the order of additions depends on the number of threads
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    if platform.machine().lower() in {"x86_64", "amd64"}:
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"
        os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL"  # numpy 2.4's names
        flags = os.environ.get("XLA_FLAGS", "")
        if "--xla_cpu_max_isa" not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_max_isa=AVX2".strip()
