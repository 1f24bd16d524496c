"""Tampered models: `textclf verify --rederive` names each in a line; none passes."""

import contextlib
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textclf
from tests.refusal import refusal
from tests.verify import DVC, Copy, change_params
from textclf import cli
from textclf.artifacts import predictions, splits, statement
from textclf.artifacts.checksums import checksum_of_json
from textclf.artifacts.statement import PROVENANCE
from textclf.core.errors import UserError
from textclf.core.files import write_npz
from textclf.core.ownership import md5_of_file
from textclf.export.provenance import CODE_NAME
from textclf.project.check import load_for_run
from textclf.review.base import cloned
from textclf.review.revisions import commit_of
from textclf.verify import command, rederive
from textclf.verify.commit import find_commit
from textclf.verify.inputs import ForeignInputsError, require_own_inputs

FILES = (
    *("README.md", "decision.json", "model.json", "model.keras", "model.npz", "model.onnx"),
    "vectorizer.json",
)
Change = Callable[[Path], object]


def flip(name: str) -> Change:
    """Change a bit in the middle of a file."""

    def change(model: Path) -> None:
        data = bytearray((model / name).read_bytes())
        data[len(data) // 2] ^= 1
        (model / name).write_bytes(data)

    return change


def restate(model: Path, edit: Callable[[Any], object] = str) -> None:
    """Edit what the statement is made of, and write it with right checksums of the files."""
    definition = json.loads((model / PROVENANCE).read_bytes())["predicate"]["buildDefinition"]
    edit(definition)
    (model / PROVENANCE).unlink()
    statement.write(model, definition, definition.pop("version", "0.2.0"))


def stated(change: Change) -> Change:
    def both(model: Path) -> None:
        change(model)
        restate(model)

    return both


def setting(section: str, **values: object) -> Change:
    """State other settings of a section, or of its first entry."""

    def edit(definition: Any) -> None:
        content = definition["externalParameters"]["params"][section]
        (content if values.keys() <= content.keys() else next(iter(content.values()))).update(
            values
        )

    return lambda model: restate(model, edit)


def dependency(name: str, digest: str = "0" * 64) -> Change:
    """State another checksum of what the model was made of."""

    def edit(definition: Any) -> None:
        result = {each.get("name"): each for each in definition["resolvedDependencies"]}
        result[name]["digest"]["sha256"] = digest

    return lambda model: restate(model, edit)


def edit_card(model: Path, text: str, other: str) -> None:
    content = (model / "README.md").read_text(encoding="utf-8")
    (model / "README.md").write_text(content.replace(text, other, 1), encoding="utf-8")


def card(model: Path) -> None:
    """Edit the accuracy on the card."""
    edit_card(model, "**80.0%**", "**90.0%**")


def swap(model: Path) -> None:
    shutil.copy(model.parent / "majority/model.npz", model / "model.npz")


def link(model: Path) -> None:
    """Put a link to the same bytes in the place of a file."""
    shutil.move(model / "model.npz", model.parent / "model.npz")
    (model / "model.npz").symlink_to(model.parent / "model.npz")


def edited(text: str, other: str) -> Change:
    def change(model: Path) -> None:
        path = model / PROVENANCE
        path.write_text(path.read_text(encoding="utf-8").replace(text, other, 1), encoding="utf-8")

    return change


def another_model(model: Path) -> None:
    shutil.rmtree(model)
    shutil.copytree(model.parent / "majority", model)


def twice(model: Path) -> None:
    """List a file twice, first with another checksum."""
    content = json.loads((model / PROVENANCE).read_bytes())
    del content["predicate"]["runDetails"]["metadata"]
    content["subject"].insert(0, {**content["subject"][0], "digest": {"sha256": "0" * 64}})
    content["predicate"]["runDetails"]["metadata"] = {"invocationId": checksum_of_json(content)}
    (model / PROVENANCE).write_text(json.dumps(content))


def made_of(name: str) -> Change:
    """State one more file that the model was made of."""
    entry = {"name": name, "digest": {"sha256": "0" * 64}}
    return lambda model: restate(model, lambda made: made["resolvedDependencies"].append(entry))


COMMIT = "keras: commit: FAILED, "
TAMPERINGS: dict[str, tuple[Change, str]] = {
    **{
        f"a bit of {name}": (flip(name), f"keras: files: FAILED, {name} was changed")
        for name in FILES
    },
    **{
        f"a bit of {name}, restated": (
            stated(flip(name)),
            f"keras: model: FAILED, made again, it has another {name}",
        )
        for name in FILES[1:]
    },
    "a bit of the statement": (flip(PROVENANCE), "provenance.json is damaged"),
    "no statement": (lambda model: (model / PROVENANCE).unlink(), "provenance.json not found"),
    "no JSON": (lambda model: (model / PROVENANCE).write_text("{"), "provenance.json is damaged"),
    "another form": (edited("pipeline:1", "pipeline:2"), "provenance.json is damaged"),
    "a file of another model": (swap, "keras: files: FAILED, model.npz was changed"),
    "a file of another model, restated": (
        stated(swap),
        "keras: model: FAILED, made again, it has another model.npz",
    ),
    "a file less": (
        lambda model: (model / "model.onnx").unlink(),
        "keras: files: FAILED, model.onnx is missing",
    ),
    "a file less, restated": (
        stated(lambda model: (model / "model.onnx").unlink()),
        "keras: model: FAILED, made again, it has another model.onnx",
    ),
    "a file more": (
        lambda model: (model / "conformal.json").write_text("{}"),
        "keras: files: FAILED, conformal.json is not listed",
    ),
    "a file more, restated": (
        stated(lambda model: (model / "x.py").write_text("")),
        "keras: model: FAILED, made again, it has another x.py",
    ),
    "a hidden file": (
        lambda model: (model / ".x").write_text(""),
        "keras: files: FAILED, .x is not listed",
    ),
    "a link": (link, "keras: files: FAILED, model.npz is a link"),
    "a link, restated": (stated(link), "keras: files: FAILED, model.npz is a link"),
    "a number on the card": (card, "keras: files: FAILED, README.md was changed"),
    "a number on the card, restated": (
        stated(card),
        "keras: metrics: FAILED, README.md has 'It is right on **90.0%**",
    ),
    "other epochs": (setting("train", epochs=90), f"{COMMIT}a commit up to"),
    "another seed": (setting("split", seed=1), "has another split of params.yaml"),
    "another threshold": (
        setting("evaluate", threshold=0.6),
        "has another evaluate of params.yaml",
    ),
    "other terms": (setting("vectorize", lowercase=False), "has another vectorize of params.yaml"),
    "other rights": (setting("about", licence="CC0"), "has another about of params.yaml"),
    "another model": (
        edited('"model": "keras"', '"model": "majority"'),
        "provenance.json is damaged",
    ),
    "another model's folder": (
        another_model,
        "keras: files: FAILED, provenance.json is of the model majority",
    ),
    "a file twice": (twice, "provenance.json is damaged"),
    "no settings": (
        lambda model: restate(
            model, lambda made: made.update(externalParameters={"model": "svm", "params": {}})
        ),
        "has another params.yaml",
    ),
    "a file that no path has": (made_of("a\0b"), "provenance.json has another"),
    "a form feed on the card": (
        stated(lambda model: edit_card(model, "\n", "\f")),
        "keras: metrics: FAILED, README.md has",
    ),
    "a list that features have": (
        stated(lambda model: (model / "manifest.json").write_text("{}")),
        "keras: files: FAILED, manifest.json is not listed",
    ),
    "a note": (
        lambda model: restate(
            model, lambda made: made["externalParameters"].update(note="certified")
        ),
        "provenance.json has another content",
    ),
    "weights elsewhere": (
        made_of("pretrained/../../../../../../../dev/zero"),
        "provenance.json has another pretrained/../",
    ),
    "another table": (
        dependency("data/raw/yelp_labelled.txt"),
        "inputs: FAILED, provenance.json has another data/raw/yelp_labelled.txt",
    ),
    "other corrections": (dependency("corrections.csv"), "has another corrections.csv"),
    "other labelled texts": (dependency("labelled.csv"), "has another labelled.csv"),
    "another lock file": (dependency("requirements/run.txt"), "has another requirements/run.txt"),
    "other code": (dependency(CODE_NAME), f"has another {CODE_NAME}"),
    "an older textclf": (
        lambda model: restate(model, lambda made: made.update(version="0.1.0")),
        "provenance.json has another textclf 0.1.0",
    ),
}


@pytest.fixture
def model(pipeline: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the network of the default run, in whose project the stages have run already."""
    monkeypatch.chdir(pipeline.folder)
    monkeypatch.setattr(rederive.Clone, "repro", lambda *_: [])
    monkeypatch.setattr(rederive, "fetch", lambda *_: None)
    monkeypatch.setattr(rederive, "changed_data", lambda _: [])

    @contextlib.contextmanager
    def cloned(*_: object) -> Iterator[Path]:
        yield pipeline.folder

    monkeypatch.setattr(rederive, "cloned", cloned)
    return Path(shutil.copytree(pipeline.folder / "models", tmp_path / "models") / "keras")


@pytest.fixture
def elsewhere(
    model: Path,  # noqa: ARG001 (whose stand-in for the clone this one replaces)
    pipeline: Copy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The project in which the model has been made again, on a machine where bytes may differ."""
    folder = Path(shutil.copytree(pipeline.folder, tmp_path / "clone"))
    monkeypatch.setattr(rederive, "cloned", lambda *_: contextlib.nullcontext(folder))
    monkeypatch.setattr(rederive, "tolerance_of", lambda _: 1e-3)
    return folder


def verify(model: Path) -> int | None:
    return cli.run(cli.parse(["verify", str(model), "--rederive", "--explain"]))


def test_a_model_as_it_was_made_passes(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(model) == 0
    assert "FAILED" not in capsys.readouterr().out


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_model_that_is_not_what_it_says_is_named(
    name: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, line = TAMPERINGS[name]
    change(model)
    assert verify(model) == 1
    assert [
        printed
        for printed in capsys.readouterr().out.splitlines()
        if line in printed and "FAILED" in printed
    ]


def commit_all(copy: Copy, *ignored: str) -> None:
    copy.run("git", "config", "user.email", "textclf@example.org")
    copy.run("git", "add", "--all")
    copy.run("git", "add", "--force", "params.yaml", *ignored)
    copy.run("git", "commit", "--quiet", "--message=forged")


def link_to(target: str, name: str) -> Change:
    def change(project: Path) -> None:
        path = project / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return change


def written(name: str, text: str) -> Change:
    def change(project: Path) -> None:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)

    return change


def added(name: str, text: str) -> Change:
    return lambda project: (project / name).write_text((project / name).read_text() + text)


STAGE = "stages: {make: {cmd: touch ran, outs: [%s]}}\n"
FORGERIES: dict[str, tuple[Change, str]] = {
    "another command": (
        added("dvc.yaml", "  own: {cmd: touch ran}\n"),
        "dvc.yaml of the commit has other commands",
    ),
    "no dvc.yaml": (
        lambda project: (project / "dvc.yaml").unlink(),
        "dvc.yaml of the commit has other commands",
    ),
    "a linked dvc.yaml": (link_to("other.yaml", "dvc.yaml"), "got dvc.yaml"),
    "a stage that makes labels": (
        written("own/dvc.yaml", STAGE % "../labelled.csv"),
        "those of dvc.yaml, imports frozen; got ",
    ),
    "a stage that makes a file of this folder": (
        written("data/external/dvc.yaml", STAGE % "README.md"),
        "those of dvc.yaml, imports frozen; got ",
    ),
    "a file with a command": (
        written("labelled.csv.dvc", "cmd: touch ran\nouts: [{path: labelled.csv}]\n"),
        "as DVC reads them",
    ),
    "an import that another file may replace": (
        written(
            "labelled.csv.dvc",
            "deps: [{path: params.yaml}]\nouts: [{path: labelled.csv, hash: md5, cache: false}]\n",
        ),
        "those of dvc.yaml, imports frozen; got labelled.csv.dvc",
    ),
    "studies before the run": (
        added("studies/dvc.yaml", "  x: {cmd: touch ran, outs: [../labelled.csv]}\n"),
        "got ",
    ),
    "no YAML": (written("own/dvc.yaml", "stages: ["), "must be as DVC reads"),
    "a linked data folder": (link_to("/", "data"), "links of the commit must be files"),
    "a linked folder inside": (link_to("metrics", "plots"), "links of the commit must be files"),
    "a linked configuration": (
        link_to("/dev/null", ".dvc/config.local"),
        "links of the commit must be files",
    ),
    "a link to nothing": (link_to("nothing", "labelled.csv"), "links of the commit must be files"),
    "a link out": (
        link_to("/etc/hostname", "corrections.csv"),
        "links of the commit must be files",
    ),
    "a ring of links": (
        link_to("corrections.csv", "corrections.csv"),
        "links of the commit must be files",
    ),
    "a hidden dvc.yaml": (written(".dvcignore", "dvc.yaml\n"), "DVC must see dvc.yaml"),
    "no configuration": (written(".dvc/config", "[[["), "config file error"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_commit_with_commands_or_links_of_its_own_is_refused_before_any_runs(
    name: str, workshop: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    change, reason = FORGERIES[name]
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    change(copy.folder)
    if "configuration" in name:
        copy.run(
            "git", "add", "--force", ".dvc/config.local" if "linked" in name else ".dvc/config"
        )
    commit_all(copy)
    with pytest.raises(UserError) as raised, cloned("HEAD", require_own_inputs):
        pass
    assert reason in str(raised.value)
    assert not [*copy.folder.rglob("ran")]


@pytest.mark.slow
def test_a_verification_runs_this_code_and_goes_on_from_nothing(
    workshop: Callable[[], Copy],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    written("numpy.py", "raise SystemExit('numpy of the commit')\n")(copy.folder)
    for name in ("evaluation", "splits", "training"):
        written(f"metrics/{name}.json", "forged")(copy.folder)
    commit_all(copy)
    # DVC puts such a file in the place of the one that a stage makes, unless the cache's type is
    # copy.
    poison(copy, Path("data/predictions/logistic_regression.parquet"), "forged")
    arguments = cli.parse(["verify", "logistic_regression", "--rederive"])
    assert cli.run(arguments) == 0
    assert (
        "logistic_regression: model: 5 files made again, byte for byte" in capsys.readouterr().out
    )
    name = "data/.train-logistic_regression-0123456789abcdef.scratch/training.npz"
    written(name, "forged")(copy.folder)
    commit_all(copy, name)
    assert cli.run(arguments) == 1
    assert f"pipeline: FAILED, {name} must not be in Git" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "data/.train-keras-0123456789abcdef.scratch/training.npz",
        "data/.vectorize-words.scratch/x.npz",
        "data/.search-0123.scratch/scores.jsonl",
        ".dvc/tmp/textclf/vectors/x.npz",
        ".dvc/cache/files/md5/00/0",
    ],
)
def test_unfinished_work_in_git_is_refused(
    name: str, workshop: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    written(name, "forged")(copy.folder)
    commit_all(copy, name)
    line = f"{name} must not be in Git, since a run would go on from it"
    assert refusal(load_for_run).startswith(line)
    output, passed = copy.run_anyway(*DVC, "repro", "--force", "check")
    assert not passed
    assert f"error: check: {line}" in output


def test_programs_that_a_copied_repository_names_do_not_run(
    workshop: Callable[[], Copy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    ran = tmp_path / "ran"
    written(".gitattributes", "*.py filter=own\n")(copy.folder)
    commit_all(copy)
    program = f"sh -c 'touch {ran}; cat'"
    for key in ("filter.own.smudge", "filter.own.process", "core.fsmonitor"):
        copy.run("git", "config", key, program)
    hook = copy.folder / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    find_commit(statement.read(Path("models/keras")))
    with cloned("HEAD", require_own_inputs):
        pass
    assert not ran.exists()


def test_of_the_configuration_of_dvc_only_addresses_stay(
    workshop: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    text = (
        "[core]\n    remote = mine\n['remote \"mine\"']\n    url = s3://bucket/x\n"
        "    configpath = aws\n"
    )
    written(".dvc/config", text + "[cache]\n    type = symlink\n")(copy.folder)
    commit_all(copy)
    with cloned("HEAD", require_own_inputs) as project:
        left = (project / ".dvc/config").read_text()
    assert "s3://bucket/x" in left
    assert "remote = mine" in left
    assert "configpath" not in left
    assert "type = copy" in left


def poison(copy: Copy, data: Path, text: str) -> None:
    """Put other bytes under the checksum of a file in DVC's cache, and let DVC trust them."""
    cached = copy.folder / ".dvc/cache/files/md5" / (md5 := md5_of_file(data))[:2] / md5[2:]
    cached.chmod(0o644)
    cached.write_text(text)
    cached.chmod(0o444)


def test_data_of_the_cache_that_are_not_what_their_checksum_says_fail(
    workshop: Callable[[], Copy],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    monkeypatch.setattr(rederive.Clone, "repro", lambda *_: pytest.fail("a stage ran"))
    written("data/external/scores.csv", "id,good\n1,0.5\n")(copy.folder)
    copy.dvc("add", "--quiet", "data/external/scores.csv")
    commit_all(copy)
    poison(copy, copy.folder / "data/external/scores.csv", "id,good\n1,0.9\n")
    poison(copy, copy.folder / "data/raw/yelp_labelled.txt", "poor\t1\n")
    arguments = cli.parse(["verify", "logistic_regression", "--rederive", "--commit", "HEAD"])
    monkeypatch.setattr(command, "find_commit", lambda *_, **__: commit_of("HEAD"))
    assert cli.run(arguments) == 1
    names = "data/external/scores.csv, data/raw"
    line = (
        f"inputs: FAILED, {names} must be what the checksums in the commit say; Git, "
        "DVC's cache or remote has other"
    )
    assert line in capsys.readouterr().out


def test_a_run_that_the_cache_remembers_is_made_anew(pipeline: Copy, tmp_path: Path) -> None:
    project = replace(pipeline, folder=tmp_path)
    written("dvc.yaml", "stages: {make: {cmd: cp read made, deps: [read], outs: [made]}}")(tmp_path)
    written("read", "text")(tmp_path)
    project.dvc("init", "--no-scm")
    project.dvc("repro")
    (tmp_path / "made").unlink()
    (tmp_path / "dvc.lock").unlink()
    assert rederive.Clone(tmp_path, "").repro() == ["make"]


def test_a_commit_whose_objects_are_not_what_their_hashes_say_is_refused(
    workshop: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    written("labelled.csv", "text,label\n")(copy.folder)
    commit_all(copy)
    blob = copy.run("git", "rev-parse", "HEAD:labelled.csv").strip()
    forged = copy.folder / ".git/objects" / blob[:2] / blob[2:]
    forged.chmod(0o644)
    forged.write_bytes(zlib.compress(b"blob 17\0text,label\nx,good"))
    line = (
        f"Git must have the objects of {commit_of('HEAD')[:8]} as their hashes say; "
        f"missing blob object '{blob}'"
    )
    assert refusal(lambda: cloned(commit_of("HEAD")).__enter__()) == line


def test_a_commit_whose_commands_are_not_those_of_textclf_fails(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> contextlib.AbstractContextManager[Path]:
        raise ForeignInputsError("dvc.yaml of the commit has other commands")

    monkeypatch.setattr(rederive, "cloned", refuse)
    assert verify(model) == 1
    assert "keras: pipeline: FAILED, dvc.yaml of " in capsys.readouterr().out


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("name", "change"),
    {
        "decision.json": lambda text: text.replace(b"0.5", b"0.02"),
        "model.onnx": lambda _: b"garbage",
        "model.keras": lambda _: b"garbage",
        "model.json": lambda text: text.replace(b"relu", b"tanh"),
        "vectorizer.json": lambda text: text.replace(b'"good"', b'"bad"', 1),
    }.items(),
)
def test_where_weights_may_differ_every_other_file_is_compared(
    name: str,
    change: Callable[[bytes], bytes],
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(rederive, "_predict_again", lambda *_: 0.0)
    before = (model / name).read_bytes()
    (model / name).write_bytes(change(before))
    assert (model / name).read_bytes() != before
    restate(model)
    assert verify(model) == 1
    assert (
        f"keras: other files: FAILED, made again, it has another {name}" in capsys.readouterr().out
    )


def test_a_model_that_is_not_the_release_named_fails(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = model.parent / "majority"
    monkeypatch.setattr(command, "find_model", lambda _, name: newer if "@" in name else Path(name))
    arguments = ["verify", str(model), "--version", "keras@v0.0.2"]
    assert cli.run(cli.parse(arguments)) == 1
    assert (
        "keras: version: FAILED, keras@v0.0.2 has another provenance.json"
        in capsys.readouterr().out
    )
    newer = model
    assert cli.run(cli.parse(arguments)) == 0
    for words in (["--version", "keras@v0.0.2"], [str(model), "--version", "majority"]):
        assert "must be NAME@vN and come with MODEL" in refusal(
            cli.run, cli.parse(["verify", *words])
        )


@pytest.mark.parametrize(
    "words", ["--signature x", "--explain", "--commit HEAD", "--python python3"]
)
def test_an_option_that_would_check_nothing_is_refused(words: str) -> None:
    assert "must come with --" in refusal(cli.run, cli.parse(["verify", "keras", *words.split()]))


@pytest.mark.parametrize(("change", "status"), [(1e-6, 0), (0.1, 1)])
def test_where_bytes_may_differ_predictions_are_compared_within_a_tolerance(
    change: float,
    status: int,
    model: Path,
    elsewhere: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scale(model, 1 + change)
    (model / "model.onnx").write_bytes(rederive._onnx_of(model))
    restate(model)
    assert verify(model) == status
    printed = capsys.readouterr().out
    line = next(each for each in printed.splitlines() if each.startswith("keras: model:"))
    assert line.endswith("of 0.001 that its kind may")
    assert "keras: other files: those made again agree" in printed
    rows = predictions.read(elsewhere / "data/predictions/keras.parquet")
    texts = splits.read(elsewhere / "data/splits")["test"]["text"]
    np.testing.assert_array_equal(
        rows.probabilities[rows.split == "test"], textclf.load(model).predict_proba(texts)
    )


def scale(model: Path, factor: float) -> None:
    """Multiply the weights, and state them."""
    arrays = dict(np.load(model / "model.npz"))
    with (model / "model.npz").open("wb") as file:
        write_npz(file, **{name: array * factor for name, array in arrays.items()})
    restate(model)


def test_a_model_fitted_on_more_rows_is_compared_with_that_made_again(
    model: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = (elsewhere / "data/predictions/keras.parquet").read_bytes()
    scale(model, 1.5)
    scale(elsewhere / "models/keras", 1.5 * (1 + 1e-9))
    assert verify(model) == 0
    assert "keras: model: probabilities of the rows differ by at most" in capsys.readouterr().out
    assert (elsewhere / "data/predictions/keras.parquet").read_bytes() == measured


def test_a_model_of_uncommitted_settings_or_of_another_commit_is_named(
    workshop: Callable[[], Copy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = workshop()
    monkeypatch.chdir(copy.folder)
    model = Path(shutil.copytree("models", tmp_path / "models") / "keras")
    setting("train", epochs=90)(model)
    change_params(copy.folder / "params.yaml", ["train.keras.epochs=90"])
    stated = statement.read(model)
    assert "has another train of params.yaml;" in refusal(find_commit, stated)
    copy.run("git", "config", "user.email", "textclf@example.org")
    copy.run("git", "commit", "--quiet", "--all", "--message=fewer epochs")
    copy.run("git", "commit", "--quiet", "--allow-empty", "--message=more")
    assert find_commit(stated) == commit_of("HEAD")
    assert find_commit(stated, "HEAD~1", alone=True) == commit_of("HEAD~1")
    assert refusal(find_commit, stated, "HEAD~2", alone=True).startswith(
        f"{commit_of('HEAD~2')[:8]} must have"
    )
    assert find_commit(statement.read(Path("models/keras"))) == commit_of("HEAD~2")
    with Path("textclf/models/average/__init__.py").open("a") as file:
        file.write("# changed\n")
    copy.run("git", "commit", "--quiet", "--all", "--message=code")
    assert f"has another {CODE_NAME};" in refusal(find_commit, stated, "HEAD", alone=True)
