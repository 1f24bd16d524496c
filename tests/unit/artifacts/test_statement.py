"""An exported model's statement against the forms of in-toto and SLSA, by in-toto's package."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import resource_descriptor, statement_pb2
from in_toto_attestation.v1.statement import Statement

from tests.refusal import refusal
from tests.unit.predict.models import MADE_OF_NOTHING
from textclf.artifacts import statement
from textclf.artifacts.statement import PROVENANCE
from textclf.core.code import checksum, read_code
from textclf.core.files import sha256_of_file
from textclf.export.provenance import CODE, CODE_NAME


def test_the_statement_of_a_run_has_the_published_form_of_in_toto_and_slsa(project: Path) -> None:
    content = json.loads((project / "models/majority" / PROVENANCE).read_bytes())
    # A field that the published protobufs do not have is an error.
    Statement.copy_from_pb(json_format.ParseDict(content, statement_pb2.Statement())).validate()
    predicate = json_format.ParseDict(content["predicate"], provenance_pb2.Provenance())
    for dependency in predicate.build_definition.resolved_dependencies:
        resource_descriptor.ResourceDescriptor.copy_from_pb(dependency).validate()
    assert json_format.MessageToDict(predicate) == content["predicate"]


def test_a_statement_names_what_a_model_was_made_of(project: Path) -> None:
    stated = statement.read(project / "models/majority")
    assert (stated.model, {*stated.params["train"]}, {*stated.params["vectorize"]}) == (
        "majority",
        {"majority"},
        {"words"},
    )
    assert {*stated.subjects} == {path.name for path in (project / "models/majority").iterdir()} - {
        PROVENANCE
    }
    edited = (
        "data/raw/yelp_labelled.txt",
        "corrections.csv",
        "labelled.csv",
        "requirements/run.txt",
        "requirements/keras.txt",
    )
    assert {name: stated.files[name] for name in edited} == {
        name: sha256_of_file(project / name) for name in edited
    }
    assert stated.files[CODE_NAME] == checksum(read_code(), *CODE)
    assert any(name.startswith("pkg:pypi/numpy@") for name in stated.packages)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (statement.PREDICATE, f"{statement.PREDICATE}.1"),
        ('"sha256": "', '"sha256": "0'),
        ('"model": "model",', ""),
    ],
)
def test_an_edited_statement_is_refused(old: str, new: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    statement.write(tmp_path, MADE_OF_NOTHING, "0.2.0")
    text = (tmp_path / PROVENANCE).read_text()
    assert text.count(old) == 1
    (tmp_path / PROVENANCE).write_text(text.replace(old, new))
    assert "provenance.json is damaged" in refusal(statement.read, tmp_path)


def test_a_statement_of_a_newer_form_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(statement, "BUILD", "urn:textclf:pipeline:2")
        statement.write(tmp_path, MADE_OF_NOTHING, "1.0.0")
    assert "was made by a newer textclf ('urn:textclf:pipeline:2'; this" in refusal(
        statement.read, tmp_path
    )
