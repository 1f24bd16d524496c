"""The command `textclf`: what a person does with a project that has run.

textclf predict "The food was great."
textclf pr-report main
"""

import argparse
import functools
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from textclf import __version__
from textclf.core import stage
from textclf.core.errors import UserError

RAW = argparse.RawDescriptionHelpFormatter  # examples keep their lines
TABULAR = ("text", "id", "files", "delimiter", "quoting")  # options that plain lines have no use for
PREDICT = """
Say which class texts belong to: those given, or, with none, each line of standard input, or the rows of a table.
Prints a row a text, in order: id, text, label, and a probability for each class.

  textclf predict "The food was great." "Never again."
  textclf predict --model logistic_regression --explain <reviews.txt
  textclf predict --path tickets.csv --text message --id ticket --output labels.parquet
"""

PR_REPORT = """
Compare the metrics, params and figures with those of the revision that this one left, as the comment of a pull
request in Markdown. Exit code 1 if the gate of params.yaml lets the change not pass; the reasons are on stderr.

  textclf pr-report origin/main --output comment.md
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 when it is done, 1 if a gate failed, 2 after a mistake that the user can mend."""
    parser = argparse.ArgumentParser(prog="textclf", description="Use and compare what the pipeline has trained.")
    parser.add_argument("--version", action="version", version=f"textclf {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    command = functools.partial(commands.add_parser, formatter_class=RAW, allow_abbrev=False)
    _add_predict(command("predict", description=PREDICT, help="say which class texts belong to"))
    _add_pr_report(command("pr-report", description=PR_REPORT, help="say what a change does to the numbers"))
    given = parser.parse_args(arguments)
    for number in (signal.SIGHUP, signal.SIGTERM):  # what is begun is removed, as after SIGINT
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda got, _: sys.exit(128 + got))
    sys.exit(stage.exit_code(given.name, functools.partial(given.work, given)))


def _add_predict(parser: argparse.ArgumentParser) -> None:
    """What `textclf predict` takes; the settings of a table are named as in section data of params.yaml."""
    parser.set_defaults(name="predict", work=predict)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text")
    model = parser.add_argument_group("which model")
    model.add_argument("--model", help="its name or its folder (default: export.model of params.yaml)")
    model.add_argument("--models", type=Path, default=Path("models"), help="the folder of all (default: models)")
    table = parser.add_argument_group("texts in a table, or standard input in its format")
    table.add_argument("--path", type=Path, help="a file, or a folder of files")
    table.add_argument("--files", metavar="GLOB", help="which files of a folder (default: all)")
    table.add_argument(
        "--format", choices=["lines", "csv", "jsonl", "parquet", "tsv", "txt"], help="(default: by ending)"
    )
    table.add_argument("--text", metavar="COLUMN", help="column of the texts (default: text)")
    table.add_argument("--id", metavar="COLUMN", help="column of ids (default: file and line)")
    table.add_argument("--encoding", default="utf-8", help="(default: utf-8)")
    table.add_argument("--delimiter", help="of csv and tsv (default: a comma, a tab)")
    table.add_argument("--quoting", choices=["true", "false"], help='whether "..." may hold delimiters')
    output = parser.add_argument_group("what is printed")
    output.add_argument("--output", type=Path, metavar="FILE", help="a file that takes its place when it is whole")
    output.add_argument("--to", choices=["jsonl", "csv", "parquet"], help="(default: by the file's ending, jsonl)")
    output.add_argument("--no-text", action="store_true", help="leave the texts out")
    output.add_argument("--explain", action="store_true", help="add the terms that decided, and how much each did")
    output.add_argument("--terms", type=int, default=10, metavar="N", help="of an explanation at most (default: 10)")


