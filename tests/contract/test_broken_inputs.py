"""What the stages say of inputs that break a rule, line by line; no output is touched."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import arguments, run_stage, tree
from tests.settings import models, put

RAW = "data/raw/yelp_labelled.txt"
PREDICTIONS = "data/predictions/majority.parquet"
VECTORIZER = "data/features/words/vectorizer.json"
MADE = "run dvc repro (or dvc pull) to make it"
GARBAGE = b"\xff\x00garbage\n" * 20
EDITED = f"is damaged or was edited: its SHA-256 is not that in manifest.json; remove it and {MADE}"
DAMAGED = (
    f"is damaged; remove it and {MADE}",
    f"must be JSON with finite numbers; got something else; remove it and {MADE}",
    EDITED,
)
# The files that a stage reads. What else may be wrong with them is tried by tests/faults, tables by
# test_broken_tables.
READ = {
    "vectorize": "data/splits/classes.json data/splits/*.parquet",
    "train": "data/default.json data/features/words/*",
    "evaluate": "data/models.json data/splits/classes.json data/predictions/* "
    "data/trained/majority/* "
    "metrics/splits.json",
    "export": "data/conformal.json data/splits/*.json data/trained/majority/* "
    "data/features/words/[mv]*.json "
    "metrics/[cdi]*.json metrics/evaluation.json metrics/training.json metrics/unknown.json",
    "plot": "plots/confusion.csv plots/history.csv plots/reliability.csv plots/roc.csv",
    "report": "data/predictions/* data/splits/* metrics/*.json plots/[!u]*.csv",
    "learning_curve": "data/splits/classes.json data/splits/*.parquet",
}


@pytest.mark.parametrize("stage", READ)
def test_an_input_that_is_missing_or_cut_off_is_named_with_what_makes_it(
    project: Path, capfd: pytest.CaptureFixture[str], stage: str
) -> None:
    patterns = READ[stage].split()
    assert [pattern for pattern in patterns if not list(project.glob(pattern))] == []
    for path in sorted({path for pattern in patterns for path in project.glob(pattern)}):
        content, name = path.read_bytes(), path.relative_to(project)
        path.write_bytes(content[: len(content) // 2])
        for answers in (DAMAGED, (f"not found; {MADE}",)):
            before = tree(project)
            assert run_stage(project, stage) == 2, name
            assert capfd.readouterr().err in {
                f"error: {stage}: {name} {answer}\n" for answer in answers
            }
            assert tree(project) == before
            path.unlink(missing_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("stage", "path", "before", "after"),
    [
        ("train", VECTORIZER, b'"good"', b'"gooe"'),
        ("evaluate", "data/trained/majority/training.json", b'"parameters": 1', b'"parameters": 0'),
        ("export", VECTORIZER, b'"good"', b'"gooe"'),
        ("export", "data/trained/majority/model.json", b'"0"', b'"2"'),
    ],
)
def test_a_file_that_can_be_read_though_a_bit_has_flipped_is_refused(
    refuses: Callable[..., None], project: Path, stage: str, path: str, before: bytes, after: bytes
) -> None:
    content = (project / path).read_bytes()
    assert before in content
    (project / path).write_bytes(content.replace(before, after, 1))
    refuses(stage, f"error: {stage}: {path} {EDITED}")


def test_behave_needs_tests_that_params_yaml_names(refuses: Callable[..., None]) -> None:
    refuses("behave", "error: behave: DVC_STAGE must name tests in behave.tests; got majority")


def test_a_model_without_predictions_is_named(refuses: Callable[..., None], project: Path) -> None:
    settings = put(*models("majority", "keras"), "export.model", "null")
    (project / "params.yaml").write_text(settings, encoding="utf-8")
    assert run_stage(project, "check") in {None, 0}
    refuses("evaluate", f"error: evaluate: data/trained/keras/training.json not found; {MADE}")


@pytest.mark.parametrize(
    ("stage", "blocks", "path"), [("check", 0, "data/checked"), ("export", 1, "models")]
)
def test_a_full_disk_is_told_in_a_line(
    refuses: Callable[..., None], stage: str, blocks: int, path: str
) -> None:
    # A limit on the size of files makes every write fail, root's too; without it joblib would warn
    # of its semaphores.
    through = f'ulimit -f {blocks} && JOBLIB_MULTIPROCESSING=0 exec "$@"'
    refuses(stage, f"error: {stage}: {path}: File too large", through=through)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [("evaluate", {"plots": RAW}), ("learning_curve", {"figure": f"{RAW}/new.svg"})],
)
def test_an_output_below_a_file_is_refused(
    refuses: Callable[..., None], stage: str, changes: dict[str, str]
) -> None:
    refuses(stage, f"error: {stage}: {RAW}: File exists", words=arguments(stage, **changes))


@pytest.mark.parametrize("stage", ["export", "report"])
def test_a_table_that_changed_after_split_is_refused(
    refuses: Callable[..., None], project: Path, stage: str
) -> None:
    with (project / RAW).open("a", encoding="utf-8") as table:
        table.write("one more\t1\n")
    name, advice = Path(RAW).name, "run dvc repro --force split, then dvc repro"
    rule = (
        f"{Path(RAW).parent} must be the table that was split; "
        f"{name} changed after the stage split had read it"
    )
    refuses(stage, f"error: {stage}: {rule}; {advice}")


def test_evaluate_removes_nothing_where_it_refuses(
    refuses: Callable[..., None], project: Path
) -> None:
    shutil.copy(
        project / PREDICTIONS, project / "data/predictions/nb_svm.parquet"
    )  # of a model that was dropped
    shutil.copytree(project / "data/trained/majority", project / "data/trained/nb_svm")
    (project / PREDICTIONS).write_bytes(GARBAGE)
    refuses("evaluate", f"error: evaluate: {PREDICTIONS} is damaged; remove it and {MADE}")


@pytest.mark.parametrize("model", ["../majority", ""])
def test_a_model_that_does_not_exist_is_refused(refuses: Callable[..., None], model: str) -> None:
    line = f"error: train: params.yaml: train.{model} is missing; it must be set"
    refuses(f"train@{model}", line)
