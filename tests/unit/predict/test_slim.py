"""`textclf predict` without the packages of any extra; tests/e2e/test_install.py makes a real slim installation."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.predict.models import export, fit_vectorizer, shares, two_classes
from textclf.artifacts.decisions import Decision
from textclf.core.extras import EXTRAS, extra_of, how_to_install
from textclf.predict.predictor import Predictor

WITHOUT = (
    f"import sys; sys.modules.update(dict.fromkeys({[name for names in EXTRAS.values() for name in names]}))\n"
    "from textclf import cli; cli.main()"
)
SLOW = ("ruamel.yaml", "scipy.optimize", "scipy.special", "scipy.stats")  # they take long to import
WITHOUT_SLOW = f"import sys; sys.modules.update(dict.fromkeys({SLOW}))\n{WITHOUT}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, and texts in several forms."""
    folder = tmp_path_factory.mktemp("slim")
    vectorizer = fit_vectorizer(analyzer="word+char_wb", hashing=16, weighting="tfidf")
    export(Predictor(vectorizer, shares().model, Decision(0.5)), folder / "hashed")
    export(two_classes(), folder / "model")
    (folder / "texts.csv").write_text("text\ngreat food\n")
    (folder / "texts.jsonl").write_text('{"text": "great food"}\n')
    return folder


def run(folder: Path, prefix: list[str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *prefix, *words], cwd=folder, input=stdin, capture_output=True, text=True)


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
def test_texts_and_tables_are_predicted_without_any_extra(folder: Path, words: list[str]) -> None:
    command = ["predict", "--model", "model", *words]
    slim = run(folder, ["-c", WITHOUT_SLOW], *command, stdin="great food\n")
    assert (slim.returncode, slim.stderr) == (0, "")
    assert slim.stdout == run(folder, ["-m", "textclf.cli"], *command, stdin="great food\n").stdout


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
    done = run(folder, ["-c", WITHOUT], *words.split())
    install = how_to_install(extra_of(package) or "")
    line = f"error: {words.split(maxsplit=1)[0]}: the package {package} must be installed for this; {install}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)
    assert sorted(folder.iterdir()) == before
