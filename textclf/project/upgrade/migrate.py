"""The migration of params.yaml: a text of an older textclf becomes one of this version.

An older one listed the models to train in train.models, beside settings of every kind of model; a model could name
several representations, which stood side by side. It could have evaluate.resamples, which no interval needs any more.
"""

import io
import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

from textclf.core.errors import UserError
from textclf.core.params_text import round_trip
from textclf.core.settings import PARAMS_FILE, parse_yaml, show

READ = {"embedding": "sequences", "cnn": "sequences", "transformer": "pieces"}  # by default; other kinds read words


def migrate(text: str) -> tuple[str, list[str]]:
    """Return the text of params.yaml as this version reads it, and a sentence per change; order and comments stay.

    A text with nothing to change is returned as it is. Raises `UserError` if the text is not YAML, or its models can't
    be told. It may break other rules: `textclf.params.parse` checks them.
    """
    parse_yaml(text, str(PARAMS_FILE))
    yaml = round_trip()
    below = itertools.takewhile(lambda line: line.strip()[:1] in ("", "#"), reversed(text.splitlines(keepends=True)))
    end = "".join(reversed([*below]))  # comments, which ruamel.yaml drops if there is none at the top
    content = yaml.load(text.removesuffix(end))
    train, evaluate = content.get("train"), content.get("evaluate")
    lists_models = isinstance(train, dict) and "models" in train
    has_resamples = isinstance(evaluate, dict) and "resamples" in evaluate
    if not (lists_models or has_resamples):
        return text, []
    _move_comments_down(content)
    sentences = _migrate_models(content) if lists_models else []
    if has_resamples:
        del evaluate["resamples"]
        sentences.append("left out of evaluate, because no interval needs it any more: resamples")
    written = io.StringIO()
    yaml.dump(content, written)
    return f"{written.getvalue()}{end}", sentences


def _migrate_models(content: CommentedMap) -> list[str]:
    """Change the sections train, vectorize and combine; return a sentence per change."""
    train, vectorize = content["train"], content.get("vectorize", {})
    names = train.pop("models")
    if not isinstance(names, list) or not names:
        raise UserError(f"{PARAMS_FILE}: train.models must be a list of names of models; got {show(names)}")
    if not isinstance(vectorize, dict) or not all(isinstance(entry, dict) for entry in vectorize.values()):
        rule = "vectorize must have settings below the name of a representation, such as words"
        raise UserError(f"{PARAMS_FILE}: {rule}; got {show(vectorize)}")
    pairs: dict[str, dict[str, str]] = {}
    for name in names:
        if not isinstance(name, str) or not isinstance(train.get(name, {}), dict):
            rule = "train.models must be names of models, each with a section"
            raise UserError(f"{PARAMS_FILE}: {rule}; got {show(name)}")
        train[name] = entry = train.pop(name, CommentedMap())  # in the order of train.models
        place = list(entry).index("model") if "model" in entry else 0
        entry.insert(place, "kind", entry.pop("model", name))
        entry.ca.items["kind"] = entry.ca.items.get("model")
        if "features" not in entry:
            entry.insert(place + 1, "features", READ.get(entry["kind"], "words"))
        entry["features"] = _one_representation(entry["features"], pairs, vectorize)
    if pairs:
        content.insert(list(content).index("train"), "combine", CommentedMap(pairs))
    read = {train[name]["features"] for name in names} | {side for pair in pairs.values() for side in pair.values()}
    sentences = [f"train has {', '.join(names)}, each with its kind and features"]
    sentences += [f"combine.{name}: {pair['first']} and {pair['second']} side by side" for name, pair in pairs.items()]
    if any(pair["first"] in pairs for pair in pairs.values()):
        sentences.append("a pair within a pair weighs as much as the other side, so numbers change")
    for section, used in (("train", names), ("vectorize", read)):
        unused = [name for name in content.get(section, {}) if name not in used]
        for name in unused:
            del content[section][name]
        if unused:
            sentences.append(f"left out of {section}, because no run used them: {', '.join(unused)}")
    return sentences


def _one_representation(features: Any, pairs: dict[str, dict[str, str]], known: Collection[str]) -> Any:
    """Return the one representation in the place of several; pairs that this takes are added to `pairs`.

    `known` are the names of representations, which no pair may have.
    """
    first, *others = features if isinstance(features, list) and features else [features]
    for second in others:
        sides = {"first": first, "second": second}
        made = next((name for name, pair in pairs.items() if pair == sides), None)
        first = made or _free_name(sides, {*known, *pairs})
        pairs[first] = sides
    return first


def _free_name(sides: Mapping[str, Any], taken: set[str]) -> str:
    """Return a name for a pair that is not taken, of 40 characters at most."""
    name = f"{sides['first']}_{sides['second']}"
    candidates = [name[:40], *(f"{name[:36]}_{number}" for number in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _move_comments_down(content: CommentedMap) -> None:
    """Attach the comments between two entries to the lower one, so that they stay with it and go with it.

    ruamel.yaml attaches them to the last value of the upper one, behind the comment on the line of that value.
    """
    above: list[CommentToken] = []
    for mapping, key in _entries(content):
        comments = mapping.ca.items.setdefault(key, [None] * 4)  # of the key, above it, of the value, above the value
        comments[1] = above + (comments[1] or [])
        above = []
        value: Any = mapping[key]
        if _is_block(value, CommentedMap):
            above, comments[3] = comments[3] or [], None
        place, index, position = (value, len(value) - 1, 0) if _is_block(value, CommentedSeq) else (mapping, key, 2)
        token = place.ca.items.get(index, [None] * 4)[position]
        if token is not None:
            own, _, below = token.value.partition("\n")
            above += [CommentToken(below, CommentMark(0))] if below else []
            token.value = f"{own}\n"
            if not own:
                place.ca.items[index][position] = None


def _entries(mapping: CommentedMap) -> Iterator[tuple[CommentedMap, str]]:
    """Yield each mapping and key of a document in order; a value in {} or [], or a list, has no entries of its own."""
    for key, value in mapping.items():
        yield mapping, key
        if _is_block(value, CommentedMap):
            yield from _entries(value)


def _is_block(value: Any, kind: type[CommentedMap | CommentedSeq]) -> bool:
    """Return whether a value is a mapping or list that is not empty and spans lines."""
    return isinstance(value, kind) and bool(value) and not value.fa.flow_style()
