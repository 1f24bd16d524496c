"""`textclf pr-report` in this process: for damaged files no answer, not a wrong one."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests import approved, pull_request
from tests.processes import Command, git
from tests.pull_request import PREDICTIONS
from textclf.core.errors import UserError
from textclf.review import command, revisions
from textclf.review.comment import MARKER
from textclf.review.pairing import Pairing
from textclf.review.revisions import Revision

IGNORES = (
    "`majority` ignores the texts: it gives every text the most frequent class of the "
    "training rows."
)


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose working tree differs from its commit."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("made") / "project"))
    pull_request.make(folder)
    return folder


@pytest.fixture
def pull(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project as the current folder; files that a test changes are restored."""
    monkeypatch.chdir(made)
    before = {name: Path(name).read_bytes() for name in pull_request.READ}
    yield made
    for name, content in before.items():
        Path(name).write_bytes(content)


@pytest.fixture
def pr_report(command_line: Command) -> Command:
    return partial(command_line, "pr-report")


def put(file: str, keys: tuple[Any, ...], value: Any) -> None:
    text = Path(file).read_text(encoding="utf-8")
    content = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    part = content
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    Path(file).write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML, too


@pytest.mark.usefixtures("pull")
def test_sound_files_give_a_comment_that_lists_other_metrics_but_not_slices(
    pr_report: Command,
) -> None:
    put("metrics/features.json", ("words", "train", "nonzeros"), 5)
    # Slices are many, and differ by chance.
    put("metrics/slices.json", ("protocol", "left_out"), {"class": 3})
    put(
        "metrics/decisions.json",
        ("majority", "guessing"),
        {"difference": 0.1, "low": -0.2, "high": 0.4},
    )
    code, out, err = pr_report("HEAD")
    assert (code, err) == (0, "")
    assert "the gate passed.**" in out
    assert "- Git has 2 results on these test rows. The best of several looks better" in out
    assert "in this 95% interval (Bonferroni): `majority` 0." in out
    assert "`features.json: words.train.nonzeros` `76` → `5`" in out
    assert "`slices.json: " not in out
    assert "`decisions.json: " not in out


@pytest.mark.usefixtures("pull")
def test_few_groups_widen_the_interval_of_the_best_result(pr_report: Command) -> None:
    def widened() -> str:
        put("metrics/features.json", ("words", "train", "nonzeros"), 5)
        out: str = pr_report("HEAD").out
        return out.partition("(Bonferroni): `majority` ")[2].partition("\n")[0]

    put(
        "metrics/decisions.json",
        ("majority", "guessing"),
        {"difference": 0.1, "low": -0.2, "high": 0.4},
    )
    independent = widened()
    put("metrics/intervals.json", ("majority", "test", "accuracy", "degrees"), 3)
    assert independent != widened() != ""


@pytest.mark.usefixtures("pull")
def test_a_value_or_file_that_no_version_writes_is_named_with_its_revision(
    pr_report: Command,
) -> None:
    def say(case: str) -> list[str]:
        file, keys, value = case.split(" ", 2)
        before = Path(file).read_bytes()
        if keys == "=":
            Path(file).write_bytes(json.loads(value).encode("utf-8", "surrogateescape"))
        else:
            names = keys.encode().decode("unicode_escape").split(".")
            put(
                file,
                tuple(int(name) if name.isdigit() else name for name in names),
                json.loads(value),
            )
        code, out, err = pr_report("HEAD")
        Path(file).write_bytes(before)
        assert (code, out) == (2, "")
        return err.splitlines()

    approved.check_cases(Path(__file__).with_name("damaged.txt"), say)
    Path("metrics/evaluation.json").write_bytes(b"[" * 100_000)
    assert " must be JSON with finite numbers; got something else" in pr_report("HEAD").err


