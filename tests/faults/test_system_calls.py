"""Stages whose system calls fail: all outputs are new or all are old, and a line says what failed."""

import random
from pathlib import Path

import pytest

from tests.faults import tracing
from tests.faults.campaign import seed, tries
from tests.faults.tracing import CALLS, ERRORS, STAGES, needs_tracer


@needs_tracer
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_whose_system_call_fails_is_right_or_says_what_failed(project: Path, tmp_path: Path, name: str) -> None:
    generator = random.Random(f"{seed()} {name}")  # noqa: S311 (no secret)
    stage, old, new = tracing.run_again(project, name)
    calls = stage.calls(CALLS, tmp_path / "log")
    assert len({call.name for call in calls}) > 6
    wrong, hits = [], 0
    for call in tracing.choose(generator, calls, tries(2)):
        tracing.put(stage, old)
        error = generator.choice(ERRORS)
        done = stage.inject(call, f"error={error}", tmp_path / "log")
        hits += done.ours
        found = tracing.state(stage)
        lines = [line for line in done.errors.splitlines() if not line.startswith("warning: ")]
        told = bool(lines) and all(line.startswith(f"error: {name}: ") for line in lines)
        elsewhere = done.hit and not done.ours  # in another thread that has made as many calls, such as an import
        right = found == new if done.status == 0 else found in (old, new) and (elsewhere or (done.status == 2 and told))
        if not right:
            changed = [output for output in found if found[output] != old[output]]
            wrong.append(f"{call} {error}: exit code {done.status}, changed {changed}\n{done.errors}")
    tracing.put(stage, old)
    assert stage.run().status == 0
    print(f"{hits} faults")
    assert wrong == []
    assert hits > 0
    assert (tracing.state(stage), tracing.leftovers(project)) == (new, [])
