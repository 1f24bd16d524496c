"""What made a run: checksums and versions."""

import hashlib
from collections.abc import Iterator, Mapping

from textclf.artifacts.packages import Versions
from textclf.core.installed import LOCKED

# Packages whose version can change a number or a figure.
PACKAGES = (
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


def unlocked(computed: Versions, locked: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each package that computed in another version than is locked."""
    for name, versions in computed.items():
        if name in locked and versions != [locked[name]]:
            yield (
                f"the stages computed with {name} {' and '.join(versions)}, but the requirements lock {locked[name]}; "
                "install the locked requirements, then run dvc repro --force"
            )


def describe_versions(computed: Versions, locked: Mapping[str, str]) -> dict[str, str]:
    """Return the version of each package that computed, and of others as they are locked."""
    shown = {f"{name}, as locked": locked[name] for name in locked.keys() - computed.keys()}
    for name, versions in computed.items():
        other = f" (locked: {locked[name]})" if name in locked and versions != [locked[name]] else ""
        shown[name] = " and ".join(versions) + other
    return dict(sorted(shown.items()))


def combine_checksums(checksums: Mapping[str, str]) -> str:
    """Return one SHA-256 of all names and checksums, whatever their order; of a single file its own checksum."""
    if len(checksums) == 1:
        return next(iter(checksums.values()))
    lines = (f"{name}\0{checksums[name]}\n" for name in sorted(checksums))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def locked_versions(requirements: str) -> dict[str, str]:
    """Return the version of each of `PACKAGES` that the text of a lock file has."""
    versions = dict(LOCKED.findall(requirements))
    return {name: versions[name] for name in PACKAGES if name in versions}
