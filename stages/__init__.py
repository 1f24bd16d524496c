"""The stages of the pipeline, each a script: `python -m stages.split`."""

import sys

from textclf.core.failures import report_uncaught

MODULE = "".join(sys.orig_argv[2:3]) if sys.orig_argv[1:2] == ["-m"] else ""  # that Python was started with

if MODULE.startswith("stages."):  # before the imports of this stage, so that they are covered
    report_uncaught(MODULE.removeprefix("stages."))
