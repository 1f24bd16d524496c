"""The stages of the pipeline, each a script: `python -m stages.split`, or `textclf.stages` in an installation."""

import gc
import sys
from pathlib import Path

from textclf.core import resources, surroundings
from textclf.core.code import read_code, require_own_version
from textclf.core.failures import report_uncaught

ADDRESS_SPACE = (
    2 * resources.GIB
)  # bytes that a stage's libraries reserve; measured: 1.9 GB, most of it not used
WORDS = [word for word in sys.orig_argv[1:] if word != "-P"]
MODULE = "".join(WORDS[1:2]) if WORDS[:1] == ["-m"] else ""  # that Python was started with

if MODULE.startswith(f"{__name__}."):  # before the imports of this stage, which may fail
    gc.disable()  # what they make stays; `textclf.core.stage.main` enables it
    name = MODULE.rpartition(".")[2]
    report_uncaught(name)
    read_code()  # as it is before it is imported
    surroundings.open_streams()
    resources.require_address_space(ADDRESS_SPACE, name)
    resources.keep_freed_memory()
    surroundings.ignore_settings()
    if __name__ == "stages":
        surroundings.require_own_code(Path(__file__).parent)
    surroundings.require_cpu()
    require_own_version()
