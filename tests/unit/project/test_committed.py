"""Whether CI takes the committed results for those of its run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import pull_request
from tests.processes import git
from textclf.params import load
from textclf.project import committed

PARAMS = """
vectorize: {words: {}, sentences: {method: encoder}}
train: {a: {kind: majority, features: words}, b: {kind: logistic_regression, features: sentences}}
average: {c: {first: a, second: b}}
"""
DVC = """
stages:
  evaluate:
    cmd: x
    outs: [metrics/evaluation.json: {cache: false}, metrics/intervals.json: {cache: false}]
"""
ACCURACY = {"a": 0.5, "b": 0.8, "c": 0.7}
INTERVALS = json.dumps(
    {model: {"test": {"accuracy": {"low": 0.69, "high": 0.87}}} for model in ACCURACY}
)
NAMES = ("table", "seed", "words", "sentences", "of_a", "of_b", "of_c", "metrics")
# What each stage reads and writes.
STAGES: dict[str, tuple[list[str], list[str]]] = {
    "vectorize@words": (["table"], ["words"]),
    "vectorize@sentences": (["table"], ["sentences"]),
    "train@a": (["words"], ["of_a"]),
    "average@c": (["of_a", "of_b"], ["of_c"]),
    "train@b": (["sentences"], ["of_b"]),
    "evaluate": (["of_a", "of_b", "of_c"], ["metrics"]),
}
PLACES = {"metrics": "metrics/evaluation.json", "table": "rows.csv"}


def lock(**changed: str) -> str:
    """Return a dvc.lock; `changed` has other checksums of files, and another setting."""
    sums = {name: number * 32 for name, number in {**dict.fromkeys(NAMES, "1"), **changed}.items()}
    lines = ["schema: '2.0'", "stages:"]
    for stage, sides in STAGES.items():
        lines += [
            f"  {stage}:",
            "    cmd: x",
            f"    params: {{params.yaml: {{seed: {sums['seed']}}}}}",
        ]
        for kind, files in zip(("deps", "outs"), sides, strict=True):
            lines += [
                f"    {kind}:",
                *(
                    f"    - {{path: {PLACES.get(name, name)}, md5: '{sums[name]}'}}"
                    for name in files
                ),
            ]
    return "\n".join([*lines, ""])


Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(here: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Checks a run with other accuracies, another dvc.lock and other files than were committed."""
    (here / "metrics").mkdir()

    def write(accuracy: dict[str, float], other: str = "", **changed: str) -> None:
        evaluation = {model: {"test": {"accuracy": value}} for model, value in accuracy.items()}
        texts = {
            "params.yaml": PARAMS,
            "dvc.yaml": DVC,
            "metrics/intervals.json": INTERVALS,
            "dvc.lock": lock(**changed),
            PLACES["metrics"]: f"{json.dumps(evaluation)}\n",
            "other": other,
        }
        for name, text in texts.items():
            Path(name).write_text(text)

    def run(accuracy: dict[str, float], other: str = "", **changed: str) -> tuple[int, str]:
        write(ACCURACY)
        git("init", "--quiet")
        pull_request.commit(Path())
        write(ACCURACY | accuracy, other, **changed)
        return committed.main(), capsys.readouterr().out

    return run


# What another type of machine changes.
NETWORK = dict.fromkeys(("sentences", "of_b", "of_c", "metrics"), "2")
LINEAR = dict.fromkeys(("words", "of_a", "of_c", "metrics"), "2")


@pytest.mark.parametrize(
    ("accuracy", "changed", "stage"),
    [
        ({}, LINEAR, "vectorize@words"),
        ({"a": 0.500001}, LINEAR, "vectorize@words"),
        ({"b": 0.87, "c": 0.69}, NETWORK, "vectorize@sentences"),
    ],
)
def test_other_bytes_from_the_same_inputs_pass_if_the_results_agree(
    check: Check, accuracy: dict[str, float], changed: dict[str, str], stage: str
) -> None:
    status, out = check(accuracy, **changed)
    assert (status, " dvc.lock " in out.splitlines()[0]) == (0, True)
    said = f"\n{stage} gave other bytes than in the commit from the same inputs, as another type"
    assert said in out


@pytest.mark.parametrize(
    ("accuracy", "other", "changed", "shown"),
    [
        (
            {"a": 0.500002},
            "",
            LINEAR,
            "evaluation.json: a.test.accuracy is 0.5 in the commit; got 0.500002\n",
        ),
        (
            {"b": 0.88},
            "",
            NETWORK,
            "evaluation.json: b.test.accuracy is from 0.69 to 0.87 in the commit; got 0.88\n",
        ),
        (
            {"a": 0.4},
            "",
            NETWORK,
            "evaluation.json: a.test.accuracy is 0.5 in the commit; got 0.4\n",
        ),
        ({}, "", {"table": "2"}, ""),
        ({}, "", {"table": "2", **LINEAR}, ""),
        ({}, "", {"seed": "2", **NETWORK}, ""),
        ({}, "an edited file", NETWORK, ""),
        ({"a": 0.500001}, "", {}, ""),  # metrics that were never those of the committed dvc.lock
        ({"a": 0.500001}, "", {name: "2" for name in NETWORK if name != "metrics"}, ""),
    ],
)
def test_other_results_inputs_and_files_that_no_stage_wrote_fail_and_are_shown(
    check: Check, accuracy: dict[str, float], other: str, changed: dict[str, str], shown: str
) -> None:
    status, out = check(accuracy, other, **changed)
    assert (status, "\n+" in out) == (1, True)
    assert out.endswith(shown)


def test_a_run_with_the_same_bytes_passes_and_its_networks_are_known_by_what_they_learn_from(
    check: Check,
) -> None:
    assert check({}) == (0, "")
    assert committed.networks_of(load(), yaml.safe_load(lock())["stages"]) == {"b", "c"}
