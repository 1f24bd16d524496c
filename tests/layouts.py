"""Folders as data scientists have them, in which `textclf init` is called for a table."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

WORDS = {"billing": "invoice charge refund card payment", "shipping": "parcel late courier box address"}
TABLE = "id,message,team\n" + "".join(
    f"{n},{team} {words.split()[n % 5]} {words.split()[n // 5 % 5]} {n},{team}\n"
    for n in range(40)
    for team, words in [[*WORDS.items()][n % 2]]
)
CSV = "tickets.csv"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"
COOKIECUTTER = {
    f"{folder}/.gitkeep": ""
    for folder in ("data/external", "data/interim", "data/processed", "models", "reports/figures", "references")
} | {"README.md": "# mine\n", "src/features.py": "", "notebooks/1-explore.ipynb": "{}", "pyproject.toml": ""}


class Layout(NamedTuple):
    """The user's files and links, the table, and whether the project may be made in this folder."""

    table: str
    taken: bool
    files: Mapping[str, str] = {}
    links: Mapping[str, str] = {}
    git: bool = True


LAYOUTS = {
    "a table alone": Layout(CSV, False, git=False),
    "a table in a repository": Layout(CSV, False, {"README.md": "# mine\n", ".gitignore": "*.log"}),
    "data/raw": Layout(f"data/raw/{CSV}", True),
    "data/raw as the table": Layout("data/raw", True, {f"data/raw/{CSV}": TABLE}, git=False),
    "data beside notes": Layout(
        f"data/{CSV}", False, {"data/interviews.txt": "mine", "data/processed/a.parquet": "mine"}
    ),
    "cookiecutter": Layout(f"data/raw/{CSV}", True, COOKIECUTTER),
    "cookiecutter, models": Layout(
        f"data/processed/{CSV}", True, COOKIECUTTER | {"models/final.pkl": "mine", "reports/report.html": "mine"}
    ),
    "kedro": Layout(
        f"data/01_raw/{CSV}",
        False,
        {"conf/base/catalog.yml": "", "data/06_models/model.pkl": "mine", "data/08_reporting/a.html": "mine"},
    ),
    "models": Layout(CSV, True, {"models/final.pkl": "mine"}),
    "models of another tool": Layout(CSV, True, {"models/v1/MLmodel": "mine", "mlruns/0/meta.yaml": "mine"}),
    "reports": Layout(CSV, True, {"reports/report.html": "mine"}),
    "reports under other names": Layout(CSV, False, {"reports/2025.html": "mine", "reports/figures/a.png": "mine"}),
    "plots": Layout(CSV, True, {"plots/roc.csv": "mine", "plots/roc.svg": "mine"}),
    "plots under other names": Layout(CSV, False, {"plots/lengths.png": "mine"}),
    "metrics": Layout(CSV, True, {"metrics/evaluation.json": "{}", "metrics/models/mine.json": "{}"}),
    "figures of studies": Layout(CSV, True, {"plots/search.svg": "mine"}),
    "splits": Layout("data/splits/train.csv", True, {"data/splits/test.csv": TABLE}),
    "features": Layout(CSV, True, {"data/features/words/a.npy": "mine"}),
    "predictions": Layout(CSV, True, {"data/predictions/majority.parquet": "mine"}),
    "pretrained": Layout(CSV, True, {"data/pretrained/own.bin": "mine"}),
    "names of files": Layout(CSV, True, {"data/models.json": "{}", "data/checked": "mine"}),
    "metrics is a file": Layout(CSV, True, {"metrics": "mine"}),
    "large files": Layout(
        f"texts/{CSV}", True, {".gitattributes": "*.bin filter=lfs -text\n", "models/model.bin": POINTER}
    ),
    "a linked folder of models": Layout(CSV, True, {"disk/final.pkl": "mine"}, {"models": "disk"}),
    "a linked folder of data": Layout(f"disk/raw/{CSV}", True, {"disk/splits/a.csv": "mine"}, {"data": "disk"}),
    "a link to nothing": Layout(CSV, True, {}, {"models": "nowhere"}),
    "a linked table": Layout(CSV, False, {"disk/all.csv": TABLE}, {CSV: "disk/all.csv"}),
    "a pipeline of its own": Layout(
        CSV, True, {".dvc/config": "", "dvc.yaml": "stages: {}\n", "params.yaml": "a: 1\n"}
    ),
    "requirements": Layout(CSV, True, {"requirements.txt": "pandas\n", "app.py": ""}),
    "a table that Git ignores": Layout(f"data/{CSV}", False, {".gitignore": "/data/\n"}),
    "a table in the folder of copies": Layout(f"texts/{CSV}", False, {"texts/notes.md": "mine"}),
    "names with spaces": Layout(f"my data/{CSV}", False, {"my data/ä ö.txt": "mine", "models 2/final.pkl": "mine"}),
}


def make(layout: Layout, folder: Path) -> None:
    """Write the files and links of a layout into an empty folder, and commit them if they are in Git."""
    for name, target in layout.links.items():
        (folder / name).symlink_to(target)
    table = {} if (folder / layout.table).is_symlink() or layout.table == "data/raw" else {layout.table: TABLE}
    for name, text in {**layout.files, **table}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file below a folder, and the target of each link; those of Git are left out."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*files, *folders):
            path = Path(place, name)
            if ".git" not in path.parts and (path.is_symlink() or path.is_file()):
                content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
                found[path.relative_to(folder).as_posix()] = content
    return found


APPENDED = (".gitignore", ".dvcignore", ".gitattributes")  # to which init may add lines


def damage(before: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the names of files that are gone or changed since `contents`."""
    now = contents(folder)
    return [
        name
        for name, content in before.items()
        if now.get(name) != content and not (name in APPENDED and now.get(name, b"").startswith(content))
    ]
