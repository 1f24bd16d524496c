"""Fetch corpora, byte for byte as published, or the rows of a database; and pretrained weights.

Reads: the sources listed in textclf/fetch/download.py, in order, or a copy named by TEXTCLF_CORPUS;
or the database whose URL is in the environment variable named by fetch.database. WEIGHTS, which
names the pretrained weights in use.
Writes: RAW, a folder with one file per corpus or query; a note alone if data.path is a table of
your own; PRETRAINED, a folder per model or set of vectors in use; DONE, a file that is always the
same, for stages that must run later.
Params: data.path, fetch.
"""

from pathlib import Path
from typing import Annotated

from textclf.artifacts.checked import read_weights
from textclf.core import stage
from textclf.core.outputs import outputs
from textclf.core.settings import Param
from textclf.fetch.catalogue import CORPORA, Corpus, is_fetched
from textclf.fetch.download import fetch_corpora
from textclf.fetch.pretrained import fetch_pretrained
from textclf.fetch.settings import Fetch

NOTE = "note.txt"  # instead of corpora: DVC warns of an empty folder in every later stage


def run(
    fetch: Fetch,
    path: Annotated[str, Param("data.path")],
    *,
    raw: Path = Path("data/raw"),
    weights: Path = Path("data/weights"),
    pretrained: Path = Path("data/pretrained"),
    done: Path = Path("data/fetched"),
) -> None:
    """Fetch the rows and the pretrained weights, but no file that is there already."""
    wanted: dict[str, Corpus] = {}
    contents: dict[str, bytes] = {}
    if is_fetched(Path(path), raw) and fetch.database is not None and fetch.query is not None:
        from textclf.fetch.database import fetch_query  # takes long to import

        contents = fetch_query(fetch.database, fetch.query, raw, report=print)
    elif is_fetched(Path(path), raw):
        wanted = {name: CORPORA[name] for name in fetch.corpus}
    else:
        missing = (
            ""
            if Path(path).exists()
            else ", which does not exist; correct it, or get the file with dvc pull"
        )
        print(f"nothing to fetch: data.path is {path}{missing}")
    contents |= fetch_corpora(wanted, raw, report=print)
    fetch_pretrained(read_weights(weights), pretrained, report=print)
    with outputs(raw, done) as (folder, marker):
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        if not contents:
            (folder / NOTE).write_text(
                "data.path is a table of your own, so no corpus was fetched.\n",
                "utf-8",
                newline="\n",
            )
        marker.write_text("everything was fetched\n", "utf-8", newline="\n")


if __name__ == "__main__":
    stage.main(run)
