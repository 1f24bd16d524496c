"""The figures of docs/: each comes from a stored result, and a result says when it may no longer hold."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_pipeline import FIRST, closure
from tests.verify import ROOT, Copy

ACCURACY, TIMINGS = "benchmarks/dvc.yaml", "benchmarks/timings/dvc.yaml"
RUN_STAGES = [f"stages/{name}.py" for name in ("fetch", "split", "vectorize", "combine", "train", "evaluate")]


def declared(file: str) -> dict[str, dict[str, Any]]:
    stages: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["stages"]
    return stages


def scripts(stage: dict[str, Any]) -> list[str]:
    """Return the files of the modules that a stage's command runs: its own, and stages if it runs the pipeline."""
    own = stage["cmd"].split()[2].replace(".", "/") + ".py"
    later = [dep for dep in stage["deps"] if dep.startswith("stages/")]
    return [own, *(RUN_STAGES if RUN_STAGES[-1] in stage["deps"] else []), *later]


@pytest.mark.parametrize("name", declared(ACCURACY))
def test_a_result_depends_on_the_code_that_it_measures(name: str) -> None:
    stage = declared(ACCURACY)[name]
    code = stage["deps"]
    files = closure(*scripts(stage)) - FIRST - {"benchmarks/lesson.py", "benchmarks/tables.py", "benchmarks/timings.py"}
    assert {file for file in files if not any(file == dep or file.startswith(f"{dep}/") for dep in code)} == set()


def test_every_result_is_written_by_a_stage() -> None:
    outs = [
        next(iter(out))
        for file in (ACCURACY, TIMINGS)
        for stage in declared(file).values()
        for out in stage["outs"][:1]
    ]
    prefixes = tuple(out.partition("${")[0].removesuffix(".json") for out in outs)
    results = [str(path.relative_to(ROOT)) for path in (ROOT / "benchmarks" / "results").iterdir()]
    assert [path for path in results if not path.startswith(prefixes)] == []


@pytest.mark.lesson
def test_the_pages_show_the_results() -> None:
    names = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    pages: list[Path] = [page for page in names["PAGES"] if page != names["TABLE"]]
    assert [page.name for page in pages if names["filled"](page) != page.read_text(encoding="utf-8")] == []
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert [name for name in names["RESULTS"] if f"<!-- /{name} -->" not in text] == []


@pytest.mark.lesson
@pytest.mark.slow  # it fails until `make results` has run, which takes minutes, so it is no part of `make test`
@pytest.mark.parametrize(("file", "remedy"), [(ACCURACY, "make results"), (TIMINGS, "make bench and its like")])
def test_no_result_is_older_than_what_it_depends_on(file: str, remedy: str) -> None:
    status = json.loads(Copy(ROOT, {}).dvc("status", "--json", file).splitlines()[-1])
    assert status == {}, f"run {remedy}"
