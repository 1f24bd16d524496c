"""Optional packages: the extra of textclf that has each, and how to install it, for the error when one is missing."""

from textclf.core.installed import clone_root, requirement

EXTRAS = {
    "pipeline": (
        "dask",
        "distributed",
        "dvc",
        "jinja2",
        "keras",
        "markupsafe",  # of jinja2
        "onnx",
        "pandas",
        "py3langid",
        "requests",
        "shtab",
        "sklearn",
        "tensorflow",
        "tqdm",
        "vl_convert",
    ),
    "audit": ("cleanlab",),
    "excel": ("openpyxl",),
    "onnx": ("onnxruntime",),
    "encoder": ("tokenizers", "onnxruntime"),
    "pretrained": ("keras_hub", "onnxruntime", "tokenizers"),
    "parquet": ("pyarrow",),  # pipeline has it too
    "search": ("optuna",),
    "serve": ("fastapi", "uvicorn"),
    "sql": ("sqlalchemy",),
}
LOCKED = ("audit", "pretrained", "search", "serve")  # extras with a lock file in requirements/


def extra_of(module: str | None) -> str | None:
    """Return the name of the smallest extra that installs a module or its package; None if no extra does."""
    package = (module or "").partition(".")[0]
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra: in a clone, if there is one, from its lock file."""
    clone = clone_root()
    if extra == "pipeline" and clone:
        return "in a clone of textclf: make .venv/run"
    if extra == "pipeline":
        return f'pip install "{requirement(extra)}"'
    if extra in LOCKED and clone:
        return f"in a clone of textclf: pip install --require-hashes --only-binary :all: -r requirements/{extra}.txt"
    return f"pip install --only-binary :all: {' '.join(EXTRAS[extra]).replace('_', '-')}"
