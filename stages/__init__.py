"""The stages of the pipeline, each a script: `python -m stages.split`."""

import sys

from textclf.core.failures import report_uncaught

if sys.orig_argv[1:2] == ["-m"]:  # one of the stages is being run; before its imports, so that they are covered
    report_uncaught(sys.orig_argv[2].removeprefix("stages."))
