"""The command `textclf`: the commands of a project, `COMMANDS`, and their arguments."""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from textclf import __version__
from textclf.core import resources, surroundings
from textclf.core.failures import USAGE_ERROR, Parser, complain, report_uncaught
from textclf.core.quoting import quote_name
from textclf.serve import Limits

STUDIES = "studies/dvc.yaml"
# Bytes that Python and numpy reserve, and room for a small model.
ADDRESS_SPACE = 2**28
PREDICT = """
Classify texts: the arguments, or each line of standard input, or the rows of a table. \
Prints one row per text, in
order: id, text, label, its confidence, and a probability for each class if there are at most ten.

  textclf predict "The food was great." "Never again."
  textclf predict --model logistic_regression --explain <reviews.txt
  textclf predict --path tickets.csv --text message --id ticket --output labels.parquet
"""

DRIFT = """
Compare texts without labels, in any format that textclf predict \
--path reads, with those that the model was trained on:
can a classifier tell them apart, and do their words, lengths, \
unknown words and predicted classes differ? Exit code 0
if no drift was found, 1 if drift was found, 2 after a mistake.

  textclf drift new.csv
  textclf drift tickets.jsonl --text message --reference last-month.jsonl --output drift.json \
--page drift.html
"""

SUGGEST = """
Choose texts of a pool, of any size, to label next: \
diverse ones without a model, with one those in doubt among them. A
tenth, at least 5, is drawn at random: these alone may measure. \
No text that is labelled or discarded is chosen again.

  textclf suggest pool.csv
  textclf suggest tickets.jsonl --text message --id ticket --rows 100
"""

SERVE = """
Serve the models over HTTP until SIGTERM: \
POST /predict, GET /health, GET / (models and limits), GET /openapi.json. Logs
one line of JSON per request to stdout. Needs fastapi and uvicorn.

  textclf serve --port 8000
  curl http://127.0.0.1:8000/predict --json '{"texts": ["The food was great."]}'
"""

RELEASE = """
Check a model, its commit, DVC's remote, the gate of params.yaml and, with --key, the signature; \
print the Git commands
that tag the commit in the format of GTO: \
a new version of the model, and its assignment to the stage, whose model
textclf predict --model prod takes.

  textclf release keras --stage prod --tag
"""

LABEL = """
Label the texts of a CSV file with the columns id and text, such as that of textclf suggest: \
by keys on a page that this
machine alone can open, or in the terminal. \
Each answer is in the file, with who and when, before the next text is
shown. An editor may fill the column label instead. A second person labels a copy; \
--merge measures how far people agree
and adds what agrees to the labelled texts.

  textclf label to_label.csv
  textclf label to_label.csv --blind --by ben --output ben.csv
  textclf label --merge to_label.csv ben.csv
"""

VERIFY = """
Check that a model is what its folder says: \
each file against provenance.json, and with --key its signature. --rederive
finds the commit that has what provenance.json names, runs the stages there in a temporary clone, \
and compares every
byte, and the metrics on the card with the predictions. Exit code 1 if a check fails.

  textclf verify models/keras
  textclf verify --rederive
"""

SIGN = """
Sign the files of an exported model with a private key, in the format of model_signing, \
whose command can check it. The
signature is a file to commit. The key stays with you: PEM, without a password.

  openssl ecparam -name prime256v1 -genkey -noout -out ~/key.pem
  openssl ec -in ~/key.pem -pubout -out key.pub
  textclf sign keras --key ~/key.pem
  textclf verify keras --key key.pub
"""

METRICS = """
Print the outcome of the last run: \
each model on the test rows, against majority and against the most accurate one; the
default model of textclf predict, and why; where the report is; \
and, if settings, code, tables or results have changed
since the run, what and which stages dvc repro would run.

  textclf metrics
"""

INIT = """
Make a project in an empty folder, or make this one your own: \
look at a table of labelled texts, choose settings that
suit it, and write them to params.yaml. \
It names the rows, classes and repeated texts that it saw, what the preset
trains, how long a run takes, and a reason for each setting. \
Columns that are not given are found: the texts are the
longest column, the labels the one of few repeated values. The test rows decide nothing. \
Then run `dvc repro`.

  textclf init --data tickets.csv
  textclf init --data tickets.csv --preset best
  textclf init --data reviews/ --files "*.jsonl" --text body --label stars --title "Shop reviews" \
--licence "CC BY 4.0"
"""

