"""The versions of the packages that computed features or a model, in the folder of these."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from textclf.artifacts.checksums import verify_files
from textclf.core import files
from textclf.core.formatting import count_noun
from textclf.core.installed import LOCKED

FILE = "packages.json"
# Modules that compute, with the name of their distribution; those that only pass rows on are left
# out.
COMPUTING = {
    "keras": "keras",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "scipy": "scipy",
    "tensorflow": "tensorflow",
    "tokenizers": "tokenizers",
    "sklearn": "scikit-learn",
}

Versions = Mapping[str, list[str]]  # of each package, sorted
# Packages whose version can change a number or a figure.
SHOWN = (
    "dvc",
    "jinja2",
    "keras",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "vl-convert-python",
)


def write(folder: Path, *sources: Path) -> None:
    """Write the versions that this process has loaded, and those that made its source folders."""
    if "numpy" in sys.modules:
        import scipy  # noqa: F401 (workers may compute with it in the place of this process)
    modules = [module for module in COMPUTING if module in sys.modules]
    loaded = {COMPUTING[module]: [sys.modules[module].__version__] for module in modules}
    files.write_json(folder / FILE, unite([loaded, *map(read, sources)]))


def read(folder: Path) -> Versions:
    """Return the versions that made a folder; `UserError` if the file is missing or damaged."""
    verify_files(folder, [FILE])
    content: Versions = files.read_json(folder / FILE)
    return content


def unite(versions: Iterable[Versions]) -> Versions:
    """Return all versions of each package."""
    united: dict[str, set[str]] = {}
    for of_folder in versions:
        for name, numbers in of_folder.items():
            united.setdefault(name, set()).update(numbers)
    return {name: sorted(united[name]) for name in sorted(united)}


def unlocked(computed: Versions, locked: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence if packages computed in other versions than are locked."""
    other = [name for name in computed if name in locked and computed[name] != [locked[name]]]
    if other:
        yield (
            f"the stages computed with {count_noun(len(other), 'package')} of another version than "
            "is locked (textclf doctor); install these, then run dvc repro --force"
        )


def describe_versions(computed: Versions, locked: Mapping[str, str]) -> dict[str, str]:
    """Return the version of each package that computed, and of others as they are locked."""
    shown = {f"{name}, as locked": locked[name] for name in locked.keys() - computed.keys()}
    for name, versions in computed.items():
        shown[name] = " and ".join(versions)
        if name in locked and versions != [locked[name]]:
            shown[name] += f" (locked: {locked[name]})"
    return dict(sorted(shown.items()))


def locked_versions(requirements: str) -> dict[str, str]:
    """Return the version of each of `SHOWN` that the text of a lock file has."""
    versions = dict(LOCKED.findall(requirements))
    return {name: versions[name] for name in SHOWN if name in versions}