@pytest.mark.parametrize("values", [[None], [7], [[1]]], ids=["null", "number", "list"])
def test_predictions_with_ids_that_are_no_text_have_no_pairs(
    pull: Path, pr_report: Command, values: list[Any]
) -> None:
    rows = pq.read_table(PREDICTIONS)
    pq.write_table(rows.set_column(0, "id", pa.array(values * len(rows))), PREDICTIONS)
    pull_request.lock(pull)
    code, out, err = pr_report("HEAD")
    assert (code, err) == (0, "")
    assert "row by row, because this machine has no predictions of the head that" in out


def test_a_baseline_is_not_called_better(
    pull: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pr_report: Command
) -> None:
    monkeypatch.chdir(shutil.copytree(pull, tmp_path / "project"))
    assert "`majority` changed" in pr_report("HEAD")[1]
    put("params.yaml", ("train", "majority"), {"kind": "majority", "features": "words"})
    assert "`majority` changed" in pr_report("HEAD")[1]  # it was another model at the base
    pull_request.commit(tmp_path / "project", "params.yaml")
    out = pr_report("HEAD")[1]
    assert f"**{IGNORES} On the test rows `majority` (baseline) changed; the gate passed.**" in out
    assert "McNemar" not in out
    assert "95%" not in out


def test_without_predictions_the_base_is_run_or_the_comment_says_why_it_could_not_be(
    pull: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pr_report: Command
) -> None:
    monkeypatch.chdir(shutil.copytree(pull, tmp_path / "project"))
    shutil.rmtree(".dvc/cache")
    base = git("rev-parse", "HEAD").strip()
    asked = []

    def run_base(commit: str) -> None:
        asked.append(commit)
        if len(asked) == 1:
            raise UserError("check: made with 1.0; run textclf upgrade")
        shutil.copytree(pull / ".dvc/cache", ".dvc/cache")

    monkeypatch.setattr(command, "run_base", run_base)
    code, out, err = pr_report("HEAD", "--run-base")
    reason = "check: made with 1.0; run textclf upgrade"
    assert (code, err) == (0, f"warning: pr-report: the run of {base[:8]} failed: {reason}\n")
    why = f" that this version reads (its run failed: `{reason}`): `majority` on the `test` rows"
    assert why in out
    out = pr_report("HEAD", "--run-base").out
    assert (" right only at the head" in out, reason in out, asked) == (True, False, [base] * 2)


# What is asked for, and what the gate can not check


NO_COMMIT = "a revision must be a commit that Git has here"


@pytest.mark.usefixtures("pull")
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nosuch"], f"{NO_COMMIT}; got nosuch; git fetch may bring it"),
        (["--", "--version"], f"{NO_COMMIT}; got --version; git fetch may bring it"),
        (["HEAD", "--head", ""], f"{NO_COMMIT}; got ; git fetch may bring it"),
        (["HEAD", "--output", "params.yaml/comment.md"], "params.yaml: File exists"),
    ],
)
def test_a_wrong_argument_is_one_line(pr_report: Command, words: list[str], error: str) -> None:
    assert pr_report(*words) == (2, "", f"error: pr-report: {error}\n")


def test_a_folder_without_git_and_a_commit_without_dvc_yaml_are_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, pr_report: Command
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    line = "error: pr-report: the current folder must be in a Git repository; got none\n"
    assert pr_report("HEAD") == (2, "", line)
    git("init", "--quiet", folder=here)
    pull_request.commit(here)
    code, out, err = pr_report("HEAD")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(
        "error: pr-report: dvc.yaml must name an output called evaluation.json; got none in "
    )


def test_against_a_base_without_results_all_are_new_and_the_gate_is_checked(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pr_report: Command
) -> None:
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "new"))
    git("rm", "-r", "--quiet", "--cached", "metrics")
    git("commit", "--quiet", "--message", "a project that has not run")
    code, out, err = pr_report("HEAD")
    assert (code, err) == (0, "")
    assert "`majority` is new" in out
    assert "the gate passed" in out
    put("params.yaml", ("gate", "minimum"), {"majority": {"test": {"accuracy": 0.99}}})
    assert pr_report("HEAD")[0] == 1