def _add_pr_report(parser: argparse.ArgumentParser) -> None:
    """What `textclf pr-report` takes."""
    parser.set_defaults(name="pr-report", work=pr_report)
    parser.add_argument("base", metavar="BASE", help="revision to compare with, where this one left it")
    parser.add_argument("--head", metavar="REVISION", help="revision to compare (default: the working tree)")
    parser.add_argument("--output", metavar="FILE", type=Path, help="where to write the Markdown (default: stdout)")
    parser.add_argument("--images", metavar="DIR", type=Path, help="where to write the figures that changed")
    parser.add_argument("--report-url", metavar="URL", default="", help="address of the run's report, to link to")
    parser.add_argument(
        "--image-url", metavar="TEMPLATE", default="", help="address of a committed figure, with {revision} and {path}"
    )


def pr_report(given: argparse.Namespace) -> int:
    """Write the comment that the arguments ask for."""
    from textclf.review import comment as pull_request

    return pull_request.run(given)


def predict(given: argparse.Namespace) -> None:
    """Write the predictions of the texts that the arguments name."""
    from textclf.predict import batches
    from textclf.predict import predictor as prediction

    kind = _output_format(given)
    if given.terms < 1:
        raise UserError(f"--terms must be at least 1; got {given.terms}")
    rows = _rows(given)
    predictor = prediction.load(prediction.model_folder(given.models, given.model))
    shape = batches.Shape(predictor.classes_, not given.no_text, given.explain)
    predicted = batches.predict(rows, predictor, given.terms if given.explain else None)
    if given.output is None:
        if sys.stdout is None:
            raise UserError("standard output must be open; or set --output")
        batches.write(predicted, sys.stdout.buffer, kind, shape)
    else:
        with batches.target(given.output) as stream:
            batches.write(predicted, stream, kind, shape)


def _rows(given: argparse.Namespace) -> Iterator[tuple[list[str], list[str]]]:
    """Ids and texts in batches; what is wrong with the arguments is said before the first is read."""
    from textclf import params
    from textclf.predict import batches
    from textclf.tables.readers import Layout

    if given.texts and (given.path or given.format):
        raise UserError("texts must be given, or be in a table (--path, --format), not both")
    if given.texts or (given.path is None and given.format in {None, "lines"}):
        for name in TABULAR:
            if getattr(given, name) is not None:
                raise UserError(f"--{name} must be of a table, which --path or --format names; got neither")
    if given.texts:
        return batches.of_arguments(given.texts)
    for name in params.OPTIONS:
        if (value := getattr(given, name)) is not None:
            params.check_option(name, value)
    quoting = None if given.quoting is None else given.quoting == "true"
    columns = {"text": "text" if given.text is None else given.text}
    if given.id is not None:
        columns["id"] = given.id
    layout = Layout(
        columns, given.files or "**/*", given.format or "auto", given.encoding, given.delimiter, quoting, "--"
    )
    if given.path is not None:
        return batches.of_table(given.path, layout)
    if sys.stdin is None:
        raise UserError("texts must be given, or standard input be open")
    if sys.stdin.isatty():
        stage.complain("a text a line, until Ctrl-D:")
    if given.format in {None, "lines"}:
        return batches.of_lines(sys.stdin.buffer, given.encoding, _warn)
    return batches.of_stream(sys.stdin.buffer, given.format, layout)


def _output_format(given: argparse.Namespace) -> str:
    """The format to write: as given, or by the ending of the file."""
    endings = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
    ending = "" if given.output is None else given.output.suffix.lower()
    kind: str = given.to or endings.get(ending, "jsonl")
    device = given.output is None or (given.output.exists() and not given.output.is_file())
    if given.to is None and not device and ending not in endings:
        raise UserError(f"--output must end in {', '.join(endings)}; got {given.output}; or set --to")
    if kind == "parquet" and given.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UserError("--to must be jsonl or csv on a terminal; got parquet; set --output")
    return kind


def _warn(line: str) -> None:
    stage.complain(f"warning: predict: {line}")


if __name__ == "__main__":
    main()
