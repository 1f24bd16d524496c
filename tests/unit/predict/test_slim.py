"""`textclf predict` without any extra's packages; tests/e2e/test_install.py installs it so."""

import io
from pathlib import Path

import pytest

from tests.processes import WITHOUT_EXTRAS, Command, python
from tests.unit.predict.models import export, fit_vectorizer, shares, two_classes
from textclf.artifacts.decisions import Decision
from textclf.core.extras import extra_of, how_to_install
from textclf.predict.predictor import Predictor

SLOW = ("ruamel.yaml", "scipy.optimize", "scipy.special", "scipy.stats")  # they take long to import
WITHOUT_SLOW = f"import sys; sys.modules.update(dict.fromkeys({SLOW}))\n{WITHOUT_EXTRAS}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slim")
    vectorizer = fit_vectorizer(analyzer="word+char_wb", hashing=16, weighting="tfidf")
    export(Predictor(vectorizer, shares().model, Decision(0.5)), folder / "hashed")
    export(two_classes(), folder / "model")
    (folder / "texts.csv").write_text("text\ngreat food\n")
    (folder / "texts.jsonl").write_text('{"text": "great food"}\n')
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["great food", "--explain"],
        ["great food", "--model", "hashed"],
        ["--to", "csv"],
        ["--path", "texts.csv"],
        ["--path", "texts.jsonl"],
    ],
    ids=" ".join,
)
def test_texts_and_tables_are_predicted_without_any_extra(
    folder: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    command_line: Command,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"great food\n")))
    here = command_line("predict", "--model", "model", *words)
    assert (here.status, here.err) == (0, "")
    assert (
        python("-c", WITHOUT_SLOW, "predict", "--model", "model", *words, stdin="great food\n")
        == here
    )


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("pyarrow", "predict --model model --path texts.csv --output labels.parquet"),
        ("pandas", "pr-report main"),
        ("uvicorn", "serve --model model"),
    ],
)
def test_what_needs_an_extra_says_which(folder: Path, package: str, words: str) -> None:
    before = sorted(folder.iterdir())
    done = python("-c", WITHOUT_EXTRAS, *words.split(), folder=folder)
    install = how_to_install(extra_of(package) or "")
    line = (
        f"error: {words.split(maxsplit=1)[0]}: the package {package} must be installed for "
        f"this; {install}\n"
    )
    assert done == (2, "", line)
    assert sorted(folder.iterdir()) == before
