"""The extra of textclf that has an optional package, and how to install it, for error messages."""

import sys
from collections.abc import Iterable

from textclf.core.installed import clone_root, requirement

EXTRAS = {
    "pipeline": (
        "dask",
        "distributed",
        "dvc",
        "jinja2",
        "markupsafe",  # of jinja2
        "onnx",
        "onnxruntime",
        "pandas",
        "py3langid",
        "requests",
        "shtab",
        "sklearn",
        "tokenizers",
        "tqdm",
        "vl_convert",
    ),
    "keras": ("keras", "tensorflow"),
    "audit": ("cleanlab",),
    "excel": ("openpyxl",),
    "onnx": ("onnxruntime",),
    "encoder": ("tokenizers", "onnxruntime"),
    "pretrained": ("keras", "onnxruntime", "tensorflow", "tokenizers"),
    "parquet": ("pyarrow",),  # pipeline has it too
    "search": ("optuna",),
    "serve": ("fastapi", "uvicorn"),
    "sign": ("model_signing", "OpenSSL"),
    "sql": ("sqlalchemy",),
}
# Extras with a lock file in requirements/.
LOCKED = ("audit", "keras", "pretrained", "search", "serve", "sign")
OF_RUNS = ("pipeline", "keras", "pretrained")  # extras that the stages import, the smallest first
NEWEST = (3, 13)  # Python for which TensorFlow has wheels


def extra_of(module: str | None) -> str | None:
    """Return the smallest extra that installs a module or its package; None if no extra does."""
    package = (module or "").partition(".")[0]
    extras = (extra for extra in EXTRAS if package in EXTRAS[extra])
    return min(extras, key=lambda extra: len(EXTRAS[extra]), default=None)


def extra_with(packages: Iterable[str]) -> str:
    """Return the smallest extra that installs all these packages of a representation or model."""
    return next(extra for extra in OF_RUNS if {*packages} <= {*EXTRAS[extra]})


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra: in a clone from its lock file, if there is one."""
    clone = clone_root()
    if "tensorflow" in EXTRAS[extra] and sys.version_info[:2] > NEWEST:
        return "TensorFlow has no wheels for this Python; use Python 3.11, 3.12 or 3.13"
    # The extra sign, too: model-signing does not require all that it imports.
    if extra in {*OF_RUNS, "sign"} and not clone:
        return f'pip install "{requirement(extra)}"'
    if extra in {"pipeline", "keras"}:
        return "in a clone of textclf: make .venv/run"
    if extra in LOCKED and clone:
        options = "--require-hashes --only-binary :all:"
        return f"in a clone of textclf: pip install {options} -r requirements/{extra}.txt"
    return f"pip install --only-binary :all: {' '.join(EXTRAS[extra]).replace('_', '-')}"
