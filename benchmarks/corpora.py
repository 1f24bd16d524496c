"""Fetch all built-in corpora into one folder: python -m benchmarks.corpora --folder data/corpora."""

import argparse
from pathlib import Path

from textclf.core import files
from textclf.fetch.catalogue import CORPORA
from textclf.fetch.download import fetch_corpora


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Fetch all built-in corpora into one folder.")
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    contents = fetch_corpora(CORPORA, given.folder, report=print)
    with files.outputs(given.folder) as (folder,):
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
