"""Put the corpus named in params into a folder, byte for byte as published.

Reads: the sources in textclf/catalogue.py, in order, or a copy named by TEXTCLF_CORPUS.
Writes: RAW, a folder with the one file.
Params: fetch.
"""

from pathlib import Path

from textclf import files, sources, stage
from textclf.catalogue import CORPORA
from textclf.params import Params


def run(params: Params, raw: Path) -> None:
    """Fetch the corpus into RAW; good bytes that lie there already are kept."""
    name = params.fetch.corpus
    corpus = CORPORA[name]
    data = sources.obtain(name, corpus, existing=raw / corpus.file, report=print)
    with files.outputs(raw) as (folder,):
        folder.mkdir()
        (folder / corpus.file).write_bytes(data)


if __name__ == "__main__":
    stage.main(run)
