"""Check at the end of CI that the committed results are those of its run: `python -m textclf.project.committed`.

Exit code 0: they are; or all that differs follows from stages whose bytes depend on the type of the machine, such as
that of a sentence encoder, which are named. 1: they are not; the differences are printed.
"""

import sys

from textclf.core.failures import report_uncaught
from textclf.core.git import git
from textclf.core.quoting import list_names
from textclf.params import load
from textclf.project.check import entries
from textclf.review.differences import compare_stages, find_causes
from textclf.review.revisions import Revision, commit_of


def main() -> int:
    """Print what differs from the commit; return the exit code."""
    head = Revision(commit_of("HEAD"))
    run = Revision(head.commit, tree=True)
    changes = compare_stages(head.lock, run.lock)
    causes, settings = find_causes(changes), {key.replace(".", "@"): section for key, section in entries(load())}
    first = [change.name for change in changes if change.name in causes or not change.inputs]  # the others follow
    by_machine = all(name not in causes and not getattr(settings.get(name), "exact", True) for name in first)
    results = all(path.startswith(("dvc.lock", "metrics/", "plots/")) for path in run.uncommitted())
    told = bool(first) and by_machine and results
    print(git("diff", "--stat" if told else "--patch", "HEAD").stdout.decode(errors="replace"), end="")
    if told:
        print(
            f"{list_names(first)} gave other bytes than in the commit, as on another type of machine; the differences "
            "follow from them, and are no failure"
        )
    return int(bool(run.uncommitted()) and not told)


if __name__ == "__main__":
    report_uncaught("committed")
    sys.exit(main())
