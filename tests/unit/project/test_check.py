"""The check of params.yaml, and what other stages get of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import pull_request, tiny_bert
from tests.processes import Command
from tests.refusal import refusal
from tests.settings import put
from textclf import params
from textclf.artifacts.splits import write_classes
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.extras import how_to_install
from textclf.core.git import git
from textclf.params import Params, parse
from textclf.project import check
from textclf.project.arguments import Check

pytestmark = pytest.mark.usefixtures("here")
DVC_YAML = Path(__file__).parents[3] / "dvc.yaml"
SEVERAL = """
vectorize:
  words: {}
  sentences: {method: encoder}
  glove: {method: token_ids, vectors: glove-6b-50d}
train:
  majority: {kind: majority, features: words}
  mine: {kind: logistic_regression, features: sentences}
"""
MINILM, GLOVE = "all-minilm-l6-v2", "glove-6b-50d"


def mistakes(text: str) -> tuple[str, ...]:
    Path("params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        check.load()
    return error.value.lines


def test_each_stage_has_the_weights_that_it_reads() -> None:
    weights = check.weights(parse(SEVERAL))
    assert {stage: list(names) for stage, names in weights.items()} == {
        "vectorize@words": [],
        "vectorize@sentences": [MINILM],
        "vectorize@glove": [GLOVE],
        "train@majority": [],
        "train@mine": [],
    }
    assert set(weights["vectorize@glove"][GLOVE]) == {"words.txt", "vectors.npy"}
    assert all(len(digest) == 64 for digest in weights["vectorize@glove"][GLOVE].values())


def test_the_file_of_a_teacher_is_noted_for_its_students(here: Path) -> None:
    values = ("train.keras.teacher", "gpt", "evaluate.external", "{gpt: data/external/gpt.csv}")
    assert mistakes(put(*values))[0].startswith(
        "data/external/gpt.csv not found; put the predictions of a teacher there"
    )
    (here / "data/external").mkdir(parents=True)
    (here / "data/external/gpt.csv").write_text("id,label\n")
    noted = {"file": "data/external/gpt.csv", "sha256": files.sha256(b"id,label\n")}
    assert check.teachers(check.load()) == {"train@keras": noted}


UNNAMED = ("export.model", "null")
CHOICES = [
    UNNAMED,
    ("evaluate.calibration", "platt"),
    ("evaluate.threshold", "f1"),
    ("data.unknown", "oos"),
    ("average.mean", "{first: majority, second: keras}", "export.model", "mean"),
]
# A model that is named, and a single one.
SETTLED = [(), (*UNNAMED, "train", "{a: {kind: majority, features: words}}", "gate", "{}")]


@pytest.mark.parametrize("changes", CHOICES + SETTLED)
def test_choices_need_held_out_rows_unless_there_are_validation_rows(
    changes: tuple[str, ...],
) -> None:
    assert check.is_settled(parse(put(*changes))) == (changes in SETTLED)
    assert check.is_settled(parse(put(*changes, "split.validation_size", "0.15")))


def test_a_cost_of_a_name_that_was_no_class_is_warned_of_before_anything_runs(here: Path) -> None:
    settings = parse(put("evaluate.costs", "{ham: {spma: 3}}"))
    assert list(check.doubts(settings, here)) == []
    write_classes(["ham", "spam"], here)
    (line,) = check.doubts(settings, here)
    assert line.startswith(
        "warning: params.yaml: evaluate.costs must name classes; got spma; did you mean spam?"
    )
    assert list(check.doubts(parse(put("evaluate.costs", "{ham: {spam: 3}}")), here)) == []


def test_an_experiment_before_any_run_explains_dvcs_warnings(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = parse(put())
    assert list(check.doubts(settings, here)) == []
    monkeypatch.setenv("DVC_EXP_NAME", "fuzzy-duff")
    (line,) = check.doubts(settings, here)
    assert line == (
        "DVC warned of each output that no run has made yet (No file hash info found); "
        "this run makes them"
    )
    Path("dvc.lock").touch()
    assert list(check.doubts(settings, here)) == []


@pytest.mark.parametrize("key", check.REQUIRED)
def test_what_dvc_yaml_reads_must_be_there(key: str) -> None:
    content = dict.fromkeys(("fetch", "about", "split", "evaluate"), "{}")
    content |= {"data": "{path: data/raw}", "vectorize": "{words: {}}"}
    content |= {"train": "{majority: {kind: majority, features: words}}"}
    section, _, setting = key.partition(".")
    content |= {section: "{}"} if setting else {}
    lines = [f"{name}: {value}" for name, value in content.items() if name != key]
    assert mistakes("\n".join(lines)) == (
        f"params.yaml: {key} is missing; it must be set, since dvc.yaml reads it",
    )


def test_missing_packages_are_told_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = {"keras", "tensorflow", "tokenizers"}
    monkeypatch.setattr(
        "textclf.project.check.find_spec", lambda name: None if name in missing else name
    )
    bert = (
        "vectorize.pieces",
        "{method: wordpieces}",
        "train.bert",
        "{kind: transformer, features: pieces}",
    )
    assert mistakes(put(*bert)) == (
        f"vectorize.pieces needs tokenizers; {how_to_install('pipeline')}",
        f"train.keras needs keras, tensorflow; {how_to_install('keras')}",
        (f"train.bert needs keras, tensorflow, tokenizers; {how_to_install('pretrained')}"),
    )


def test_weights_of_your_own_without_their_checksum_are_told_of_before_anything_runs() -> None:
    own = "data/external/mine"
    tiny_bert.write_folder(Path(own))
    files, right = "config.json, model.safetensors, tokenizer.json", tiny_bert.checksum(Path(own))
    sentences = f"{{method: encoder, pretrained: null, path: {own}%s}}"
    (line,) = mistakes(put("vectorize.sentences", sentences % ""))
    assert line == (
        f"vectorize.sentences: {own}: "
        f"sha256 must be the checksum of its files together ({files}); got null; "
        f"set it to {right} in params.yaml, or put the right files there"
    )
    Path("params.yaml").write_text(
        put("vectorize.sentences", sentences % f", sha256: {right}"), encoding="utf-8"
    )
    assert check.load().vectorize.names() == ["words", "sentences"]


def test_weights_of_your_own_lie_where_dvc_sees_that_they_change() -> None:
    own = "pretrained: null, path: "
    settings = (
        *("vectorize.sentences", f"{{method: encoder, {own}mine}}"),
        *("vectorize.pieces", f"{{method: wordpieces, {own}/elsewhere}}"),
    )
    rule = "must be in data/external, whose changes dvc repro sees"
    assert mistakes(put(*settings)) == (
        f"params.yaml: vectorize.sentences.path {rule}; got mine; move it there",
        f"params.yaml: vectorize.pieces.path {rule}; got /elsewhere; move it there",
    )
    dvc_yaml = yaml.safe_load(DVC_YAML.read_text("utf-8"))
    assert params.EXTERNAL in dvc_yaml["stages"]["check"]["deps"]


def test_a_run_has_only_the_settings_that_it_uses() -> None:
    content: dict[str, Any] = {"train": {"majority": {"kind": "majority", "features": "words"}}}
    used = check.run_settings(Params.model_validate(content))
    assert used["train"] == content["train"]
    assert used["split"] == Params().split.model_dump()
    for unused in (
        {"gate": {"minimum": {"cnn": {"test": {"f1": 0.5}}}}},
        {"search": {"trials": 3}},
    ):
        assert check.run_settings(Params.model_validate(content | unused)) == used
    assert check.run_settings(Params.model_validate(content | {"report": {"mistakes": 3}})) != used
    assert "behave" not in used
    behave = {"tests": {"mine": "mine.yaml"}, "seed": 0}
    assert check.run_settings(Params.model_validate({"behave": behave}))["behave"] == behave


def test_a_study_has_its_own_settings_and_those_of_models() -> None:
    studies = check.study_settings(Params())
    assert list(studies) == ["audit", "crossvalidate", "learning_curve", "search"]
    assert set(studies["search"]) == {*check.SHARED, "search"}
    assert set(studies["learning_curve"]) == {*check.SHARED}
    assert "gate" not in studies["search"]


LOCK = "dvc.lock must be complete; got a part, as a killed DVC leaves it; git checkout dvc.lock"
RUNNING = (
    ".dvc/tmp/rwlock must be JSON; got another text, as a full disk leaves it; "
    "if no other DVC runs here: rm .dvc/tmp/rwlock"
)


@pytest.mark.parametrize(
    ("lock", "running", "lines"),
    [
        (None, None, []),
        ("schema: '2.0'\nstages: {}\n", '{"read": {}, "write": {}}', []),
        ("", None, [LOCK]),
        ("schema: '2.0'\nstages:\n  check:\n    cm", None, [LOCK]),
        ("\0" * 100, None, [LOCK]),
        (None, '{"read": {', [RUNNING]),
        ("", "", [LOCK, RUNNING]),
    ],
)
def test_a_file_of_dvc_that_is_not_complete_is_told_with_its_cure(
    here: Path, command_line: Command, lock: str | None, running: str | None, lines: list[str]
) -> None:
    (here / "data/raw").mkdir(parents=True)
    (here / ".dvc/tmp").mkdir(parents=True)
    for name, text in (("params.yaml", put()), ("dvc.lock", lock), (".dvc/tmp/rwlock", running)):
        if text is not None:
            Path(name).write_text(text)
    status, _, err = command_line("check")
    assert err.splitlines() == [f"error: check: {line}" for line in lines]
    assert status == (2 if lines else 0)


@pytest.mark.parametrize(
    "name",
    [
        "studies/dvc.lock",
        "dvc.yaml",
        "a table.csv.dvc",
        ".dvc/config",
        "params.yaml",
        "metrics/evaluation.json",
    ],
)
def test_markers_of_a_conflict_in_a_file_of_dvc_are_told_with_the_cure(
    name: str, command_line: Command
) -> None:
    for path in (Path("data/raw/rows.txt"), Path(name)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("stages: {}\n<<<<<<<<: no marker\n")
    Path("params.yaml").write_text(put())
    git("init", "--quiet")
    git("add", "--all")
    assert command_line("check").status == 0
    Path(name).write_text("one\n<<<<<<< HEAD\ntwo\n=======\nthree\n>>>>>>> other\nfour\n")
    shown = f"'{name}'" if " " in name else name
    assert command_line("check").err == (
        f"error: check: {name} must have no markers of a conflict; got some (<<<<<<<), "
        f"as a merge leaves them; edit it or git checkout HEAD {shown} (HEAD^ if HEAD has them "
        "too), then dvc repro\n"
    )


@pytest.mark.parametrize(
    ("names", "status", "printed"),
    [
        (
            "split.seed",
            0,
            (
                "split.seed: 7 (default: 1000); seed of the split; "
                "change it to see how much the numbers"
            ),
        ),
        (
            "train.mine",
            0,
            (
                "train.mine.kind: majority; kind of model: docs/representations.md\n"
                "train.mine.features: w"
            ),
        ),
        ("split.sed", 2, "error: check: split.sed is no setting; did you mean split.seed?\n"),
        ("split.seed spli", 2, "error: check: spli is no setting; "),
    ],
)
def test_a_named_setting_is_told_with_its_default(
    command_line: Command, names: str, status: int, printed: str
) -> None:
    Path("params.yaml").write_text(
        "split: {seed: 7}\ntrain: {mine: {kind: majority, features: words}}\n"
    )
    ended = command_line("check", *names.split())
    assert (ended.status, (ended.out or ended.err)[: len(printed)]) == (status, printed)


@pytest.mark.parametrize(
    ("place", "committed", "told"),
    # `committed` is None for settings that are in no commit.
    [(".", 1, True), (".", -1, False), (".", None, False), (".dvc/tmp/exps/tmp1", 1, False)],
)
def test_uncommitted_settings_that_are_wrong_are_told_with_the_way_back(
    here: Path, monkeypatch: pytest.MonkeyPatch, place: str, committed: int | None, told: bool
) -> None:
    (here / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here / place)
    git("init", "--quiet")
    if committed:
        Path("params.yaml").write_text(f"split: {{seed: {committed}}}\n")
        pull_request.commit(Path())
    first, *others = mistakes("split: {seed: -1}\n")
    assert first == "params.yaml: split.seed must be at least 0; got -1"
    assert ["git checkout HEAD params.yaml" in line for line in others] == [True] * told


def test_a_project_whose_record_is_missing_is_refused_before_its_settings() -> None:
    Path(".textclf/code").mkdir(parents=True)
    Path("params.yaml").write_text("{}\n")
    assert refusal(check.load).startswith(".textclf/project.json is missing or damaged")


BOTH = """
classes: {a: a, b: b}
tests:
  one: {kind: minimum_function, texts: {a: [Both of them.]}}
  other: {kind: minimum_function, texts: {b: [Both of them.]}}
"""


def test_a_file_of_tests_may_expect_several_labels_of_a_text_if_texts_have_several() -> None:
    Path("mine.yaml").write_text(BOTH)
    text = put("behave.tests", "{mine: mine.yaml}")
    (line,) = mistakes(text)
    assert (
        line
        == "mine.yaml: tests.other must not expect both a and b of one text; got 'Both of them.'"
    )
    Path("params.yaml").write_text(put("data.task", "multilabel", text=text))
    assert check.load().data.task == "multilabel"


@pytest.mark.parametrize("same", [True, False])
def test_where_bytes_differ_it_says_what_to_do_with_dvc_lock(
    same: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "gives_same_bytes", lambda: same)
    monkeypatch.setattr(check, "load_for_run", lambda: parse(SEVERAL))
    check.run(Check(name="check"))
    assert ("dvc.lock" in capsys.readouterr().out) is not same
