"""textclf: what the stages of the pipeline share, and what users import.

Importing the package pins the arithmetic of the libraries below it, so that one input gives one output on
every x86-64 CPU with AVX2: numpy, OpenBLAS and XLA otherwise choose other instructions on other CPUs, and
other instructions round differently. The choice must be made before those libraries are loaded, which is
why it stands here and not in a function.
"""

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textclf.predict.predictor import Predictor

__version__ = "0.1.0"


def pin_arithmetic() -> None:
    """Environment variables set: AVX2 arithmetic and one BLAS thread, whatever the machine offers."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # more threads add up in another order
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    if platform.machine().lower() in {"x86_64", "amd64"}:
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"
        os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL"  # numpy 2.4's names
        flags = os.environ.get("XLA_FLAGS", "")
        if "--xla_cpu_max_isa" not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_max_isa=AVX2".strip()


pin_arithmetic()


def load(folder: str | Path) -> "Predictor":
    """The trained classifier in a folder such as models/keras: see `textclf.predict.predictor.Predictor`."""
    from textclf.predict import predictor as prediction

    return prediction.load(folder)
