"""Optional packages: the extra of textclf that installs each, for the error when one is missing."""

EXTRAS = {
    "pipeline": (
        "dask",
        "distributed",
        "dvc",
        "jinja2",
        "keras",
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
    "encoder": ("tokenizers",),  # it has onnxruntime too
    "pretrained": ("keras_hub",),  # it has the two as well
    "parquet": ("pyarrow",),  # pipeline has it too
    "search": ("optuna",),
    "serve": ("fastapi", "uvicorn"),
    "sql": ("sqlalchemy",),
}


def extra_of(module: str | None) -> str | None:
    """Return the name of the smallest extra that installs a module or its package; None if no extra does."""
    package = (module or "").partition(".")[0]
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)
