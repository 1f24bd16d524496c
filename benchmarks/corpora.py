"""All built-in corpora in one folder, which the measurements behind the figures of docs/ read."""

from pathlib import Path

from textclf.core.outputs import outputs
from textclf.fetch.catalogue import CORPORA
from textclf.fetch.download import fetch_corpora


def fetch(target: Path) -> None:
    """Write all corpora into a folder; files with the published bytes are not fetched again."""
    contents = fetch_corpora(CORPORA, target, report=print)
    with outputs(target) as (folder,):
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data)