@pytest.mark.usefixtures("pull")
def test_a_gate_on_an_unknown_metric_is_an_error_and_the_comment_says_so(
    pr_report: Command,
) -> None:
    put("params.yaml", ("gate", "minimum"), {"nb_svm": {"test": {"accuracy": 0.7}}})
    code, out, err = pr_report("HEAD")
    reason = "params.yaml: gate.minimum must name a metric of the run; got nb_svm.test.accuracy"
    assert (code, err) == (2, f"error: pr-report: {reason}\n")
    assert out.startswith(f"{MARKER}\n")
    assert "; the gate could not be checked; the rules of the gate changed.**" in out
    assert f"- the gate could not be checked: `{reason}`" in out.splitlines()


@pytest.mark.usefixtures("pull")
def test_a_different_task_has_no_verdict(pr_report: Command) -> None:
    put("params.yaml", ("data", "missing"), "drop")
    code, out, err = pr_report("HEAD")
    assert (code, err) == (0, "")
    said = (
        f"**{IGNORES} The task differs from the base, so no numbers are compared; "
        "the gate passed.**"
    )
    assert out.splitlines()[3] == said
    row = next(line for line in out.splitlines() if line.startswith("| `majority` | `accuracy` | "))
    assert row.endswith("|  | different task |")
    assert "`maximum_drop` 0.9 of `majority.test.accuracy` (nothing to compare with)" in out
    assert "95% intervals" not in out


@pytest.mark.usefixtures("pull")
@pytest.mark.parametrize("same", [False, True])
def test_other_costs_are_not_compared(
    monkeypatch: pytest.MonkeyPatch, pr_report: Command, same: bool
) -> None:
    metrics, params = Revision.metrics, Revision.params.func  # type: ignore[attr-defined]

    def with_cost(side: Revision, name: str) -> dict[str, Any]:
        content: dict[str, Any] = metrics(side, name)
        made = {
            revisions.EVALUATION: 0.3 + 0.1 * side.tree,
            revisions.INTERVALS: {"low": 0.1, "high": 0.5},
        }
        if name in made:
            content["majority"]["test"]["cost"] = made[name]
        return content

    def with_costs(side: Revision) -> dict[str, Any]:
        content: dict[str, Any] = params(side)
        content["evaluate"]["costs"] = {"0": {"1": 5 if same else 5 + side.tree}}
        return content

    monkeypatch.setattr(Revision, "metrics", with_cost)
    monkeypatch.setattr(Revision, "params", property(with_costs))
    _, out, _ = pr_report("HEAD")
    cost = "| `majority` | `cost` ↓ | 0.300 | 0.400 |"
    row = next(line for line in out.splitlines() if line.startswith(cost))
    assert row.endswith("different task |") != same
    assert ("- `evaluate.costs` differs from the base's, so mean costs are not" in out) != same


@pytest.mark.usefixtures("pull")
@pytest.mark.parametrize(
    ("stratify", "given", "stratified"),
    [
        (True, {}, True),
        (True, {"train": 9}, True),
        (True, {"test": 9, "train": 9}, False),
        (False, {}, False),
    ],
)
def test_given_test_rows_are_not_stratified(
    monkeypatch: pytest.MonkeyPatch,
    pr_report: Command,
    stratify: bool,
    given: dict[str, int],
    stratified: bool,
) -> None:
    put("params.yaml", ("split", "stratify"), stratify)
    put("metrics/splits.json", ("given",), given)
    paired: list[bool] = []

    def pair_predictions(*words: Any) -> Pairing:
        paired.append(words[4])
        return Pairing()

    monkeypatch.setattr(command, "pair_predictions", pair_predictions)
    assert pr_report("HEAD")[0] == 0
    assert paired == [stratified]
