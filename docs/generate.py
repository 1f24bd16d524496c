"""The generated parts of the docs: the JSON schema of params.yaml and the tables of the README.

usage: python docs/generate.py [--check]      --check writes nothing, and fails if a part is out of date
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from textclf import params
from textclf.core import files
from textclf.core.errors import UserError

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SCHEMA = ROOT / "docs" / "params.schema.json"
CODE = (".py", ".j2", ".css", ".js")
MANY = 3  # files of a kind in a folder that are named together


def schema() -> str:
    """JSON schema of params.yaml, by which an editor completes and checks it."""
    content = params.Params.model_json_schema()
    content["title"] = "params.yaml of textclf"
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def stages_table() -> str:
    """A row a stage of dvc.yaml: its name, what it makes, the data it reads and writes."""
    lines = ["| Stage | What it makes | Reads | Writes |", "|---|---|---|---|"]
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items():
        reads = [path for path in stage["deps"] if not path.endswith(CODE)]
        writes = [_path(out) for kind in ("outs", "metrics") for out in stage.get(kind, [])]
        label = f"[{name}](stages/{name}.py)" + ("@model" if "matrix" in stage else "")
        cells = [
            label,
            stage["desc"],
            *(", ".join(f"`{path}`" for path in grouped(paths)) for paths in (reads, writes)),
        ]
        lines.append(f"| {' | '.join(cells)} |".replace("${item.model}", "<model>"))
    return "\n".join(lines)


def grouped(paths: list[str]) -> list[str]:
    """The paths, `MANY` or more of one ending in one folder as a pattern, each once."""
    kinds = [f"{Path(path).parent}/*{Path(path).suffix}" for path in paths]
    return list(dict.fromkeys(k if kinds.count(k) >= MANY else path for path, k in zip(paths, kinds, strict=True)))


def numbers_table() -> str:
    """The lesson's numbers beside those in metrics/."""
    shapes, training, measured = (
        files.read_json(ROOT / "metrics" / f"{name}.json") for name in ("features", "training", "evaluation")
    )
    train, keras, logistic = shapes["train"], measured["keras"], measured["logistic_regression"]
    rows = (
        ("training vectors", "750 of length 1,714", f"{train['rows']} of length {train['features']:,}"),
        ("parameters of the network", "17,161", f"{training['keras']['parameters']:,}"),
        ("epochs", "100", f"{training['keras']['epochs']}"),
        ("network, training accuracy", "100%", f"{keras['train']['accuracy']:.1%}"),
        ("network, test accuracy", "just under 80%", f"{keras['test']['accuracy']:.1%}"),
        ("epoch of the lowest test loss", "25 to 30 suffice", f"{training['keras']['best_epoch']}"),
        ("logistic regression, test accuracy", "better without a network", f"{logistic['test']['accuracy']:.1%}"),
        ("largest class, test accuracy", "", f"{measured['majority']['test']['accuracy']:.1%}"),
    )
    return "\n".join(
        [
            "| | The lesson says | Here |",
            "|---|---|---|",
            *(f"| {what} | {says} | {here} |" for what, says, here in rows),
        ]
    )


def readme() -> str:
    """The README with its tables made anew, each between `<!-- name -->` and `<!-- /name -->`."""
    text = README.read_text(encoding="utf-8")
    for name, table in (("stages", stages_table()), ("numbers", numbers_table())):
        before, after = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        start, end = text.find(before), text.find(after)
        if min(start, end) < 0:
            raise UserError(f"README.md must have {before.strip()} and {after} around its table")
        text = text[: start + len(before)] + table + "\n" + text[end:]
    return text


def main(arguments: list[str]) -> None:
    """Write, or check, each generated file, and check params.yaml."""
    params.load(ROOT / params.PARAMS_FILE)
    stale = []
    for path, text in ((SCHEMA, schema()), (README, readme())):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if arguments == ["--check"]:
            stale.append(f"{path.relative_to(ROOT)} is out of date; run make docs")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        raise UserError(*stale)


def _path(out: str | dict[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit("\n".join(f"error: docs: {line}" for line in error.lines))
