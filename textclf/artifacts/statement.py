"""The provenance of an exported model, in its folder.

It is an in-toto Statement v1 with a SLSA provenance v1 predicate:
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
https://slsa.dev/spec/v1.0/provenance
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textclf.artifacts.checksums import checksum_of_json, require_same, sums_of
from textclf.core.errors import UserError
from textclf.core.files import read_json, reading, write_json
from textclf.core.quoting import quote_value

PROVENANCE = "provenance.json"
TYPE, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD, BUILDER = "urn:textclf:pipeline:1", "urn:textclf:export"


@dataclass(frozen=True)
class Statement:
    """A statement: the model, its settings, and SHA-256 of its files and of what made it, by name.

    `packages` are the package URLs of the versions that computed it; `version` is that of textclf.
    """

    model: str
    params: Mapping[str, Any]
    subjects: Mapping[str, str]
    files: Mapping[str, str]
    packages: Sequence[str]
    version: str
    content: Mapping[str, Any] = field(repr=False)

    def claims(self) -> dict[str, Any]:
        """Return all that it says but the files of the model and the versions that computed it."""
        definition = self.content["predicate"]["buildDefinition"]
        inputs = [file for file in definition["resolvedDependencies"] if "name" in file]
        claimed = {**definition, "resolvedDependencies": inputs}
        predicate = {**self.content["predicate"], "buildDefinition": claimed}
        return {**self.content, "subject": None, "predicate": predicate}


def write(folder: Path, definition: Mapping[str, Any], version: str) -> None:
    """Write what a model was made of, and by which version of textclf.

    The subjects are the SHA-256 of each file in its folder. The same arguments give the same bytes.
    It has no time, no host and no commit: a commit holds dvc.lock, which has the checksum of this
    file. The `invocationId` is the SHA-256 of the rest.
    """
    run = {"builder": {"id": BUILDER, "version": {"textclf": version}}}
    sums = sums_of(folder).items()
    content = {
        "_type": TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sums],
        "predicateType": PREDICATE,
        "predicate": {"buildDefinition": {"buildType": BUILD, **definition}, "runDetails": run},
    }
    run["metadata"] = {"invocationId": checksum_of_json(content)}
    write_json(folder / PROVENANCE, content)


def read(folder: Path) -> Statement:
    """Return the statement of a model's folder.

    Raises `UserError` if it is missing, damaged or of a newer textclf.
    """
    path = folder / PROVENANCE
    content = read_json(path)
    with reading(path):
        predicate = content["predicate"]
        definition, run = predicate["buildDefinition"], predicate["runDetails"]
        checksum = run.pop("metadata")["invocationId"]
        dependencies, given = definition["resolvedDependencies"], definition["externalParameters"]
        inputs = [dependency for dependency in dependencies if "name" in dependency]
        packages = [dependency for dependency in dependencies if "name" not in dependency]
        statement = Statement(
            model=str(given["model"]),
            params=dict(given["params"]),
            subjects=_sums(content["subject"]),
            files=_sums(inputs),
            packages=sorted(str(package["uri"]) for package in packages),
            version=str(run["builder"]["version"]["textclf"]),
            content=content,
        )
        kinds = content["_type"], content["predicateType"], definition["buildType"]
        if checksum != checksum_of_json(content):
            raise ValueError(checksum)
    if kinds != (TYPE, PREDICATE, BUILD):
        raise UserError(
            f"{path} was made by a newer textclf ({quote_value(kinds[-1])}; "
            f"this version reads {BUILD}); upgrade textclf"
        )
    return statement


def _sums(descriptors: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the SHA-256 of each file, by its name; `ValueError` if a name is there twice."""
    pairs = [(str(file["name"]), str(file["digest"]["sha256"])) for file in descriptors]
    sums = dict(pairs)
    if len(sums) < len(pairs):
        raise ValueError(pairs)
    return sums


def verify_files(folder: Path, names: Iterable[str]) -> None:
    """Raise `UserError` unless each named file of a model has the SHA-256 in its statement."""
    require_same(folder, names, read(folder).subjects, PROVENANCE)
