"""The command `textclf sign` and the check of a signature, by model-signing with a key pair."""

import base64
import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.outputs import outputs
from textclf.core.quoting import first_line, quote_name
from textclf.predict.predictor import find_model
from textclf.verify import files
from textclf.verify.arguments import Sign

# A folder of the project, for Git: models/ is an output of a stage.
SIGNATURES = Path("signatures")
# The predicate type of what model-signing signs.
KIND = "https://model_signing/signature/v1.0"
# What model-signing's message says of files.
FILES = re.compile(r"(?:Extra|Missing) files [^\"]+|Hash mismatch for '[^']+'")


def run(arguments: Sign) -> None:
    """Sign the files of a model and write the signature."""
    from model_signing import signing

    folder = find_model(arguments.models, arguments.model)
    signature = arguments.signature or default_signature(folder)
    if folder.is_symlink():
        raise UserError(
            f"{folder} must be a folder; got a link; sign {folder.resolve()}, or copy it here"
        )
    if problems := [*files.problems(folder)]:
        rule = f"{folder} must have the files that its statement lists"
        raise UserError(*(f"{rule}; {problem}" for problem in problems))
    if signature.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"--signature must be outside of {folder}, whose files are signed; got {signature}"
        )
    if os.path.lexists(signature) and signed_model(signature) != folder.resolve().name:
        raise UserError(
            f"{signature} must be a signature of {folder} or no file, since it is replaced; "
            "got another file"
        )
    rule = "must be a private key (PEM, P-256, P-384 or P-521, without a password)"
    with _explained(f"{arguments.key} {rule}"):
        config: Any = signing.Config()  # type: ignore[no-untyped-call]
        signer = config.use_elliptic_key_signer(private_key=arguments.key)
    with outputs(signature) as (scratch,):
        signer.sign(folder, scratch)
    print(f"{signature} signs the files of {folder}; commit it")


def default_signature(folder: Path) -> Path:
    """Return where the signature of a model is unless another file is named."""
    return SIGNATURES / f"{folder.resolve().name}.sig"


def require_signature(folder: Path, key: Path, signature: Path) -> None:
    """Raise `UserError` unless the signature is that of all files of a model.

    It must be by the private key of this public key.
    """
    from model_signing import verifying

    name = signed_model(signature)
    if name != folder.resolve().name:
        other = "another file" if os.path.lexists(signature) else "none"
        if name:
            other = f"one of {quote_name(name)}"
        rule = f"must be a signature of {folder.resolve().name} by model-signing"
        raise UserError(f"{signature} {rule}; got {other}; textclf sign makes one")
    with _explained(f"{key} must be a public key (PEM, P-256, P-384 or P-521)"):
        config: Any = verifying.Config()  # type: ignore[no-untyped-call]
        verifier = config.use_elliptic_key_verifier(public_key=key)
    rule = f"must have the files that {signature} signs, by the private key of {key}"
    with _explained(f"{folder} {rule}"):
        verifier.verify(folder, signature)


def signed_model(signature: Path) -> str | None:
    """Return the name of the model that a file says it signs.

    Return None unless the file is a signature by model-signing.
    """
    if not signature.is_file():
        return None
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        payload = json.loads(signature.read_bytes())["dsseEnvelope"]["payload"]
        statement = json.loads(base64.b64decode(payload))
        if statement["predicateType"] == KIND:
            return str(statement["subject"][0]["name"])
    return None


@contextlib.contextmanager
def _explained(rule: str) -> Iterator[None]:
    """Turn what model-signing raises into `UserError`: the rule, and the reason."""
    try:
        yield
    except (ImportError, MemoryError, OSError):
        raise
    except Exception as error:
        reason = "; ".join(FILES.findall(str(error).replace("\\'", "'"))) or error
        raise UserError(f"{rule}; {first_line(reason)}") from error
