"""The stages of the pipeline as scripts: `python -m stages.split`, installed `textclf.stages`."""

import gc
import sys
from pathlib import Path

from textclf.core import resources, surroundings
from textclf.core.code import read_code, require_own_version
from textclf.core.failures import report_uncaught

# Bytes that a stage's libraries reserve; measured: 1.9 GB, most of it not used.
ADDRESS_SPACE = 2 * resources.GIB
WORDS = [word for word in sys.orig_argv[1:] if word != "-P"]
# The module that Python was started with.
MODULE = "".join(WORDS[1:2]) if WORDS[:1] == ["-m"] else ""

# Before the imports of this stage, which may fail.
if MODULE.startswith(f"{__name__}."):
    # What the imports make stays; `textclf.core.stage.main` enables collection again.
    gc.disable()
    name = MODULE.rpartition(".")[2]
    report_uncaught(name)
    # The code as it is before it is imported.
    read_code()
    surroundings.open_streams()
    resources.require_address_space(ADDRESS_SPACE, name)
    resources.keep_freed_memory()
    surroundings.ignore_settings()
    if __name__ == "stages":
        surroundings.require_own_code(Path(__file__).parent)
    surroundings.require_cpu()
    require_own_version()
