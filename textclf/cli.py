"""The command `textclf`: the list of its commands, and how one is parsed, run and ended."""

import importlib
import signal
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Container, Sequence
from typing import NamedTuple

from textclf import __version__
from textclf.core import command, resources, surroundings
from textclf.core.command import Command
from textclf.core.failures import USAGE_ERROR, Parser, complain, report_uncaught
from textclf.core.quoting import quote_name

# Bytes that Python and numpy reserve, and room for a small model.
ADDRESS_SPACE = 2**28
EXIT_CODES = """
Exit codes: 0, 1 if drift, a gate that failed or a missing part that a run needs was found, \
2 after a mistake, 70 after
a defect of textclf.
"""


class Entry(NamedTuple):
    """A command in the list: its line of help, and the package whose `arguments` has its class.

    Each class is imported only when its command is named, and the code when it runs: the list
    takes no time, and no command needs the libraries of another one.
    """

    help: str
    package: str
    kind: str

    def load(self) -> type[Command]:
        """Return the class of the command."""
        module = importlib.import_module(f"textclf.{self.package}.arguments")
        kind: type[Command] = getattr(module, self.kind)
        return kind


COMMANDS = {
    "init": Entry("make a project, or set one up for a table of your own", "project", "Init"),
    "upgrade": Entry("bring the project to the installed version", "project", "Upgrade"),
    "doctor": Entry(
        "say what is missing for which feature, and how to install it", "project", "Doctor"
    ),
    "check": Entry("check params.yaml, or print settings", "project", "Check"),
    "metrics": Entry("show the outcome of the last run", "project", "Metrics"),
    "report": Entry("bring reports/report.html up to date", "project", "RunStage"),
    "predict": Entry("classify texts", "predict", "Predict"),
    "serve": Entry("serve models over HTTP", "serve", "Serve"),
    "suggest": Entry("choose texts to label next", "label", "Suggest"),
    "verify": Entry("check where a model comes from", "verify", "Verify"),
    "sign": Entry("sign the files of a model", "verify", "Sign"),
    "drift": Entry("compare new texts with the training texts", "drift", "Drift"),
    "label": Entry("label texts on a page or in the terminal", "label", "LabelTexts"),
    "search": Entry(
        "search for the best settings, as search in params.yaml says", "project", "RunStage"
    ),
    "audit": Entry(
        "look for wrong labels, list them in reports/audit.html, review them", "project", "Audit"
    ),
    "crossvalidate": Entry("train every model on many splits of all rows", "project", "RunStage"),
    "learning-curve": Entry("train every model on more and more rows", "project", "RunStage"),
    "pr-report": Entry("show what a change does to the metrics", "review", "PullRequestReport"),
    "release": Entry("tag a model that passes all checks", "verify", "Release"),
    "completion": Entry("print the completion of a shell", "project", "Completion"),
}


def main(words: Sequence[str] | None = None) -> None:
    """Run a command and exit with 0, or with 1 if it found what it looked for.

    That is drift or a gate that failed. 2 after a mistake that the user can mend, 70 after a defect
    of textclf.
    """
    if words is None:  # a process of its own
        report_uncaught("textclf")
        surroundings.open_streams()
        resources.require_address_space(ADDRESS_SPACE, "textclf")
        surroundings.ignore_settings()
    from textclf.core import stage  # imports numpy, which would end the process without that memory

    parsed = parse(sys.argv[1:] if words is None else words)
    # Exit through `finally`, so that unfinished outputs are removed. Windows has no SIGHUP.
    for number in {getattr(signal, "SIGHUP", signal.SIGTERM), signal.SIGTERM}:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
    status = stage.exit_code(parsed.name, lambda: run(parsed))
    if words is None:
        stage.leave(status)
    sys.exit(status)


def run(parsed: Command) -> int | None:
    """Run a command and return its exit code; None is 0."""
    code: int | None = importlib.import_module(f"textclf.{parsed.module}").run(parsed)
    return code


def parse(words: Sequence[str]) -> Command:
    """Return the command that the words of a command line name, with its arguments."""
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        from textclf.core.settings import suggest

        complain(f"error: textclf: {quote_name(name)} is no command; {suggest(name, COMMANDS)}")
        raise SystemExit(USAGE_ERROR)
    parsed, unknown = build_parser([name]).parse_known_args(words)
    if unknown:  # parse_args would report them for textclf
        parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    named: Command = command.from_parsed(parsed.kind, parsed)
    return named


def build_parser(names: Container[str | None] = COMMANDS) -> Parser:
    """Return the parser of the command line, with the arguments of these commands alone.

    What it parses has the attributes `parser` and `kind` of the command.
    """
    parser = Parser(
        prog="textclf",
        description="Text classification as a reproducible DVC pipeline.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"textclf {__version__}")
    parsers = parser.add_subparsers(metavar="COMMAND", required=True, dest="name")
    for name, entry in COMMANDS.items():
        added = parsers.add_parser(
            name,
            help=entry.help,
            # This keeps the line ends of the examples.
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name in names:
            kind = entry.load()
            # Without a description, help has the line of the list and an example.
            plain = f"{entry.help.capitalize()}.\n\n  textclf {name}"
            added.description = command.describe(kind) or plain
            added.set_defaults(parser=added, kind=kind)
            command.add_arguments(added, kind)
    return parser


if __name__ == "__main__":
    main()
