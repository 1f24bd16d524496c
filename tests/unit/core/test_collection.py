"""The garbage collector while packages are imported."""

import gc
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from textclf.core import collection

STAGE = """
import gc, sys
sys.orig_argv = ["python", "-m", "stages.check"]
import stages
assert not gc.isenabled()
from textclf.core import stage
def run() -> None:
    print(gc.isenabled(), gc.get_freeze_count() > 1000)
sys.argv = ["check"]
run.__code__ = run.__code__.replace(co_filename="check.py")
stage.main(run)
"""


def test_a_stage_collects_garbage_once_it_runs() -> None:
    done = subprocess.run([sys.executable, "-c", STAGE], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_the_collector_is_on_again_after_an_error() -> None:
    states = []

    def fail() -> None:
        with collection.paused():
            states.append(gc.isenabled())
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert [*states, gc.isenabled()] == [False, True]
    gc.unfreeze()
