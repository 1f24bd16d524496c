"""Signatures of models, ours and model-signing's, and what is wrong with others."""

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.processes import Command, run
from tests.refusal import refusal
from tests.unit.predict.models import export, two_classes
from textclf.verify.signing import require_signature

pytestmark = pytest.mark.posix  # paths in lines
MODEL, SIGNATURE, KEY = Path("models/words"), Path("signatures/words.sig"), Path("key.pub")


@pytest.fixture(autouse=True)
def _model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, curve in {
        "key": ec.SECP256R1(),
        "other": ec.SECP384R1(),
        "unusual": ec.SECP256K1(),
    }.items():
        key = ec.generate_private_key(curve)
        Path(f"{name}.pem").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        Path(f"{name}.pub").write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    export(two_classes(), MODEL)


def test_model_signing_verifies_what_we_sign_and_we_what_it_signs(command_line: Command) -> None:
    assert command_line("sign", "words", "--key", "key.pem").status == 0
    require_signature(MODEL, KEY, SIGNATURE)
    its = [sys.executable, "-m", "model_signing"]
    assert (
        run(*its, "verify", "key", MODEL, "--signature", SIGNATURE, "--public_key", KEY).status == 0
    )
    assert (
        run(*its, "sign", "key", MODEL, "--signature", "its.sig", "--private_key", "key.pem").status
        == 0
    )
    require_signature(MODEL, KEY, Path("its.sig"))
    # Another signature takes its place.
    assert command_line("sign", MODEL, "--key", "other.pem", "--signature", "its.sig").status == 0
    require_signature(MODEL, Path("other.pub"), Path("its.sig"))


WRONG = {
    "echo >>models/words/decision.json": (
        "the private key of key.pub; Hash mismatch for 'decision.json'"
    ),
    "echo >models/words/extra.json": (
        "the private key of key.pub; Extra files found in model 'words': extra.json"
    ),
    "rm models/words/decision.json": (
        "the private key of key.pub; Missing files in model 'words': decision.json"
    ),
    "cp other.pub key.pub": (
        "Key mismatch: The public key hash in the signature's verification material does not match"
    ),
    'sed -i.old \'s/"sig":"..../"sig":"AAAA/\' signatures/words.sig': "InvalidSignature",
}


@pytest.mark.parametrize(("change", "reason"), WRONG.items())
def test_a_wrong_signature_is_one_line(change: str, reason: str, command_line: Command) -> None:
    command_line("sign", "words", "--key", "key.pem")
    assert run("sh", "-c", change).status == 0
    assert reason in refusal(require_signature, MODEL, KEY, SIGNATURE)


MISTAKES = {
    "words --key unusual.pem": (
        "must be a private key (PEM, P-256, P-384 or P-521, without a password); Unsupported"
    ),
    "words --key key.pem --signature key.pub": (
        "key.pub must be a signature of models/words or no file"
    ),
    "words --key key.pem --signature models/words/a.sig": (
        "--signature must be outside of models/words, whose files"
    ),
    "linked --key key.pem": "models/linked must be a folder; got a link; sign ",
    "damaged --key key.pem": (
        "models/damaged must have the files that its statement lists; decision.json was changed"
    ),
}


@pytest.mark.parametrize(("words", "reason"), MISTAKES.items())
def test_nothing_is_signed_or_overwritten_by_mistake(
    words: str, reason: str, command_line: Command
) -> None:
    command_line("sign", "words", "--key", "key.pem")
    Path("models/linked").symlink_to("words")
    (export(two_classes(), Path("models/damaged")) / "decision.json").write_text("{}")
    before = sorted(Path().rglob("*"))
    ended = command_line("sign", *words.split())
    assert (ended.status, len(ended.err.splitlines()), sorted(Path().rglob("*"))) == (2, 1, before)
    assert reason in ended.err
