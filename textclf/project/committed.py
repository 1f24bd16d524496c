"""Check at the end of CI that the committed results are those of its run.

The command is `python -m textclf.project.committed`. Exit code 0: the bytes are the same; or
stages, which are named, gave other bytes from the same inputs, as on another type of machine, and
the results agree as docs/environment.md promises. 1: other inputs or files differ, or the results
by more; the differences are printed.

dvc.lock does not say on which machine it was made. So a run that is not deterministic passes too if
its results agree.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

from textclf.core.arithmetic import REFERENCE
from textclf.core.differences import Difference, compare_values, value_at
from textclf.core.failures import report_uncaught
from textclf.core.git import git
from textclf.core.quoting import list_names
from textclf.evaluate.registry import pair_name
from textclf.evaluate.results import KINDS
from textclf.params import Params, load
from textclf.project.check import entries
from textclf.review.differences import checksums, compare_stages, find_causes
from textclf.review.revisions import EVALUATION, INTERVALS, Revision, commit_of

# A rounding border may lie between two numbers of six digits.
TOLERANCE = 1.5e-6
# Keys of decisions.json that depend on all models.
OF_ALL_MODELS = {"best", "choice"}


def main() -> int:
    """Print what differs from the commit; return the exit code."""
    head = Revision(commit_of("HEAD"))
    run = Revision(head.commit, tree=True)
    files = run.uncommitted()
    if not files:
        return 0
    changes = compare_stages(head.lock, run.lock)
    written = {Path("dvc.lock"), *(Path(out) for change in changes for out in change.outputs)}
    by_machine = not find_causes(changes) and all(
        written & {Path(name), *Path(name).parents} for name in files
    )
    lines = list(disagreements(head, run)) if by_machine else []
    passed = by_machine and not lines
    diff = git("diff", "--stat" if passed else "--patch", "HEAD").stdout
    print(diff.decode(errors="replace"), end="")
    for line in lines:
        print(line)
    if passed:
        first = list_names([change.name for change in changes if not change.inputs])
        print(
            f"{first} gave other bytes than in the commit from the same inputs, as another type of "
            "machine does. This is no failure, since the metrics agree: to six digits without a "
            "network, and the accuracy of a network within its interval. For the bytes of "
            f"{REFERENCE}, dvc repro there and commit dvc.lock, metrics and plots. If the commit "
            "has them, this run is not deterministic"
        )
    return int(not passed)


def disagreements(head: Revision, run: Revision) -> Iterator[str]:
    """Yield a line for each metric of a run that differs by more than docs/environment.md promises.

    Of a network, the accuracy on the test rows must be in the committed interval, and nothing else
    is compared.
    """
    settings = load()
    networks = networks_of(settings, head.lock)
    every = [*settings.models.names(), *settings.evaluate.external]
    pairs = {pair_name(*pair) for pair in permutations(every, 2) if not networks.isdisjoint(pair)}
    vague = networks | pairs | (OF_ALL_MODELS if networks else set())
    for name in (f"{kind}.json" for kind in KINDS):
        for metric in compare_values(head.metrics(name), run.metrics(name)):
            if vague.isdisjoint(metric.name.split(".")[:2]) and not _agree(metric):
                yield f"{name}: {metric.name} is {metric.base} in the commit; got {metric.head}"
    for model in sorted(networks):
        key = f"{model}.test.accuracy"
        accuracy = value_at(run.evaluation(), key)
        interval = value_at(head.metrics(INTERVALS), key)
        low, high = interval["low"], interval["high"]
        if not low <= accuracy <= high:
            yield f"{EVALUATION}: {key} is from {low} to {high} in the commit; got {accuracy}"


def networks_of(settings: Params, lock: Mapping[str, Any]) -> set[str]:
    """Return the models that are networks, or learn from the features or predictions of one."""
    stages = {
        key.replace(".", "@")
        for key, section in entries(settings)
        if getattr(section, "network", False)
    }
    outs: set[str] = set()
    for _ in lock:  # no path through the stages is longer
        stages |= {
            name for name, record in lock.items() if not outs.isdisjoint(checksums(record, "deps"))
        }
        outs |= {out for name in stages & lock.keys() for out in checksums(lock[name], "outs")}
    return {name.partition("@")[2] for name in stages if name.startswith(("train@", "average@"))}


def _agree(difference: Difference) -> bool:
    """Return whether two values are numbers that agree to six digits, up to their rounding."""
    one, other = (json.loads(side or "null") for side in (difference.base, difference.head))
    return (
        isinstance(one, int | float)
        and isinstance(other, int | float)
        and abs(one - other) < TOLERANCE
    )


if __name__ == "__main__":
    report_uncaught("committed")
    sys.exit(main())
