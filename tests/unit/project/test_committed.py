"""Whether CI takes the committed results for those of its run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pull_request
from tests.processes import git
from textclf.models.keras import Settings
from textclf.project import committed

PARAMS = """
vectorize: {words: {}, sentences: {method: encoder}}
train: {a: {kind: majority, features: words}, b: {kind: logistic_regression, features: sentences}}
"""
METRICS = '{"b": 0.5}\n'
NAMES = ("table", "seed", "words", "sentences", "of_a", "of_b", "metrics")
STAGES: dict[str, tuple[list[str], list[str]]] = {  # what each reads and writes
    "vectorize@words": (["table"], ["words"]),
    "vectorize@sentences": (["table"], ["sentences"]),
    "train@a": (["words"], ["of_a"]),
    "train@b": (["sentences"], ["of_b"]),
    "evaluate": (["of_a", "of_b"], ["metrics"]),
}
PLACES = {"metrics": "metrics/evaluation.json", "table": "rows.csv"}


def lock(**changed: str) -> str:
    """Return a dvc.lock; `changed` has other checksums of files, and another setting."""
    sums = {name: number * 32 for name, number in {**dict.fromkeys(NAMES, "1"), **changed}.items()}
    lines = ["schema: '2.0'", "stages:"]
    for stage, sides in STAGES.items():
        lines += [f"  {stage}:", "    cmd: x", f"    params: {{params.yaml: {{seed: {sums['seed']}}}}}"]
        for kind, files in zip(("deps", "outs"), sides, strict=True):
            lines += [
                f"    {kind}:",
                *(f"    - {{path: {PLACES.get(name, name)}, md5: '{sums[name]}'}}" for name in files),
            ]
    return "\n".join([*lines, ""])


Check = Callable[..., int]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Checks a run whose dvc.lock and other files differ from those that were committed."""
    monkeypatch.chdir(tmp_path)
    Path("metrics").mkdir()

    def run(other: str = "", **changed: str) -> int:
        for name, text in {"params.yaml": PARAMS, "dvc.lock": lock(), PLACES["metrics"]: METRICS, "other": ""}.items():
            Path(name).write_text(text)
        git("init", "--quiet")
        pull_request.commit(Path())
        Path("dvc.lock").write_text(lock(**changed))
        Path("other").write_text(other)
        Path(PLACES["metrics"]).write_text('{"b": 0.51}\n' if "metrics" in changed else METRICS)
        return committed.main()

    return run


ANOTHER_MACHINE = {"sentences": "2", "of_b": "2", "metrics": "2"}


def test_a_run_with_the_same_bytes_passes(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert (check(), capsys.readouterr().out) == (0, "")


def test_what_follows_from_another_type_of_machine_is_told_and_passes(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(**ANOTHER_MACHINE) == 0
    out = capsys.readouterr().out
    assert "\n metrics/evaluation.json | " in out
    assert "vectorize@sentences gave other bytes than in the commit, as on another type of machine; the dif" in out


@pytest.mark.parametrize(
    "changed",
    [
        {"words": "2", "of_a": "2"},
        {"metrics": "2"},
        {"table": "2"},
        {"table": "2", **ANOTHER_MACHINE},
        {"seed": "2", **ANOTHER_MACHINE},
        {"of_a": "2", **ANOTHER_MACHINE},
        {"other": "an edited file", **ANOTHER_MACHINE},
    ],
)
def test_any_other_difference_fails_and_is_shown(
    check: Check, capsys: pytest.CaptureFixture[str], changed: dict[str, str]
) -> None:
    assert check(**changed) == 1
    assert "\n+" in capsys.readouterr().out


def test_only_networks_with_wide_layers_depend_on_the_type_of_the_machine() -> None:
    assert Settings().exact
    assert Settings(units=()).exact
    assert not Settings(units=(10, 64)).exact
