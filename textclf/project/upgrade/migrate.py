"""The option `textclf init --migrate`: a params.yaml of an older textclf becomes one of this version.

An older one listed the models to train in train.models, beside settings of every kind of model; a model could name
several representations, which stood side by side. It could have evaluate.resamples, which no interval needs any more.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from textclf.core.errors import UserError
from textclf.core.outputs import outputs
from textclf.core.params_text import round_trip
from textclf.core.settings import PARAMS_FILE, load_yaml, show
from textclf.project.comments import commented

READ = {"embedding": "sequences", "cnn": "sequences", "transformer": "pieces"}  # by default; other kinds read words


def migrate(path: Path = PARAMS_FILE) -> None:
    """Rewrite params.yaml and print what has changed; its other sections keep their values; all comments are made anew.

    One that names models as today only loses evaluate.resamples. Raises `UserError` if it is not of an older version,
    or breaks a rule otherwise.
    """
    yaml = round_trip()
    load_yaml(path)  # refuses what is no mapping, in a line
    content: Any = yaml.load(path.read_text(encoding="utf-8"))
    train, evaluate = content.get("train"), content.get("evaluate")
    names = train.get("models") if isinstance(train, dict) else None
    lists_models = isinstance(names, list) and names and isinstance(content.get("vectorize", {}), dict)
    has_resamples = isinstance(evaluate, dict) and "resamples" in evaluate
    if not (lists_models or has_resamples):
        raise UserError(
            f"{path} must be of an older textclf, with train.models or evaluate.resamples; see textclf check"
        )
    lines = migrate_models(content, path) if lists_models else []
    if has_resamples:
        del evaluate["resamples"]
        lines.append("left out of evaluate, because no interval needs it any more: resamples")
    written = io.StringIO()
    yaml.dump(content, written)
    text = commented(written.getvalue())
    with outputs(path) as (scratch,):
        scratch.write_text(text, encoding="utf-8", newline="\n")
    print(*lines, sep="\n")
    print(f"git diff shows all changes; git checkout {path} undoes them; next: textclf check")


def migrate_models(content: Any, path: Path) -> list[str]:
    """Change the sections train, vectorize and combine of an older params.yaml; return what to say of it."""
    train, vectorize = content["train"], content.get("vectorize", {})
    for name in train["models"]:
        if not isinstance(name, str) or not isinstance(train.get(name, {}), dict):
            raise UserError(f"{path}: train.models must be names of models, each with a section; got {show(name)}")
    models, pairs = migrated(train, list(vectorize))
    content["train"] = CommentedMap(models)
    if pairs:
        content.insert(list(content).index("train"), "combine", CommentedMap(pairs))
    read = {entry["features"] for entry in models.values()}
    read |= {name for pair in pairs.values() for name in pair.values()}
    unread = [name for name in vectorize if name not in read]
    for name in unread:
        del vectorize[name]
    lines = [f"{path}: train has {', '.join(models)}, each with its kind and features"]
    lines += [f"combine.{name}: {pair['first']} and {pair['second']} side by side" for name, pair in pairs.items()]
    if any(pair["first"] in pairs for pair in pairs.values()):
        lines.append("a pair within a pair weighs as much as the other side, so numbers differ from those of before")
    untrained = [name for name in train if name not in {"models", *models}]
    for section, left in (("train", untrained), ("vectorize", unread)):
        if left:
            lines.append(f"left out of {section}, because no run used them: {', '.join(left)}")
    return lines


def migrated(train: Mapping[str, Any], known: list[str]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Return the entries of the section train, and the pairs of the section combine, of an older section train.

    `known` are the names of representations, which no pair may have.
    """
    pairs: dict[str, dict[str, str]] = {}
    models: dict[str, Any] = {}
    for name in train["models"]:
        settings = dict(train.get(name, {}))
        kind = settings.pop("model", name)
        features = settings.pop("features", READ.get(kind, "words"))
        first, *others = features if isinstance(features, list) and features else [features]
        for second in others:
            sides = {"first": first, "second": second}
            first = next((pair for pair, made in pairs.items() if made == sides), None) or free_name(
                sides, {*known, *pairs}
            )
            pairs[first] = sides
        models[name] = CommentedMap({"kind": kind, "features": first} | settings)
    return models, pairs


def free_name(sides: Mapping[str, Any], taken: set[str]) -> str:
    """Return a name for a pair that is not taken, of 40 characters at most."""
    name = f"{sides['first']}_{sides['second']}"
    candidates = [name[:40], *(f"{name[:36]}_{number}" for number in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in taken)
