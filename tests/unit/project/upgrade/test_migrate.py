"""A params.yaml of an older textclf."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.project.init.test_command import Run, init
from textclf.params import load
from textclf.vectorize.settings import leaves

__all__ = ["init"]

OLD = """
data: {path: data/raw}  # the rows
vectorize:
  words: {weighting: tfidf}  # kept
  letters: {analyzer: char}
  unread: {analyzer: char_wb}
train:
  models: [majority, keras, mine]
  majority: {features: words}
  naive_bayes: {alpha: 0.5}
  keras: {features: words, epochs: 7}
  mine: {model: logistic_regression, features: [words, letters], C: 10.0}
evaluate: {confidence: 0.9, resamples: 500}
"""


def commit(text: str) -> None:
    Path("params.yaml").write_text(text, encoding="utf-8")
    author = ("-c", "user.name=textclf", "-c", "user.email=textclf@example.org")
    subprocess.run(("git", *author, "commit", "--quiet", "--all", "-m", "old"), check=True)


def test_models_become_entries_and_several_representations_a_pair(init: Run) -> None:
    commit(OLD)
    done = init("--migrate")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "params.yaml: train has majority, keras, mine, each with its kind and features",
        "combine.words_letters: words and letters side by side",
        "left out of train, because no run used them: naive_bayes",
        "left out of vectorize, because no run used them: unread",
        "left out of evaluate, because no interval needs it any more: resamples",
        "git diff shows all changes; git checkout params.yaml undoes them; next: textclf check",
    ]
    params = load(Path("params.yaml"))
    assert params.train.names() == ["majority", "keras", "mine"]
    assert (params.train["keras"].epochs, params.train["mine"].C) == (7, 10.0)
    assert params.train["mine"].features == "words_letters"
    assert params.vectorize.names() == ["words", "letters"]
    assert params.evaluate.confidence == 0.9
    assert "# How a text becomes numbers" in Path("params.yaml").read_text(encoding="utf-8")


def test_pairs_have_names_that_are_free_and_are_made_once(init: Run) -> None:
    long = ["a" * 30 + "_1", "b" * 30, "a" * 30 + "_2"]
    train = {"one": [long[0], long[1]], "two": [long[2], long[1]], "three": [long[0], long[1]], "all": [*long]}
    entries = (f"  {name}: {{model: logistic_regression, features: {features}}}" for name, features in train.items())
    vectorize = ", ".join(f"{name}: {{}}" for name in long)
    commit("\n".join([f"vectorize: {{{vectorize}}}", "train:", f"  models: [{', '.join(train)}]", *entries, ""]))
    done = init("--migrate")
    assert "a pair within a pair weighs as much as the other side" in done.out
    params = load(Path("params.yaml"))
    read = {name: leaves(params.train[name].features, params.combine) for name in train}
    assert read == train
    assert params.train["one"].features == params.train["three"].features


def test_other_sections_stay_as_they_are(init: Run) -> None:
    rest = "split: {seed: 1}\nexport: {model: null}  # none\n"
    commit(f"{rest}train:\n  models: [keras]\n  keras:\n    units: [10] # wide\n    early_stopping: null\n")
    assert init("--migrate").status == 0
    lines = [line.partition(" #")[0].rstrip() for line in Path("params.yaml").read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if line and not line.startswith("#")] == [
        *("split: {seed: 1}", "export: {model: null}", "train:", "  keras:", "    kind: keras", "    features: words"),
        *("    units: [10]", "    early_stopping: null"),
    ]


def test_models_without_settings_read_what_their_kind_read(init: Run) -> None:
    commit("vectorize: {sequences: {method: token_ids}}\ntrain: {models: [cnn]}\n")
    assert init("--migrate").status == 0
    assert load(Path("params.yaml")).train["cnn"].features == "sequences"


def test_of_a_file_that_lists_models_as_today_resamples_are_dropped(init: Run) -> None:
    now = "vectorize:\n  words: {}\n  unread: {}\ntrain:\n  one: {kind: majority, features: words}\nevaluate:\n"
    commit(f"{now}  resamples: 500\n  confidence: 0.9\nexport: {{model: one}}\n")
    done = init("--migrate")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "left out of evaluate, because no interval needs it any more: resamples",
        "git diff shows all changes; git checkout params.yaml undoes them; next: textclf check",
    ]
    lines = [line.partition(" #")[0].rstrip() for line in Path("params.yaml").read_text(encoding="utf-8").splitlines()]
    kept = f"{now}  confidence: 0.9\nexport: {{model: one}}"
    assert [line for line in lines if line and not line.startswith("#")] == kept.splitlines()


OTHER = "params.yaml must be of an older textclf, with train.models or evaluate.resamples; see textclf check"


@pytest.mark.parametrize(
    ("train", "line"),
    [
        ("majority: {kind: majority, features: words}", OTHER),
        *((f"models: {models}", OTHER) for models in ("null", "keras", "[]")),
        ("models: [[a]]", "params.yaml: train.models must be names of models, each with a section; got [a]"),
        ("models: [a], a: [1]", "params.yaml: train.models must be names of models, each with a section; got a"),
        ("models: [keras], keras: {epochs: 0}", "params.yaml: train.keras.epochs must be at least 1; got 0"),
    ],
)
def test_another_file_stays_as_it_is(init: Run, train: str, line: str) -> None:
    text = f"train: {{{train}}}\n"
    commit(text)
    done = init("--migrate")
    assert (done.status, done.err) == (2, f"error: init: {line}\n")
    assert Path("params.yaml").read_text(encoding="utf-8") == text


def test_uncommitted_changes_are_not_overwritten(init: Run) -> None:
    Path("params.yaml").write_text(OLD, encoding="utf-8")
    assert "must be committed before it is overwritten" in init("--migrate").err
    assert init("--migrate", "--force").status == 0


def test_a_table_or_the_migration_must_be_asked_for(init: Run) -> None:
    assert init().err == "error: init: --data must be given, or --lesson; textclf init --help lists the arguments\n"
