import platform
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
import pytest

from tests.processes import python
from tests.refusal import refusal
from textclf.core import resources

resource = pytest.importorskip("resource")  # not on Windows

GB = 10**9


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose disk was queried; each has 0.3 GB free."""
    asked: list[Path] = []

    def usage(folder: Path) -> Disk:
        asked.append(folder)
        return Disk(10 * GB, 10 * GB - 300_000_000, 300_000_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return asked


def machine(root: Path, files: dict[str, str]) -> Path:
    """Return a folder that looks like the root of a Linux system with these files of the kernel."""
    for name, content in files.items():
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


MEMINFO = {
    "proc/meminfo": "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:    4000000 kB\n"
}


@pytest.mark.usefixtures("disk")
def test_a_disk_that_is_too_small_is_refused() -> None:
    rows = "the split of 10,000,000 rows"
    assert refusal(resources.require_disk, Path("data/splits"), 1_200_000_000, rows) == (
        "the split of 10,000,000 rows needs about 1.2 GB of disk; data/splits has 0.3 GB free; "
        "free some, or put the project on a larger disk"
    )


@pytest.mark.parametrize("relative", [False, True])
def test_the_disk_of_a_missing_folder_is_that_of_its_parent(
    here: Path, disk: list[Path], relative: bool
) -> None:
    resources.require_disk(
        Path("data" if relative else here / "data" / "splits"), 300_000_000, "split"
    )
    assert disk == [here]


def test_too_little_memory_is_refused_if_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Namespace(available=5))
    assert resources.available_memory(tmp_path) == 5  # without the files of the kernel
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert resources.available_memory(tmp_path) is None
    for known, needed in ((None, 10**18), (300_000_000, 300_000_000)):
        monkeypatch.setattr(resources, "available_memory", lambda known=known: known)
        resources.require_memory(needed, "vectorize")
    assert refusal(resources.require_memory, 1_200_000_000, "vectorize") == (
        "vectorize needs about 1.2 GB of memory; 0.3 GB is available; end other programs, "
        "or use a machine with more"
    )


def of_version_2(group: str, folder: str) -> dict[str, str]:
    return {
        "proc/self/cgroup": f"0::{group}\n",
        "sys/fs/cgroup/jobs/memory.max": "max\n",
        "sys/fs/cgroup/jobs/memory.current": "5\n",
        f"sys/fs/cgroup{folder}/memory.max": "2000000000\n",
        f"sys/fs/cgroup{folder}/memory.current": "1500000000\n",
        f"sys/fs/cgroup{folder}/memory.stat": (
            "anon 800000000\ninactive_file 700000000\nactive_file 1\n"
        ),
    }


VERSION_1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/jobs\n1:name=systemd:/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "0\n",
    "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": "2000000000\n",
    "sys/fs/cgroup/memory/jobs/memory.usage_in_bytes": "1500000000\n",
    "sys/fs/cgroup/memory/jobs/memory.stat": "inactive_file 1\ntotal_inactive_file 100000000\n",
}
FULL = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": "10\n",
    "sys/fs/cgroup/memory.current": "11\n",
}


@pytest.mark.parametrize(
    ("files", "left"),
    [
        pytest.param({}, 4_000_000 * 1024, id="none"),
        pytest.param(of_version_2("/", ""), 1_200_000_000, id="version 2"),
        pytest.param(of_version_2("/jobs/one", "/jobs/one"), 1_200_000_000, id="a group"),
        pytest.param(
            of_version_2("/jobs/one/part", "/jobs/one"), 1_200_000_000, id="below a group"
        ),
        pytest.param(VERSION_1, 600_000_000, id="version 1"),
        pytest.param(FULL, 0, id="above its limit"),
        pytest.param(
            {"proc/self/cgroup": "4:memory:/elsewhere\n0::/elsewhere\n"},
            4_000_000 * 1024,
            id="not mounted",
        ),
    ],
)
def test_memory_is_what_linux_reports_or_a_cgroup_allows(
    tmp_path: Path, files: dict[str, str], left: int
) -> None:
    assert resources.available_memory(machine(tmp_path, MEMINFO | files)) == left


def limit(monkeypatch: pytest.MonkeyPatch, kind: int, size: int) -> None:
    monkeypatch.setattr(
        resource,
        "getrlimit",
        lambda asked: (size, -1) if asked == kind else (resource.RLIM_INFINITY, -1),
    )


@pytest.mark.parametrize(
    ("kind", "left"), [(resource.RLIMIT_AS, 2_000_000_000), (resource.RLIMIT_DATA, 2_400_000_000)]
)
def test_a_limit_of_the_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int, left: int
) -> None:
    status = {"proc/self/status": "Name:\tpython\nVmSize:\t  500000 kB\nVmData:\t  109375 kB\n"}
    limit(monkeypatch, kind, 2_512_000_000)
    assert resources.available_memory(machine(tmp_path, MEMINFO | status)) == left


def test_a_limit_of_address_space_below_what_libraries_reserve_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resources.require_address_space(2**40, "TensorFlow")
    limit(monkeypatch, resource.RLIMIT_AS, 1_000_000_000)
    resources.require_address_space(1_000_000_000, "TensorFlow")
    assert refusal(resources.require_address_space, 2 * resources.GIB, "TensorFlow") == (
        "the limit of address space (ulimit -v) must be at least 2.1 GB for TensorFlow; "
        "got 1.0 GB; ulimit -v 2097152 is enough"
    )


def test_what_a_stage_needs_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    for shards, named in ((10, "10 shards"), (1, "1 shard")):
        resources.announce(1_000_000, shards, 400_000_000, 200_000_000)
        line = f"1,000,000 rows in {named}: about 0.4 GB of memory, 0.2 GB of disk\n"
        assert capsys.readouterr() == (line, "")


def test_bytes_are_formatted_in_a_fitting_unit() -> None:
    sizes = [0, 99_999_999, 100_000_000, 9_949_999_999, 9_950_000_000, 3 * 10**15]
    shown = ["0.0 MB", "100 MB", "0.1 GB", "9.9 GB", "10 GB", "3000 TB"]
    assert [resources.format_size(size) for size in sizes] == shown


FAULTS = """
import resource; import numpy as np; from textclf.core.resources import keep_freed_memory
keep_freed_memory()
for _ in range(20):
    [np.ones(2**18) for _ in range(36)]  # 72 MiB, which a C library returns by default
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_memory_that_arrays_free_is_used_by_the_next() -> None:
    pages = 72 * 2**20 // resource.getpagesize()
    assert int(python("-c", FAULTS).out) < 4 * pages
