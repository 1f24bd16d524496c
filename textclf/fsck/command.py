"""The command `textclf fsck`: the files of a project against the checksums in dvc.lock.

Exit code 0: each output, each input that no stage writes, and each object of DVC's cache that dvc.lock names, has its
checksum. 1: some are damaged, changed or missing, or a stage ran with other settings than dvc.lock says; a line for
each says so and how to mend it. DVC itself hashes a file again only when its time or size changes, so it calls a file
with a flipped bit up to date. Here every byte is read, and DVC's record of checksums is not used.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.provenance import LOCK, read_records, unrecorded
from textclf.core.quoting import first_line
from textclf.fsck.check import Check

DAMAGED = 1
PROVENANCE = Path("data/provenance")


def run() -> int:
    """Print a line for each damaged or missing file and one with the counts; return the exit code."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    count = 0
    try:
        with Repo() as repo:
            check = Check(repo)
            for line in chain(check.problems(), _other_settings(repo)):
                print(line, flush=True)
                count += 1
    except DvcException as error:
        raise UserError(f"the current folder must be in a project of DVC; {first_line(error)}") from error
    seen = f"{count_noun(check.files, 'file')} and {count_noun(len(check.objects), 'object')} of DVC's cache"
    print(f"{count_noun(count, 'problem')} in {seen}" if count else f"{seen} are as dvc.lock has them")
    return DAMAGED if count else 0


def _other_settings(repo: Any) -> Iterator[str]:
    """Yield a line for each stage of a `dvc.repo.Repo` whose record contradicts dvc.lock."""
    root, stages = Path(repo.root_dir), [stage.addressing for stage in repo.index.stages]
    with suppress(UserError):  # of a damaged record, which is a problem already
        yield from unrecorded(read_records(root / PROVENANCE, stages), root / LOCK)
