"""The arguments of the commands of a project: from `textclf init` to the studies."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from textclf.core.command import Argument, Command, Group
from textclf.label.arguments import Answering
from textclf.tables.arguments import LabelledForm

Workflow = Annotated[
    Literal["github", "gitlab"] | None, Argument("add a workflow that runs the pipeline")
]
COLUMNS = Group("columns")
ABOUT = Group("about the data, for report and model cards")


@dataclass(frozen=True, kw_only=True)
class OtherColumns:
    """The columns of a table besides texts and labels, and the label of no class."""

    unknown: Annotated[
        str | None, Argument("label of texts that belong to no class, such as oos", "LABEL")
    ] = None
    id: Annotated[str | None, Argument("of unique ids (default: file and line)", "COLUMN")] = None
    group: Annotated[
        str | None, Argument("whose equal values stay in one split, such as an author", "COLUMN")
    ] = None
    time: Annotated[
        str | None, Argument("by which the latest rows are the test rows", "COLUMN")
    ] = None
    time_format: Annotated[
        str | None,
        Argument("of this column, if not ISO 8601, such as %%d.%%m.%%Y", "FORMAT"),
    ] = None
    split: Annotated[
        str | None,
        Argument("of train, validation and test (default: split, if it exists)", "COLUMN"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Init(Command):
    """The arguments of `textclf init`; those of tables have the names of section data."""

    description = """
    Make a project in an empty folder, or make this one your own: look at a table of labelled texts,
    choose settings that suit it, and write them to params.yaml. It names the rows, classes and
    repeated texts that it saw, what the preset trains, and how long a run takes; with --verbose
    also the reason for each setting. Columns that are not given are found: the texts are the
    longest column, the labels the one of few repeated values. No choice depends on test
    rows. Then run `dvc repro`.

      textclf init --data tickets.csv
      textclf init --data tickets.csv --preset best
      textclf init --data reviews/ --files "*.jsonl" --text body --label stars \
--title "Shop reviews" --licence "CC BY 4.0"
    """
    module = "project.init.command"
    folder: Annotated[
        Path, Argument("of the project (default: this one)", "FOLDER", positional=True)
    ] = Path()
    data: Annotated[Path | None, Argument("a file, or a folder of files", "PATH")] = None
    test: Annotated[Path | None, Argument("a file of test rows", "FILE")] = None
    preset: Annotated[
        Literal["fast", "good", "best"] | None, Argument("how much to train (default: good)")
    ] = None
    lesson: Annotated[bool, Argument("make a project of the lesson, the default run")] = False
    ci: Workflow = None
    force: Annotated[bool, Argument("overwrite files, such as a params.yaml with changes")] = False
    verbose: Annotated[
        bool, Argument("tell the reason for each setting, and what exactly the rows show")
    ] = False
    text: Annotated[
        list[str] | None,
        Argument("of the texts (default: the longest); again joins another", "COLUMN"),
        COLUMNS,
    ] = None
    label: Annotated[
        list[str] | None,
        Argument(
            "of the labels (default: the one of few repeated values); again, of 0 and 1 each",
            "COLUMN",
        ),
        COLUMNS,
    ] = None
    columns: Annotated[OtherColumns, COLUMNS]
    form: Annotated[LabelledForm, Group("how the table is written")]
    title: Annotated[str | None, Argument("its name"), ABOUT] = None
    licence: Annotated[str | None, Argument("its licence, such as CC BY 4.0"), ABOUT] = None


@dataclass(frozen=True, kw_only=True)
class Upgrade(Command):
    """The arguments of `textclf upgrade`."""

    description = """
    Bring a project to the installed version of textclf: write dvc.yaml, the checksums of the code,
    requirements.txt and the workflow anew. It prints which defaults change before it writes, and
    leaves files alone that you have edited. Nothing is committed: `git diff` shows the changes,
    `git checkout .` undoes them, `dvc status` names the stages that will run.

      textclf upgrade --dry-run
      textclf upgrade
    """
    module = "project.upgrade"
    ci: Workflow = None
    dry_run: Annotated[bool, Argument("print what would change, and write nothing")] = False
    force: Annotated[bool, Argument("overwrite files that you have changed as well")] = False


class Doctor(Command):
    """`textclf doctor`."""

    module = "project.doctor"


@dataclass(frozen=True, kw_only=True)
class Check(Command):
    """The arguments of `textclf check`."""

    description = """
    Check params.yaml before a run: each setting, what settings say together, packages and weights
    that are missing. DVC reads params.yaml before any stage runs, and its own errors are hard to
    read; this says what to change. With names of settings or sections, print the value, default and
    description of each instead.

      textclf check
      textclf check train.keras.epochs split
    """
    module = "project.check"
    keys: Annotated[
        list[str],
        Argument("a setting or a section, such as train.keras.epochs", "KEY", positional=True),
    ] = field(default_factory=list)


class Metrics(Command):
    """`textclf metrics`."""

    description = """
    Print the outcome of the last run: each model on the test rows, against majority and against the
    most accurate one; the default model of textclf predict, and why; where the report is; and, if
    settings, code, tables or results have changed since the run, what and which stages dvc repro
    would run.

      textclf metrics
    """
    module = "project.metrics"


class RunStage(Command):
    """A command that runs a stage: `textclf report` and the studies."""

    module = "project.run"

    @property
    def stage(self) -> str:
        """Return the address of the stage of the command."""
        study = self.name.replace("-", "_")
        return study if study == "report" else f"studies/dvc.yaml:{study}"


@dataclass(frozen=True, kw_only=True)
class Audit(RunStage):
    """The arguments of `textclf audit`."""

    review: Annotated[bool, Argument("look through them; answers go to corrections.csv")] = False
    answers: Annotated[Answering, Group("answers")]


@dataclass(frozen=True, kw_only=True)
class Completion(Command):
    """The arguments of `textclf completion`."""

    description = """
    Print the completion script of a shell.

      eval "$(textclf completion bash)"
      textclf completion zsh >~/.zfunc/_textclf
    """
    module = "project.completion"
    shell: Annotated[Literal["bash", "zsh", "tcsh"], Argument(positional=True)]
