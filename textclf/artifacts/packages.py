"""The versions of the packages that computed features or a model, in the folder of these."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from textclf.artifacts.checksums import verify_files
from textclf.core import files

FILE = "packages.json"
# Modules that compute, with the name of their distribution; those that only pass rows on are left out.
COMPUTING = {name: name for name in ("keras", "numpy", "onnxruntime", "scipy", "tensorflow", "tokenizers")}
COMPUTING |= {"keras_hub": "keras-hub", "sklearn": "scikit-learn"}

Versions = Mapping[str, list[str]]  # of each package, sorted


def write(folder: Path, *sources: Path) -> None:
    """Write the versions that this process has loaded, and those that made the folders that it has read."""
    if "numpy" in sys.modules:
        import scipy  # noqa: F401 (workers may compute with it in the place of this process)
    loaded = {name: [sys.modules[module].__version__] for module, name in COMPUTING.items() if module in sys.modules}
    files.write_json(folder / FILE, unite([loaded, *map(read, sources)]))


def read(folder: Path) -> Versions:
    """Return the versions that made a folder; `UserError` if the file is missing or damaged."""
    verify_files(folder, [FILE])
    content: Versions = files.read_json(folder / FILE)
    return content


def unite(versions: Iterable[Versions]) -> Versions:
    """Return all versions of each package."""
    found: dict[str, set[str]] = {}
    for each in versions:
        for name, numbers in each.items():
            found.setdefault(name, set()).update(numbers)
    return {name: sorted(found[name]) for name in sorted(found)}
