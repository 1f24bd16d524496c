"""The stage of one's own that docs/projects.md shows, run by DVC."""

import re
import subprocess
from pathlib import Path

import pandas as pd

from tests.processes import ROOT

BLOCKS = dict(
    re.findall(
        r"`(\w+/[\w.]+)`:\n\n```\w+\n(.*?)```",
        (ROOT / "docs/projects.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
)


def test_a_table_is_cleaned(tmp_path: Path) -> None:
    files = {**BLOCKS, "texts/tickets.csv": "message,team\n<p>too late</p>,shipping\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for words in (["init", "--no-scm", "--quiet"], ["repro", "clean/dvc.yaml"]):
        subprocess.run(["dvc", *words], cwd=tmp_path, check=True, capture_output=True)
    assert pd.read_csv(tmp_path / "texts/clean.csv")["message"].tolist() == [" too late "]
