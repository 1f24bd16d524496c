"""The stage fetch in a run that needs no pretrained weights."""

from pathlib import Path

from stages import fetch
from textclf.fetch.settings import Fetch


def run_fetch(settings: Fetch, path: str, raw: Path) -> None:
    """Run the stage for `data.path`; what else it writes is beside the folder of the corpora."""
    beside = {name: raw.with_name(name) for name in ("weights", "pretrained")}
    fetch.run(settings, path, raw=raw, done=raw.with_name("fetched"), **beside)
