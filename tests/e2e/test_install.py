"""Slim installations in fresh environments predict and serve what the full one does."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import wheel
from tests.processes import run
from tests.verify import ROOT, Copy

NO_NETWORK = re.compile(
    r"ConnectionError|NewConnectionError|NameResolutionError|ReadTimeout|Network is unreachable"
)
DOCKERFILE = ROOT / "Dockerfile"
PORT = "8000"


def pip(environment: Path, *words: str, folder: Path = ROOT) -> str:
    """Run pip in an environment and return its output; skip if the index is out of reach."""
    done = run(environment / "bin" / "python", "-m", "pip", *words, folder=folder)
    if done.status and NO_NETWORK.search(done.err):
        pytest.skip("needs the index of packages")
    assert done.status == 0, done.err
    return done.out


def make_environment(folder: Path) -> Path:
    """Return a fresh virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the wheel of textclf and what requirements/predict.txt locks."""
    place = tmp_path_factory.mktemp("slim")
    environment = make_environment(place / "environment")
    pip(
        environment,
        "install",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        "requirements/predict.txt",
    )
    pip(environment, "install", "--no-deps", str(wheel.build(place)))
    return environment


@pytest.fixture(scope="module")
def folder(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with nothing but the models of the default run and some texts."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(pipeline.folder / "models", folder / "models")
    raw = (pipeline.folder / "data/raw/yelp_labelled.txt").read_text(encoding="utf-8")
    texts = [line.rpartition("\t")[0] for line in raw.split("\n")[:-1]]
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / "texts.jsonl").write_text(rows, encoding="utf-8")
    (folder / "texts.csv").write_text(
        "id,text\n" + "".join(f'{n},"{n} great, ""bad"""\n' for n in range(9))
    )
    return folder


CALLS = (
    ["The food was great.", "Never again.", "☃"],
    ["--explain", "The food was not great."],
    ["--path", "texts.csv", "--id", "id", "--to", "csv"],
    *(
        ["--path", "texts.jsonl", "--model", model]
        for model in ("majority", "logistic_regression", "keras")
    ),
)


@pytest.mark.nightly
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_slim_installation_prints_the_bytes_of_the_full_one(
    slim: Path, folder: Path, words: list[str]
) -> None:
    done = run(slim / "bin" / "textclf", "predict", *words, folder=folder)
    assert (done.status, done.err) == (0, "")
    assert (
        done.out
        == run(sys.executable, "-m", "textclf.cli", "predict", *words, folder=folder).out
        != ""
    )


@pytest.mark.nightly
def test_a_slim_installation_is_complete_and_small(slim: Path) -> None:
    pip(slim, "check")
    names = {
        path.name.partition("-")[0].lower() for path in slim.glob("lib/*/site-packages/*.dist-info")
    }
    assert (
        names & {"tensorflow", "keras", "pandas", "pyarrow", "dvc", "scikit_learn", "fastapi"}
        == set()
    )


@pytest.mark.nightly
@pytest.mark.parametrize("lock", ["lowest", "newest"])
def test_the_tests_of_predict_pass_with_the_lowest_and_the_newest_versions(
    lock: str, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path)
    pip(
        environment,
        "install",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        f"requirements/{lock}.txt",
    )
    words = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit/predict",
        "tests/unit/serve",
    )
    done = run(environment / "bin" / "python", *words, folder=ROOT)
    assert done.status == 0, done.out


@pytest.mark.nightly
def test_a_slim_installation_names_the_extra_for_parquet(slim: Path, folder: Path) -> None:
    done = run(
        slim / "bin" / "textclf", "predict", "great", "--output", "labels.parquet", folder=folder
    )
    line = (
        "error: predict: the package pyarrow must be installed for this; "
        "pip install --only-binary :all: pyarrow\n"
    )
    assert (done.status, done.err) == (2, line)


SOME = ("antlr4-python3-runtime", "hydra-core", "omegaconf", "packaging", "pyyaml")  # of run.txt