UPGRADE = """
Bring a project to the installed version of textclf: \
write dvc.yaml, the checksums of the code, requirements.txt and the
workflow anew. It prints which defaults change before it writes, \
and leaves files alone that you have edited. Nothing is
committed: `git diff` shows the changes, `git checkout .` undoes them, \
`dvc status` names the stages that will run.

  textclf upgrade --dry-run
  textclf upgrade
"""

CHECK = """
Check params.yaml before a run: each setting, what settings say together, \
packages and weights that are missing. DVC
reads params.yaml before any stage runs, and its own errors are hard to read; \
this says what to change. With names of
settings or sections, print the value, default and description of each instead.

  textclf check
  textclf check train.keras.epochs split
"""

COMPLETION = """
Print the completion script of a shell.

  eval "$(textclf completion bash)"
  textclf completion zsh >~/.zfunc/_textclf
"""

EXIT_CODES = """
Exit codes: 0, 1 if drift, a gate that failed or a missing part that a run needs was found, \
2 after a mistake, 70 after
a defect of textclf.
"""

PR_REPORT = """
Compare the metrics, params and figures with those of the revision from which this one branched \
off, as the comment of a
pull request in Markdown. Exit code 1 if the gate of params.yaml fails; the reasons are on stderr.

  textclf pr-report origin/main --output comment.md
"""


class Command(NamedTuple):
    """A command: its help, the module whose `run` runs it, and what adds its arguments, if any.

    Without a description, its help is the line of the list and an example. The module is imported
    when the command runs: another one must not need its libraries.
    """

    help: str
    description: str
    module: str
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None

    def run(self, parsed: argparse.Namespace) -> int | None:
        """Run the command and return its exit code; None is 0."""
        module = importlib.import_module(f"textclf.{self.module}")
        code: int | None = module.run(parsed) if self.add_arguments else module.run()
        return code


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with 0, or with 1 if it found what it looked for.

    That is drift or a gate that failed. 2 after a mistake that the user can mend, 70 after a defect
    of textclf.
    """
    if arguments is None:  # a process of its own
        report_uncaught("textclf")
        surroundings.open_streams()
        resources.require_address_space(ADDRESS_SPACE, "textclf")
        surroundings.ignore_settings()
    from textclf.core import stage  # imports numpy, which would end the process without that memory
    from textclf.core.settings import suggest

    parser = build_parser()
    words = sys.argv[1:] if arguments is None else arguments
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        complain(f"error: textclf: {quote_name(name)} is no command; {suggest(name, COMMANDS)}")
        raise SystemExit(USAGE_ERROR)
    parsed, unknown = parser.parse_known_args(words)
    if unknown:  # parse_args would report them for textclf
        parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    # Exit through `finally`, so that unfinished outputs are removed. Windows has no SIGHUP.
    for number in {getattr(signal, "SIGHUP", signal.SIGTERM), signal.SIGTERM}:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
    status = stage.exit_code(parsed.name, lambda: COMMANDS[parsed.name].run(parsed))
    if arguments is None:
        stage.leave(status)
    sys.exit(status)


def build_parser() -> Parser:
    """Return the parser of the command line.

    What it parses has the attribute `parser`, that of the command.
    """
    parser = Parser(
        prog="textclf",
        description="Text classification as a reproducible DVC pipeline.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"textclf {__version__}")
    parsers = parser.add_subparsers(metavar="COMMAND", required=True, dest="name")
    for name, command in COMMANDS.items():
        added = parsers.add_parser(
            name,
            help=command.help,
            description=command.description or f"{command.help.capitalize()}.\n\n  textclf {name}",
            # This keeps the line ends of the examples.
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(parser=added)
        if command.add_arguments:
            command.add_arguments(added)
    return parser


def _run(what: str, stage: str) -> Command:
    """Return a command without arguments that runs a stage."""
    return Command(what, "", "project.run", lambda parser: parser.set_defaults(stage=stage))


def _add_init(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `textclf init`; those of tables have the names of section data."""
    from textclf.tables.formats import TABLE_FORMATS

    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="of the project (default: this one)",
    )
    parser.add_argument("--data", type=Path, metavar="PATH", help="a file, or a folder of files")
    parser.add_argument("--test", type=Path, metavar="FILE", help="a file of test rows")
    parser.add_argument(
        "--preset", choices=["fast", "good", "best"], help="how much to train (default: good)"
    )
    parser.add_argument(
        "--lesson", action="store_true", help="make a project of the lesson, the default run"
    )
    parser.add_argument(
        "--ci", choices=["github", "gitlab"], help="add a workflow that runs the pipeline"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files, such as a params.yaml with changes"
    )
    columns = parser.add_argument_group("columns")
    columns.add_argument(
        "--text",
        action="append",
        metavar="COLUMN",
        help="of the texts (default: the longest); again joins another",
    )
    columns.add_argument(
        "--label",
        action="append",
        metavar="COLUMN",
        help="of the labels (default: the one of few repeated values); again, of 0 and 1 each",
    )
    columns.add_argument(
        "--unknown", metavar="LABEL", help="label of texts that belong to no class, such as oos"
    )
    columns.add_argument("--id", metavar="COLUMN", help="of unique ids (default: file and line)")
    columns.add_argument(
        "--group", metavar="COLUMN", help="whose equal values stay in one split, such as an author"
    )
    columns.add_argument(
        "--time", metavar="COLUMN", help="by which the latest rows are the test rows"
    )
    columns.add_argument(
        "--split",
        metavar="COLUMN",
        help="of train, validation and test (default: split, if it exists)",
    )
    reading = parser.add_argument_group("how the table is written")
    _add_form(reading, TABLE_FORMATS, "by the header")
    about = parser.add_argument_group("about the data, for report and model cards")
    about.add_argument("--title", help="its name")
    about.add_argument("--licence", help="its licence, such as CC BY 4.0")


