"""The arguments of `textclf verify`, `sign` and `release`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from textclf.core.command import Argument, Command, Group

Model = Annotated[str, Argument("its name or its folder", "MODEL", positional=True)]
Models = Annotated[Path, Argument("of all models (default: models)", "DIR")]
PublicKey = Annotated[Path | None, Argument("public key (PEM) of who signed the model", "FILE")]
Signature = Annotated[Path | None, Argument("(default: signatures/MODEL.sig)", "FILE")]
MODELS = Path("models")
AGAIN = Group("make it again")
SIGNED = Group("signature")


@dataclass(frozen=True, kw_only=True)
class Verify(Command):
    """The arguments of `textclf verify`."""

    description = """
    Check that a model is what its folder says: each file against provenance.json, and with --key
    its signature. --rederive finds the commit that has what provenance.json names, runs the stages
    there in a temporary clone, and compares every byte, and the metrics on the card with the
    predictions. Exit code 1 if a check fails.

      textclf verify models/keras
      textclf verify --rederive
    """
    module = "verify.command"
    model: Annotated[
        str | None,
        Argument("its name or its folder (default: all models)", "MODEL", positional=True),
    ] = None
    models: Models = MODELS
    version: Annotated[
        str | None, Argument("the release that it must be, such as keras@v0.0.1", "NAME@vN")
    ] = None
    rederive: Annotated[bool, Argument("run its stages at its commit, and compare"), AGAIN] = False
    commit: Annotated[
        str | None, Argument("(default: the newest one of HEAD that fits)", "REVISION"), AGAIN
    ] = None
    python: Annotated[
        str | None, Argument("of another Python, which runs the stages", "COMMAND"), AGAIN
    ] = None
    explain: Annotated[
        bool, Argument("name the first output that differs from dvc.lock"), AGAIN
    ] = False
    key: Annotated[PublicKey, SIGNED] = None
    signature: Annotated[Signature, SIGNED] = None


@dataclass(frozen=True, kw_only=True)
class Sign(Command):
    """The arguments of `textclf sign`."""

    description = """
    Sign the files of an exported model with a private key, in the format of model_signing, whose
    command can check it. The signature is a file to commit. The key stays with you: PEM, without a
    password.

      openssl ecparam -name prime256v1 -genkey -noout -out ~/key.pem
      openssl ec -in ~/key.pem -pubout -out key.pub
      textclf sign keras --key ~/key.pem
      textclf verify keras --key key.pub
    """
    module = "verify.signing"
    model: Model
    key: Annotated[Path, Argument("the private key", "FILE")]
    signature: Signature = None
    models: Models = MODELS


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """The arguments of `textclf release`."""

    description = """
    Check a model, its commit, DVC's remote, the gate of params.yaml and, with --key, the signature;
    print the Git commands that tag the commit in the format of GTO: a new version of the model, and
    its assignment to the stage, whose model textclf predict --model prod takes.

      textclf release keras --stage prod --tag
    """
    module = "verify.release"
    model: Model
    stage: Annotated[str, Argument("stage to assign it to, such as prod", "NAME")]
    tag: Annotated[bool, Argument("make the tags, but push nothing")] = False
    key: PublicKey = None
    signature: Signature = None
    models: Models = MODELS
