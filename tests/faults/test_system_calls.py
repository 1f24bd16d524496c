"""Stages whose system calls fail, or that are killed at one.

Outputs are new or old, and the next run makes it good.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults import campaign, tracing
from tests.faults.campaign import tries
from tests.faults.tracing import CALLS, COMMIT, ERRORS, STAGES, Call, Stage, State, needs_tracer

pytestmark = pytest.mark.posix


class Traced(NamedTuple):
    """A stage, leftovers of an earlier run, the outputs that it makes, and its system calls."""

    stage: Stage
    old: State
    new: State
    calls: list[Call]


@pytest.fixture(scope="module", params=STAGES)
def traced(
    request: pytest.FixtureRequest, finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Traced:
    """A stage that ran in a copy of the finished project."""
    place = tmp_path_factory.mktemp("traced")
    stage, old, new = tracing.run_again(
        Path(shutil.copytree(finished, place / "project")), request.param
    )
    return Traced(stage, old, new, stage.calls(CALLS, place / "log"))


@needs_tracer
def test_a_stage_whose_system_call_fails_is_right_or_says_what_failed(
    traced: Traced, tmp_path: Path
) -> None:
    stage, old, new, calls = traced
    generator = campaign.generator(stage.name)
    assert len({call.name for call in calls}) > 6
    wrong, hits = [], 0
    for call in tracing.choose(generator, calls, tries(2)):
        tracing.put(stage, old)
        error = generator.choice(ERRORS)
        done = stage.inject(call, f"error={error}", tmp_path / "log")
        hits += done.ours
        outputs = tracing.state(stage)
        lines = [line for line in done.errors.splitlines() if not line.startswith("warning: ")]
        told = bool(lines) and all(line.startswith(f"error: {stage.name}: ") for line in lines)
        elsewhere = (
            done.hit and not done.ours
        )  # in another thread that has made as many calls, such as an import
        right = (
            outputs == new
            if done.status == 0
            else outputs in (old, new) and (elsewhere or (done.status == 2 and told))
        )
        if not right:
            changed = [output for output in outputs if outputs[output] != old[output]]
            wrong.append(
                f"{call} {error}: exit code {done.status}, changed {changed}\n{done.errors}"
            )
    tracing.put(stage, old)
    assert stage.run().status == 0
    print(f"{hits} faults")
    assert wrong == []
    assert hits > 0
    assert (tracing.state(stage), tracing.leftovers(stage.folder)) == (new, [])


@needs_tracer
def test_a_stage_that_is_killed_while_it_renames_is_made_good_by_the_next_run(
    traced: Traced, tmp_path: Path
) -> None:
    stage, old, new, calls = traced
    generator = campaign.generator(stage.name)
    wrong, kills = [], 0
    for call in tracing.choose(
        generator, [call for call in calls if call.name in COMMIT], tries(1)
    ):
        tracing.put(stage, old)
        killed = stage.inject(call, "signal=KILL", tmp_path / "log")
        kills += killed.status < 0
        half = tracing.state(stage)
        parts = [output for output in half if half[output] not in (old[output], new[output], None)]
        again = stage.run()
        left = tracing.leftovers(stage.folder)
        if again != (0, "", False, False) or tracing.state(stage) != new or left or parts:
            wrong.append(f"{call}: partly written {parts}, {again}, left {left}")
    print(f"{kills} kills")
    assert wrong == []
