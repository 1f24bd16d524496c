"""Put the corpora named in params into a folder, byte for byte as published.

Reads: the sources in textclf/catalogue.py, in order, or a copy named by TEXTCLF_CORPUS.
Writes: RAW, a folder with a file a corpus; an empty one where data.path names rows of the user's own.
Params: data.path, fetch.
"""

from pathlib import Path

from textclf.core import files, stage
from textclf.fetch import download as sources
from textclf.fetch.catalogue import CORPORA, Corpus
from textclf.params import Params


def run(params: Params, raw: Path) -> None:
    """Fetch the corpora into RAW; good bytes that lie there already are kept."""
    path = Path(params.data.path).resolve()
    wanted: dict[str, Corpus] = {}
    if raw.resolve() in (path, *path.parents):
        wanted = {name: CORPORA[name] for name in params.fetch.corpus}
    else:
        print(f"nothing to fetch: data.path is {params.data.path}")
    found = sources.obtain(wanted, raw, report=print)
    with files.outputs(raw) as (folder,):
        folder.mkdir()
        for name, data in found.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    stage.main(run)