def _add_upgrade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ci", choices=["github", "gitlab"], help="add a workflow that runs the pipeline"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would change, and write nothing"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that you have changed as well"
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "keys", nargs="*", metavar="KEY", help="a setting or a section, such as train.keras.epochs"
    )


def _add_completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"])


def _add_predict(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `textclf predict`; those of tables have the names of section data."""
    from textclf.predict.outputs import FORMATS as OUTPUT_FORMATS

    parser.set_defaults(group=None, encoding="utf-8")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text")
    _add_model(parser)
    table = parser.add_argument_group("texts in a table, or standard input in its format")
    table.add_argument("--path", type=Path, help="a file, or a folder of files")
    table.add_argument("--id", metavar="COLUMN", help="column of ids (default: file and line)")
    _add_table(table)
    parser.add_argument_group("doubt").add_argument(
        "--coverage",
        type=float,
        metavar="SHARE",
        help="add the set of labels that has the right one in this share of texts; "
        "no label unless it has one",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--output", type=Path, metavar="FILE", help="a file, written whole or not at all"
    )
    output.add_argument(
        "--to", choices=list(OUTPUT_FORMATS), help="(default: by the file's ending, else jsonl)"
    )
    output.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="add the N most probable classes, with their probabilities",
    )
    output.add_argument("--no-text", action="store_true", help="leave out the texts")
    output.add_argument(
        "--no-formulas",
        action="store_true",
        help="csv: put ' before what spreadsheets would compute",
    )
    output.add_argument(
        "--explain", action="store_true", help="add the terms that decided, with their weights"
    )
    output.add_argument(
        "--terms",
        type=int,
        default=10,
        metavar="N",
        help="of an explanation, at most (default: 10)",
    )


def _add_table(table: argparse._ArgumentGroup) -> None:
    from textclf.tables.formats import FORMATS

    table.add_argument(
        "--text",
        action="append",
        metavar="COLUMN",
        help="column of the texts (default: text); again joins another",
    )
    _add_form(table, FORMATS, "a comma, a tab")


def _add_form(table: argparse._ArgumentGroup, formats: Iterable[str], delimiter: str) -> None:
    """Add the arguments on how a table is written, named as in section data of params.yaml."""
    table.add_argument("--files", metavar="GLOB", help="which files of a folder (default: all)")
    table.add_argument("--format", choices=list(formats), help="(default: by the file's ending)")
    table.add_argument("--encoding", help="(default: utf-8)")
    table.add_argument("--delimiter", help=f"of csv and tsv (default: {delimiter})")
    table.add_argument(
        "--quoting", choices=["true", "false"], help='whether "..." may contain delimiters'
    )
    table.add_argument("--sheet", help="of a workbook (default: the first)")
    table.add_argument(
        "--query", metavar="SELECT", help="statement for an SQLite file (default: its only table)"
    )


def _add_drift(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(texts=[], id=None, encoding="utf-8")
    parser.add_argument(
        "new", metavar="NEW", help="a file or a folder of files with new texts, or - for stdin"
    )
    parser.add_argument(
        "--reference",
        default="train",
        help="train, validation, test, or a file that is read like NEW (default: train)",
    )
    _add_model(parser)
    test = parser.add_argument_group("test")
    test.add_argument(
        "--alpha", type=float, default=0.05, help="probability of a false alarm (default: 0.05)"
    )
    test.add_argument(
        "--permutations", type=int, default=999, metavar="N", help="of each test (default: 999)"
    )
    test.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of samples and permutations (default: 1)"
    )
    table = parser.add_argument_group("how the texts are stored")
    table.add_argument(
        "--group",
        metavar="COLUMN",
        help="texts with the same value, such as an author, are dependent",
    )
    _add_table(table)
    output = parser.add_argument_group("output")
    output.add_argument("--output", type=Path, metavar="FILE", help="the result as JSON")
    output.add_argument("--page", type=Path, metavar="FILE", help="the result as an HTML page")


def _add_suggest(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(texts=[], group=None, encoding="utf-8")
    parser.add_argument("path", type=Path, metavar="POOL", help="a file, or a folder of files")
    parser.add_argument("--rows", type=int, default=50, metavar="N", help="to choose (default: 50)")
    parser.add_argument(
        "--random", type=int, metavar="N", help="of them at random (default: a tenth, at least 5)"
    )
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE", help="made elsewhere, in place of the model's"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of what is drawn (default: 1)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default="to_label.csv",
        metavar="FILE",
        help="(default: to_label.csv)",
    )
    table = parser.add_argument_group("how the texts are stored")
    table.add_argument("--id", metavar="COLUMN", help="column of ids (default: file and line)")
    _add_table(table)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="its name or its folder (default: all models)"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default="models",
        metavar="DIR",
        help="of all models (default: models)",
    )
    parser.add_argument(
        "--version", metavar="NAME@vN", help="the release that it must be, such as keras@v0.0.1"
    )
    again = parser.add_argument_group("make it again")
    again.add_argument(
        "--rederive", action="store_true", help="run its stages at its commit, and compare"
    )
    again.add_argument(
        "--commit", metavar="REVISION", help="(default: the newest one of HEAD that fits)"
    )
    again.add_argument(
        "--python", metavar="COMMAND", help="of another Python, which runs the stages"
    )
    again.add_argument(
        "--explain", action="store_true", help="name the first output that differs from dvc.lock"
    )
    signed = parser.add_argument_group("signature")
    signed.add_argument(
        "--key", type=Path, metavar="FILE", help="public key (PEM) of who signed the model"
    )
    signed.add_argument(
        "--signature", type=Path, metavar="FILE", help="(default: signatures/MODEL.sig)"
    )


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name or its folder")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key")
    parser.add_argument(
        "--signature", type=Path, metavar="FILE", help="(default: signatures/MODEL.sig)"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default="models",
        metavar="DIR",
        help="of all models (default: models)",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model", help="its name, folder or tag (default: the one that models/index.json names)"
    )
    model.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        help="the folder of all models (default: models)",
    )


def _add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a CSV file; with --merge one per person",
    )
    parser.add_argument(
        "--labels",
        default="",
        metavar="A,B",
        help="to choose from, besides those of project and file",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="measure agreement, and add what agrees to the labelled texts",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="a copy to label instead; with --merge, a table"
    )
    add_answers(parser)


def add_answers(parser: argparse.ArgumentParser) -> None:
    """Add the arguments on how a person answers, which `textclf.label.command.answer` reads."""
    answers = parser.add_argument_group("answers")
    answers.add_argument(
        "--blind", action="store_true", help="hide which label is suggested or given"
    )
    answers.add_argument(
        "--terminal", action="store_true", help="ask in the terminal, not on a page"
    )
    answers.add_argument("--by", metavar="NAME", help="who answers (default: the login name)")
    answers.add_argument(
        "--port", type=int, default=0, metavar="N", help="of the page (default: any free one)"
    )


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(stage=f"{STUDIES}:audit")
    parser.add_argument(
        "--review", action="store_true", help="look through them; answers go to corrections.csv"
    )
    add_answers(parser)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    default = Limits()
    _add_model(parser)
    server = parser.add_argument_group("server")
    server.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: 127.0.0.1, this machine)",
    )
    server.add_argument("--port", type=int, default=8000, help="(default: 8000; 0 is any free one)")
    server.add_argument(
        "--threads", type=int, default=2, metavar="N", help="that predict (default: 2)"
    )
    limits = parser.add_argument_group("limits")
    for name, value, what in (
        ("texts", default.texts, "texts per request"),
        ("characters", default.characters, "characters per text"),
        ("bytes", default.bytes, "bytes of a request's body"),
        ("requests", default.requests, "requests at once; more get status 503"),
    ):
        limits.add_argument(
            f"--max-{name}", type=int, default=value, metavar="N", help=f"{what} (default: {value})"
        )
    limits.add_argument(
        "--timeout",
        type=float,
        default=default.seconds,
        metavar="SECONDS",
        help="for a request's body, then for its answer, then to take it "
        f"(default: {default.seconds:g})",
    )


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name or its folder")
    parser.add_argument(
        "--stage", required=True, metavar="NAME", help="stage to assign it to, such as prod"
    )
    parser.add_argument("--tag", action="store_true", help="make the tags, but push nothing")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key (PEM) of who signed the model"
    )
    parser.add_argument(
        "--signature", type=Path, metavar="FILE", help="(default: signatures/MODEL.sig)"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default="models",
        metavar="DIR",
        help="of all models (default: models)",
    )


def _add_pr_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "base", metavar="BASE", help="revision to compare with, where this one branched off"
    )
    parser.add_argument(
        "--head", metavar="REVISION", help="revision to compare (default: the working tree)"
    )
    parser.add_argument(
        "--run-base",
        action="store_true",
        help="run the pipeline there first, for paired intervals; it takes as long",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="where to write the Markdown (default: stdout)"
    )
    parser.add_argument(
        "--images", metavar="DIR", type=Path, help="where to write the figures that changed"
    )
    parser.add_argument(
        "--report-url", metavar="URL", default="", help="address of the run's report, to link to"
    )
    parser.add_argument(
        "--image-url",
        metavar="TEMPLATE",
        default="",
        help="address of a committed figure, with {revision} and {path}",
    )


COMMANDS = {
    "init": Command(
        "make a project, or set one up for a table of your own",
        INIT,
        "project.init.command",
        _add_init,
    ),
    "upgrade": Command(
        "bring the project to the installed version", UPGRADE, "project.upgrade", _add_upgrade
    ),
    "doctor": Command(
        "say what is missing for which feature, and how to install it", "", "project.doctor"
    ),
    "check": Command("check params.yaml, or print settings", CHECK, "project.check", _add_check),
    "metrics": Command("show the outcome of the last run", METRICS, "project.metrics"),
    "report": _run("bring reports/report.html up to date", "report"),
    "predict": Command("classify texts", PREDICT, "predict.command", _add_predict),
    "serve": Command("serve models over HTTP", SERVE, "serve.command", _add_serve),
    "suggest": Command("choose texts to label next", SUGGEST, "label.suggest", _add_suggest),
    "verify": Command("check where a model comes from", VERIFY, "verify.command", _add_verify),
    "sign": Command("sign the files of a model", SIGN, "verify.signing", _add_sign),
    "drift": Command(
        "compare new texts with the training texts", DRIFT, "drift.command", _add_drift
    ),
    "label": Command(
        "label texts on a page or in the terminal", LABEL, "label.command", _add_label
    ),
    "search": _run(
        "search for the best settings, as search in params.yaml says", f"{STUDIES}:search"
    ),
    "audit": Command(
        "look for wrong labels, list them in reports/audit.html, review them",
        "",
        "project.run",
        _add_audit,
    ),
    "crossvalidate": _run(
        "train every model on many splits of all rows", f"{STUDIES}:crossvalidate"
    ),
    "learning-curve": _run("train every model on more and more rows", f"{STUDIES}:learning_curve"),
    "pr-report": Command(
        "show what a change does to the metrics", PR_REPORT, "review.command", _add_pr_report
    ),
    "release": Command(
        "tag a model that passes all checks", RELEASE, "verify.release", _add_release
    ),
    "completion": Command(
        "print the completion of a shell", COMPLETION, "project.completion", _add_completion
    ),
}

if __name__ == "__main__":
    main()
