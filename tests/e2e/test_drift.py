"""`textclf drift` with the model and the splits of the default run."""

import dataclasses
import json
from pathlib import Path

from tests.e2e.test_docs import FILES
from tests.verify import Copy

FOREIGN = {
    "LC_ALL": "C",
    "OPENBLAS_NUM_THREADS": "2",
    "PYTHONHASHSEED": "4242",
    "TZ": "Asia/Kathmandu",
}


def drift(copy: Copy, new: Path | str, folder: Path) -> tuple[str, bytes, bytes]:
    outputs = [folder / "drift.json", folder / "drift.html"]
    words = ("--output", str(outputs[0]), "--page", str(outputs[1]))
    printed, _ = copy.run_anyway("textclf", "drift", str(new), *words)
    return printed, outputs[0].read_bytes(), outputs[1].read_bytes()


def test_held_out_reviews_are_like_the_training_rows(pipeline: Copy, tmp_path: Path) -> None:
    printed, content, _ = drift(pipeline, "data/splits/test.parquet", tmp_path)
    assert printed.splitlines()[-1].startswith("no drift found")
    assert json.loads(content)["drift"] is False


def test_reviews_of_films_are_not_whatever_the_surroundings(pipeline: Copy, tmp_path: Path) -> None:
    films = tmp_path / "films.csv"
    films.write_text(FILES[films.name], encoding="utf-8")
    first = drift(pipeline, films, tmp_path)
    assert first[0].splitlines()[-1].startswith("drift found")
    assert json.loads(first[1])["new"]["texts"] == 24
    foreign = dataclasses.replace(
        pipeline,
        variables={**pipeline.variables, **FOREIGN},
        umask=0o077,
        prefix=("taskset", "--cpu-list", "0"),
    )
    assert drift(foreign, films, tmp_path) == first