@pytest.mark.nightly
def test_make_builds_the_requirement_without_a_wheel_in_a_folder_of_any_name(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a $b {c}"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in (".dvc/plots", "docs", "textclf", "stages", "studies", "metrics/behaviour"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "dvc.yaml", "params.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("run.txt", "keras.txt"):
        lock = folder / "requirements" / name
        entries = re.split(r"\n(?=\w)", lock.read_text(encoding="utf-8"))
        few = [entry for entry in entries if entry.partition("==")[0] in SOME]
        lock.write_text("\n".join([*few, ""]), encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = run(
        "make", f"PYTHON={sys.executable}", ".venv/run", folder=folder, environment=variables
    )
    if done.status and NO_NETWORK.search(done.err):
        pytest.skip("needs the index of packages")
    assert done.status == 0, done.err
    python = folder / ".venv" / "bin" / "python"
    code = "import antlr4, importlib.metadata as m; print(m.version('setuptools'))"
    printed = run(python, "-c", code).out
    assert f"setuptools=={printed.strip()} " in (folder / "requirements" / "build.txt").read_text(
        encoding="utf-8"
    )


# The image. No test builds it; these run its steps in an environment.


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile and their arguments."""
    text = re.sub(
        r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE
    ).replace("\\\n", "")
    return [
        (name, words.strip())
        for name, _, words in (line.partition(" ") for line in text.splitlines() if line)
    ]


def test_the_image_is_pinned_to_a_tag_runs_as_an_ordinary_user_and_reports_its_health() -> None:
    steps = instructions()
    names = [name for name, _ in steps]
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", dict(steps)["FROM"])
    assert names.index("USER") > max(
        position for position, name in enumerate(names) if name in {"COPY", "RUN"}
    )
    assert dict(steps)["USER"] not in {"root", "0"}
    assert names[-2:] == ["HEALTHCHECK", "CMD"]


def test_the_image_gets_only_what_its_steps_copy() -> None:
    copied = {
        source for name, words in instructions() if name == "COPY" for source in words.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied


@pytest.fixture(scope="module")
def image(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the working folder of the image and its environment, after the Dockerfile's steps."""
    app, environment = (
        tmp_path_factory.mktemp("app"),
        make_environment(tmp_path_factory.mktemp("image") / "environment"),
    )
    wheels = tmp_path_factory.mktemp("dist")
    wheel.build(wheels)
    for name, words in instructions():
        if name == "COPY":
            *sources, target = words.split()
            for source in sources:
                origin = {"models": folder / source, "dist": wheels}.get(source, ROOT / source)
                place = app / target / (origin.name if target == "./" else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if origin.is_dir() else shutil.copy)(origin, place)
        elif name == "RUN" and words.startswith("pip "):
            given = [
                str(next(app.glob(word))) if "*" in word else word
                for word in shlex.split(words)[1:]
            ]
            pip(environment, *given, folder=app)
    return app, environment


@pytest.fixture
def started(image: tuple[Path, Path]) -> Iterator[tuple[str, Path]]:
    """Yield a free port and the environment, in which the image's command serves at that port."""
    app, environment = image
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    program, *words = json.loads(dict(instructions())["CMD"])
    command = [environment / "bin" / program, *(port if word == PORT else word for word in words)]
    with subprocess.Popen(
        command, cwd=app, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"serving ")
        yield port, environment
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.nightly
def test_the_image_serves_its_models_and_is_healthy(
    started: tuple[str, Path], folder: Path
) -> None:
    port, environment = started
    with httpx.Client(trust_env=False) as client:
        response = client.post(
            f"http://127.0.0.1:{port}/predict", json={"texts": ["The food was great."]}
        )
        answer = response.content.splitlines()[1]
    command = [sys.executable, "-m", "textclf.cli", "predict", "The food was great."]
    assert answer + b"\n" == subprocess.run(command, cwd=folder, capture_output=True).stdout
    _, _, check = dict(instructions())["HEALTHCHECK"].partition("CMD ")
    program, *words = json.loads(check)
    healthy = [environment / "bin" / program, *(word.replace(PORT, port) for word in words)]
    assert subprocess.run(healthy).returncode == 0
