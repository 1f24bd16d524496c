"""The command `textclf predict` in this process; as its own for pipes and signals."""

import csv
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import approved
from tests.conftest import tree
from tests.processes import heed_signals
from tests.unit.predict.models import export, shares, three_classes, two_classes
from tests.unit.tables.tables import excel, sqlite
from textclf import cli
from textclf.artifacts.decisions import write_index
from textclf.predict.command import choose_format

pytestmark = pytest.mark.posix

ROOT = Path(__file__).parents[3]
WARNING = b"warning: predict: line 1 is not utf-8; undecodable bytes are read as U+FFFD\n"


class Done(NamedTuple):
    """How a command ended: exit code, stdout and stderr."""

    status: object
    out: bytes
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of JSON Lines; the command must have succeeded without a warning."""
        assert (self.status, self.err) == (0, "")
        return [json.loads(line) for line in self.out.decode().split("\n")[:-1]]


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of models: the default, one of three classes, one that ignores texts."""
    folder = tmp_path_factory.mktemp("project") / "models"
    export(two_classes(intercept=0.0), folder / "linear")
    export(three_classes(), folder / "three")
    export(shares(), folder / "shares")
    write_index("linear", ["linear", "three", "shares"], folder)
    return folder


@pytest.fixture(autouse=True)
def project(exported: Path, here: Path) -> Iterator[Path]:
    """Yield the folder in which commands run, with the models in it."""
    (here / "models").symlink_to(exported)
    numbers = {getattr(signal, "SIGHUP", signal.SIGTERM), signal.SIGTERM}
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield here
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Stream(io.TextIOWrapper):
    """A standard stream in memory, a terminal or not."""

    def __init__(self, content: bytes = b"", terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.bytes = self.buffer
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def content(self) -> bytes:
        self.flush()
        assert isinstance(self.bytes, io.BytesIO)
        return self.bytes.getvalue()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `textclf predict` in this process."""

    def work(*arguments: str | Path, stdin: bytes = b"", terminal: bool = False) -> Done:
        out, err = Stream(terminal=terminal), Stream()
        monkeypatch.setattr(sys, "stdin", Stream(stdin, terminal))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as stop:
            cli.main(["predict", *map(str, arguments)])
        return Done(stop.value.code, out.content(), err.content().decode())

    return work


CONTROLS = "\x1b]0;owned\x07\x1b[2Jgood\rfood \x7f\x9b1m\tcafé ☃"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_terminal_gets_no_control_characters_and_a_file_gets_the_text(
    run: Run, kind: str
) -> None:
    shown, written = (
        run("--to", kind, CONTROLS, terminal=terminal).out for terminal in (True, False)
    )
    assert [letter for letter in shown.decode() if letter < " " or "\x7f" <= letter <= "\x9f"] == [
        *({"csv": "\n\t\n", "jsonl": "\n"}[kind])
    ]
    assert r"\u001b]0;owned\u0007\u001b[2Jgood" in shown.decode()
    assert "café ☃" in shown.decode()
    read: dict[str, Callable[[str], Any]] = {
        "csv": lambda text: next(csv.DictReader(io.StringIO(text, newline=""))),
        "jsonl": json.loads,
    }
    assert read[kind](written.decode())["text"] == CONTROLS


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Return a function that starts a line of shell in which "$@" is the command."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # With it, an error of stdout can't come as late.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)

    def work(*arguments: str, through: str = 'exec "$@"') -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "textclf.cli", "predict", *arguments]
        return subprocess.Popen(
            ["sh", "-c", through, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_signals,  # noqa: PLW1509 (there are no threads)
        )

    return work


def ended(process: "subprocess.Popen[bytes]", stdin: bytes = b"") -> Done:
    out, err = process.communicate(stdin)
    return Done(process.returncode, out, err.decode())


# Commands


TABLE = b"n,body\na,great\nb,bad\n"
GOOD = b"n,text\n1,great\n2,bad\n"
FILES = {
    "t.csv": GOOD,
    "t.doc": GOOD,
    "empty.csv": b"",
    "blank.csv": b"n,text\n1,great\n2,\n3, \n",
    "lines": b"great\n",
    "utf16": "süß\nbad".encode("utf-16"),
    "semicolons": b'text;n\n"great;1\n',
    "ids": b"n\nbad\n",
    "unnamed": b"n,\n1,great\n",
    "in/a.csv": TABLE,
    "in/b.csv": TABLE,
    "in/c.tsv": TABLE,
    "words.csv": TABLE,
    "words.xlsx": excel((), Words=[("n", "body"), ("a", "great"), ("b", "bad")]),
    "words.sqlite": sqlite([("a", "great"), ("b", "bad")], "n, body"),
}


def test_each_command_prints_what_was_approved_and_writes_nothing_else(
    run: Run, project: Path
) -> None:
    (project / "in").mkdir()
    for name, content in FILES.items():
        (project / name).write_bytes(content)
    (project / "link.csv").symlink_to("t.csv")
    before = tree(project)

    def say(case: str) -> list[str]:
        """Return what a command with such words prints, its exit code and each error line."""
        words, _, name = case.partition(" < ")
        done = run(*shlex.split(words), stdin=FILES.get(name, b""))
        assert tree(project) == before
        return [
            *done.out.decode().splitlines(),
            *(f"{done.status}: {line}" for line in done.err.splitlines()),
        ]

    approved.check_cases(Path(__file__).with_name("commands.txt"), say)


def test_an_argument_that_is_not_utf_8_is_classified(run: Run) -> None:
    assert [row["text"] for row in run("great \udcff").rows()] == ["great \ufffd"]


# Outputs


@pytest.mark.parametrize(
    ("name", "to", "kind"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.ndjson", None, "jsonl"),
        ("a.CSV", None, "csv"),
        ("a.parquet", None, "parquet"),
        ("a.csv", "jsonl", "jsonl"),
        ("anything", "csv", "csv"),
        (os.devnull, None, "jsonl"),
    ],
)
def test_the_format_is_the_named_one_or_that_of_the_ending(
    name: str, to: str | None, kind: str
) -> None:
    assert choose_format(to, Path(name)) == kind
    assert choose_format(to, None) == (to or "jsonl")


def test_a_terminal_gets_a_prompt(run: Run) -> None:
    done = run(stdin=b"great\n", terminal=True)
    assert (done.status, done.err) == (0, "one text per line, until Ctrl-D:\n")
    assert json.loads(done.out)["label"] == "yes"


def test_what_is_left_out_of_parquet_is_not_missed_when_it_is_read_again(run: Run) -> None:
    first = run("--to", "parquet", "--no-text", "great", "bad").out
    assert [
        row["text"] for row in run("--format", "parquet", "--text", "id", stdin=first).rows()
    ] == ["1", "2"]


def test_parquet_is_not_written_to_a_terminal(run: Run) -> None:
    line = "error: predict: --to must be jsonl or csv on a terminal; got parquet; set --output\n"
    assert run("great", "--to", "parquet", terminal=True) == Done(2, b"", line)


def test_a_broken_row_ends_the_output_and_leaves_an_old_file_as_it_is(
    run: Run, project: Path
) -> None:
    (project / "out.jsonl").write_bytes(b"old")
    before = sorted(project.iterdir())
    done = run("--format", "csv", "--output", "out.jsonl", stdin=GOOD + b"3\n")
    assert (done.status, done.out, len(done.err.splitlines())) == (2, b"", 1)
    assert done.err.startswith("error: predict: stdin:4: must have 2 fields, as the header has; ")
    assert (project / "out.jsonl").read_bytes() == b"old"
    assert sorted(project.iterdir()) == before
    # To stdout, the rows before it are written.
    assert len(run("--format", "csv", stdin=GOOD + b"3\n").out.splitlines()) == 2


# Processes


def test_a_slow_producer_gets_its_answers_line_by_line(
    start: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    with start("--no-text") as process:
        assert process.stdin
        assert process.stdout
        for text, label in ((b"great\n", "yes"), (b"\n", "no"), (b"bad\n", "no")):
            process.stdin.write(text)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["label"] == label
        process.stdin.write(b"great")
        done = ended(process)
        assert [row["label"] for row in done.rows()] == ["yes"]


@pytest.mark.parametrize("to", ["jsonl", "csv"])
def test_a_closed_pipe_ends_the_command_silently(
    start: Callable[..., "subprocess.Popen[bytes]"], project: Path, to: str
) -> None:
    (project / "lines").write_bytes(b"great food\n" * 50_000)
    with start("--to", to, through='exec "$@" <lines') as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_the_old_file_and_no_scratch_files(
    start: Callable[..., "subprocess.Popen[bytes]"], project: Path, name: str
) -> None:
    number = getattr(signal, name)
    (project / "out.jsonl").write_bytes(b"old")
    before = sorted(project.iterdir())
    with start("--output", "out.jsonl") as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"\xff\n" + b"great\n" * 10)
        process.stdin.flush()
        # The file is begun.
        assert process.stderr.readline() == WARNING
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
        assert process.stderr.read() == b""
    assert (project / "out.jsonl").read_bytes() == b"old"
    assert sorted(project.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "streams", "line"),
    [
        (["great"], ">&-", "standard output must be open; or set --output"),
        ([], "<&-", "standard input must be open; or give texts as arguments"),
        (["great"], ">/dev/full", "No space left on device"),
    ],
    ids=["stdout closed", "stdin closed", "stdout full"],
)
def test_closed_and_full_streams_of_a_shell_are_errors_of_one_line(
    start: Callable[..., "subprocess.Popen[bytes]"], text: list[str], streams: str, line: str
) -> None:
    with start(*text, through=f'exec "$@" {streams}') as process:
        assert ended(process) == Done(2, b"", f"error: predict: {line}\n")


def test_with_stderr_closed_there_is_no_warning(
    start: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    with start("--no-text", through='exec "$@" 2>&-') as process:
        assert [row["label"] for row in ended(process, b"great \xff\n").rows()] == ["yes"]


def peak(*arguments: str, stdin: Path) -> float:
    """Return the peak memory of the command in MiB; its output is discarded."""
    script = (
        "import re, sys; from textclf import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], "
        "file=sys.stderr)"
    )
    line = [sys.executable, "-c", script, "predict", *arguments]
    with stdin.open("rb") as stream:
        done = subprocess.run(
            line,
            stdin=stream,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    return int(done.stderr) / 1024


def test_memory_does_not_grow_with_the_rows(project: Path) -> None:
    sizes = []
    for count in (10_000, 40_000):
        (project / "rows").write_text("text\n" + f"great {'x' * 500}\n" * count)
        sizes.append(peak("--to", "csv", "--format", "csv", "--explain", stdin=project / "rows"))
    # The texts that are more take 15 MiB.
    assert sizes[1] - sizes[0] < 10


def test_a_huge_line_takes_a_bounded_multiple_of_its_size(project: Path) -> None:
    (project / "huge").write_bytes(b"great " * (20_000_000 // 6) + b"\nbad\n")
    assert peak("--no-text", stdin=project / "huge") < 500
