"""The stages of one's own that docs/upgrade.md shows, run by DVC."""

import http.server
import os
import re
import subprocess
import threading
from pathlib import Path

import pandas as pd

from tests.verify import ROOT

BLOCKS = dict(
    re.findall(
        r"`(\w+/[\w.]+)`:\n\n```\w+\n(.*?)```", (ROOT / "docs/upgrade.md").read_text(encoding="utf-8"), re.DOTALL
    )
)


def dvc(folder: Path, *arguments: str, address: str = "") -> str:
    done = subprocess.run(
        ("dvc", *arguments), cwd=folder, env=os.environ | {"RESULTS_URL": address}, check=True, capture_output=True
    )
    return done.stdout.decode()


def test_a_table_is_cleaned_and_results_are_posted_once(tmp_path: Path) -> None:
    files = {
        **BLOCKS,
        "texts/tickets.csv": "message,team\n<p>too late</p>,shipping\n",
        "metrics/evaluation.json": '{"keras": 1}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    dvc(tmp_path, "init", "--no-scm", "--quiet")

    dvc(tmp_path, "repro", "clean/dvc.yaml")
    assert pd.read_csv(tmp_path / "texts/clean.csv")["message"].tolist() == [" too late "]

    posted: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for _ in range(2):
            printed = dvc(tmp_path, "repro", "post/dvc.yaml", address=address)
        server.shutdown()
    assert "Stage 'post/dvc.yaml:post' didn't change" in printed
    assert [content.decode() for content in posted] == [files["metrics/evaluation.json"]]
