"""Optional packages: the extra of textclf that has each, and how to install it, for the error when one is missing."""

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
        "requests",
        "sklearn",
        "tensorflow",
        "tqdm",
        "vl_convert",
    ),
    "audit": ("cleanlab",),
    "excel": ("openpyxl",),
    "onnx": ("onnxruntime",),
    "encoder": ("tokenizers", "onnxruntime"),
    "pretrained": ("keras_hub",),  # it has the two as well
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
    """Return the command that installs an extra: only wheels, and those of the lock file if there is one.

    It does not name textclf, because the package of that name on the package index is another project.
    """
    if extra == "pipeline":
        return "in a clone of textclf: make .venv/run"
    if extra in LOCKED:
        return f"in a clone of textclf: pip install --require-hashes --only-binary :all: -r requirements/{extra}.txt"
    return f"pip install --only-binary :all: {' '.join(EXTRAS[extra])}"
