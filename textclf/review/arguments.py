"""The arguments of `textclf pr-report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from textclf.core.command import Argument, Command


@dataclass(frozen=True, kw_only=True)
class PullRequestReport(Command):
    """The arguments of `textclf pr-report`."""

    description = """
    Compare the metrics, params and figures with those of the revision from which this one branched
    off, as the comment of a pull request in Markdown. Exit code 1 if the gate of params.yaml fails;
    the reasons are on stderr.

      textclf pr-report origin/main --output comment.md
    """
    module = "review.command"
    base: Annotated[
        str,
        Argument("revision to compare with, where this one branched off", "BASE", positional=True),
    ]
    head: Annotated[
        str | None, Argument("revision to compare (default: the working tree)", "REVISION")
    ] = None
    run_base: Annotated[
        bool,
        Argument("run the pipeline there first, for paired intervals; it takes as long"),
    ] = False
    output: Annotated[
        Path | None, Argument("where to write the Markdown (default: stdout)", "FILE")
    ] = None
    images: Annotated[Path | None, Argument("where to write the figures that changed", "DIR")] = (
        None
    )
    report_url: Annotated[str, Argument("address of the run's report, to link to", "URL")] = ""
    image_url: Annotated[
        str,
        Argument("address of a committed figure, with {revision} and {path}", "TEMPLATE"),
    ] = ""
