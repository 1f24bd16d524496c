"""The option `textclf init --migrate`: a params.yaml of an older textclf becomes one of this version.

An older one listed the models to train in train.models, beside settings of every kind of model; a model could name
several representations, which stood side by side.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.outputs import outputs
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.params import parse

READ = {"embedding": "sequences", "cnn": "sequences", "transformer": "pieces"}  # by default; other kinds read words


def migrate(path: Path = PARAMS_FILE) -> None:
    """Rewrite params.yaml and print what has changed; its other sections stay as they are, comments too.

    Raises `UserError` if it is not of an older version, or breaks a rule otherwise.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    train = load_yaml(path).get("train")
    if not isinstance(train, dict) or "models" not in train:
        raise UserError(
            f"{path} must be of an older textclf, with train.models, to be migrated; textclf check checks it"
        )
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**31  # a value stays on one line
    content = yaml.load(path.read_text(encoding="utf-8"))
    models, pairs = migrated(train)
    content["train"] = CommentedMap(models)
    if pairs:
        content.insert(list(content).index("train"), "combine", CommentedMap(pairs))
    read = {entry["features"] for entry in models.values()} | {
        name for pair in pairs.values() for name in pair.values()
    }
    unread = [name for name in content.get("vectorize", {}) if name not in read]
    for name in unread:
        del content["vectorize"][name]
    written = io.StringIO()
    yaml.dump(content, written)
    parse(written.getvalue())
    with outputs(path) as (scratch,):
        scratch.write_text(written.getvalue(), encoding="utf-8", newline="\n")
    print(f"{path}: train has {', '.join(models)}, each with its kind and features")
    for name, pair in pairs.items():
        print(f"combine.{name}: {pair['first']} and {pair['second']} side by side")
    for section, names in (
        ("train", [name for name in train if name not in {"models", *models}]),
        ("vectorize", unread),
    ):
        if names:
            print(f"left out of {section}, because no run used them: {', '.join(names)}")
    print(f"git diff shows all changes; git checkout {path} undoes them; next: textclf check, make docs")


def migrated(train: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, str]]]:
    """Return the entries of the section train, and the pairs of the section combine, of an older section train."""
    pairs: dict[str, dict[str, str]] = {}
    models = {}
    for name in train["models"]:
        settings = dict(train.get(name) or {})
        kind = settings.pop("model", name)
        features = settings.pop("features", READ.get(kind, "words"))
        first, *others = features if isinstance(features, list) else [features]
        for second in others:
            pair = f"{first}_{second}"[:40]
            pairs[pair] = {"first": first, "second": second}
            first = pair
        models[name] = {"kind": kind, "features": first, **settings}
    return models, pairs
