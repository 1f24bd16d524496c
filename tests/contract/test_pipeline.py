"""dvc.yaml, params.yaml and the settings of the project, held against the code."""

import ast
import configparser
import functools
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import content
from tests.processes import python
from tests.verify import BY_CHECKSUM, ROOT, project_files
from textclf.behave.settings import Behave
from textclf.core.installed import lock_files
from textclf.core.settings import Section
from textclf.core.stage import ITEM as ITEM_PARAMETER
from textclf.core.stage import params_of
from textclf.export import provenance
from textclf.models.settings import KINDS
from textclf.params import EXTERNAL, Params
from textclf.plot.charts import CHARTS
from textclf.project import declared
from textclf.project.check import REQUIRED, run_settings, study_settings

FILES = project_files()
CODE = [name for name in FILES if name.startswith(("stages/", "textclf/")) and name.endswith(".py")]
PACKAGE = "textclf/__init__.py"
VERSION = "textclf/version.py"  # which only messages name
FIRST = {
    "stages/__init__.py",
    PACKAGE,
}  # what every stage runs before anything else; check writes their checksums
CHECKED = "data/checked"  # what check writes; every other stage of dvc.yaml waits for it
SETTINGS, STUDY_SETTINGS = "data/settings.json", "data/studies"  # in the place of params
FETCHED = "data/fetched"  # what stages wait for that may use pretrained weights
UNSAFE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|work)/\w")  # the start of somebody's path
UNKEPT = {
    "audit": {"reports/audit.html"}
}  # by stage: files that neither Git nor DVC keeps (studies/dvc.yaml)
WRITES_PREDICTIONS = """\
import pathlib, tempfile
import numpy as np
from textclf.artifacts.predictions import Predictions, write
with tempfile.TemporaryDirectory() as folder:
    one = Predictions(np.array(["a"]), np.array(["b"]), np.array([0]), np.ones((1, 1)), ("x",))
    write([one], pathlib.Path(folder, "a.parquet"))
"""
SLOW = {  # code, and what it does not use that takes long to import
    "from stages import check; check.check.load()": (
        "pandas",
        "pyarrow",
        "scipy.sparse",
        "scipy.special",
    ),
    "import stages.fetch": ("pandas", "pyarrow", "requests", "scipy.sparse", "scipy.special"),
    "import stages.evaluate": ("scipy.optimize", "scipy.sparse", "scipy.stats", "sklearn"),
    "import stages.report": ("scipy.sparse", "scipy.special", "sklearn"),
    "import stages.train": ("pandas", "scipy.optimize", "scipy.special", "sklearn"),
    "import textclf.models.logistic_regression.fitting": ("pandas", "scipy.stats", "sklearn"),
    WRITES_PREDICTIONS: ("pandas", "sklearn"),
    "import textclf.project.metrics": ("dvc", "pandas", "pyarrow", "scipy.special", "sklearn"),
}
MOST_LINES = 90  # of params.yaml


DVC = content("dvc.yaml")
STUDIES = content("studies/dvc.yaml")["stages"]
DECLARED = DVC["stages"] | STUDIES
PARAMS = content("params.yaml")


EXAMPLES = {
    "external": "gpt",
    "vectorize": "words",
    "combine": "both",
    "average": "mean",
    "behave": "sentiment",
}
ITEM = "my/file"  # what an entry of a setting names, as evaluate.external does
VALUES = {"first": "words", "second": "letters", "features": "words"}  # of the entries


def resolved_stages() -> dict[str, dict[str, Any]]:
    """Return the stages of both dvc.yaml files with `${data.path}` filled in.

    `train` is there once per kind of model, other stages of several items with one example each.
    """
    stages = {}
    for name, stage in json.loads(
        json.dumps(DECLARED).replace("${data.path}", PARAMS["data"]["path"])
    ).items():
        if "foreach" in stage:
            for key in KINDS if name == "train" else [EXAMPLES[name]]:
                example = json.dumps(stage["do"]).replace("${item}", ITEM).replace("${key}", key)
                for value, text in (VALUES | {"kind": key}).items():
                    example = example.replace(f"${{item.{value}}}", text)
                stages[f"{name}@{key}"] = json.loads(example)
        else:
            stages[name] = stage
    return stages


STAGES = resolved_stages()
each_stage = pytest.mark.parametrize("stage", STAGES)
each_file = pytest.mark.parametrize("file", CODE)


def entry_path(entry: Any) -> str:
    """Return the path of a dependency or output, which may carry options."""
    return entry if isinstance(entry, str) else str(next(iter(entry)))


def paths(stage: str, *kinds: str) -> set[str]:
    """Return the paths of the dependencies, outputs, ... of a stage."""
    return {entry_path(entry) for kind in kinds for entry in STAGES[stage].get(kind, [])}


def base(stage: str) -> str:
    """Return a stage's name in dvc.yaml."""
    return stage.partition("@")[0]


def script(stage: str) -> str:
    """Return the file of the module that a stage's command runs."""
    return f"stages/{base(stage)}.py"


def module(stage: str) -> Any:
    return importlib.import_module(f"stages.{base(stage)}")


def model(stage: str) -> set[str]:
    return {stage.partition("@")[2]} if base(stage) == "train" else set()


def is_code(path: str) -> bool:
    return path == "textclf" or path.startswith(("stages/", "textclf/"))


def settings_file(stage: str) -> str | None:
    """Return the file that a stage reads in the place of params.yaml, if there is one."""
    planned = getattr(module(stage), "PLANNED", None)
    return planned and str(planned)


def unread(path: str) -> bool:
    """Return whether a dep is code, or stands for what the stage reads."""
    return is_code(path) or path.startswith(("data/weights/vectorize/", f"{STUDY_SETTINGS}/"))


def code_deps(stage: str) -> set[str]:
    return {path for path in paths(stage, "deps") if is_code(path)}


def data(stage: str) -> set[str]:
    return {
        path
        for path in paths(stage, "deps") - {CHECKED, FETCHED, SETTINGS, "params.yaml"}
        if not unread(path)
    } | outs(stage)


def outs(stage: str) -> set[str]:
    return paths(stage, "outs", "metrics", "plots")


ALL_OUTS = set().union(*(outs(stage) for stage in STAGES))


@functools.cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node below one, function bodies included, except what only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from runtime_nodes(child)


@functools.cache
def imported_names(file: str) -> list[str]:
    """Return the dotted names that a file imports.

    For `from a import b` these are a and a.b, which may be a module.
    """
    names = []
    for node in runtime_nodes(tree(file)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{file}:{node.lineno}: a relative import, which this test can't follow"
            )
            assert node.module is not None
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def module_file(name: str) -> str | None:
    """Return the project's file of a module or package; None if the project has none."""
    stem = name.replace(".", "/")
    return next(
        (file for file in (f"{stem}/__init__.py", f"{stem}.py") if (ROOT / file).is_file()), None
    )


def is_empty(file: str) -> bool:
    """Return whether a module holds a docstring and nothing else."""
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for node in tree(file).body
    )


def closure(*files: str) -> set[str]:
    """Return the files and all that they import of the project, except empty __init__.py."""
    reached: set[str] = set()
    waiting = [*files, *FIRST]
    while waiting:
        if (file := waiting.pop()) not in reached:
            reached.add(file)
            if file != PACKAGE:  # which imports the predictor when its users call `load`
                waiting += filter(None, map(module_file, imported_names(file)))
    return {file for file in reached if not is_empty(file)}


def stage_files(stage: str) -> set[str]:
    """Return the files that a stage runs: imported ones, and models that are loaded by name."""
    models = KINDS if stage in STUDIES or base(stage) in {"export", "report"} else model(stage)
    files = closure(script(stage), *(f"textclf/models/{name}/__init__.py" for name in models))
    return files if stage == "check" else files - FIRST - {VERSION}


def covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/")


@each_stage
def test_the_code_among_a_stages_deps_is_what_its_script_imports(stage: str) -> None:
    deps, files = code_deps(stage), stage_files(stage)
    assert {file for file in files if not any(covers(dep, file) for dep in deps)} == set()
    used = files | {
        file
        for other in STAGES
        if base(other) == "train" == base(stage)
        for file in stage_files(other)
    }
    assert {dep for dep in deps if not any(covers(dep, file) for file in used)} == set()


def test_the_statement_of_a_model_has_the_checksum_of_the_code_that_export_depends_on() -> None:
    assert {*provenance.CODE} == {path.removeprefix("textclf/") for path in code_deps("export")}


def test_importing_a_package_runs_nothing_and_importing_textclf_pins_arithmetic() -> None:
    # Stages do not depend on the __init__.py of packages of which they import one module, so these
    # must decide nothing.
    packages = [file for file in CODE if file.endswith("/__init__.py") and file.count("/") == 2]
    used = {file for stage in STAGES for file in stage_files(stage)}
    assert [file for file in packages if file in used and not is_empty(file)] == []
    assert {name for name in imported_names(PACKAGE) if name.startswith("textclf")} <= {
        "textclf.core",
        "textclf.core.arithmetic",
        "textclf.core.arithmetic.pin_arithmetic",
        "textclf.notebook",
        "textclf.notebook.opening",
        "textclf.notebook.opening.open_project",
        "textclf.notebook.project",
        "textclf.notebook.project.Project",
        "textclf.predict",
        "textclf.predict.locate",
        "textclf.predict.predictor",
        "textclf.predict.predictor.Predictor",
        "textclf.version",
        "textclf.version.__version__",
    }


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name not in STUDIES and name != "check"]
)
def test_every_stage_waits_until_params_are_checked(stage: str) -> None:
    assert CHECKED in paths(stage, "deps")


def test_check_looks_at_the_whole_of_params() -> None:
    assert "params.yaml" in DVC["stages"]["check"]["deps"]
    assert "params" not in DVC["stages"]["check"]
    assert outs("check") == {
        CHECKED,
        SETTINGS,
        STUDY_SETTINGS,
        "data/default.json",
        "data/models.json",
        "data/weights",
    }


def test_only_the_loader_of_models_imports_by_a_computed_name() -> None:
    pattern = re.compile(
        r"\b(import_module\((?!')|__import__\b|exec_module\b|run_path\b|run_module\b)"
    )
    files = [file for file in CODE if pattern.search(ast.unparse(tree(file)))]
    assert {*files} <= {
        "textclf/models/common/loading.py",
        "textclf/cli.py",
    }  # which imports the command that runs


@pytest.mark.parametrize(
    ("code", "libraries"), SLOW.items(), ids=lambda value: str(value).splitlines()[0]
)
def test_what_takes_long_to_import_is_imported_where_it_is_used(
    code: str, libraries: tuple[str, ...]
) -> None:
    without = f"import sys; sys.modules.update(dict.fromkeys({libraries})); {code}"
    assert python("-c", without) == (0, "", "")


def test_garbage_is_collected_only_when_a_stage_has_imported_its_modules() -> None:
    started = (
        "import gc, sys; sys.orig_argv[1:] = ['-m', 'stages.plot']; import stages.plot; "
        "print(gc.isenabled())"
    )
    assert python("-c", started) == (0, "False\n", "")


# Stages and their scripts


@each_stage
def test_the_paths_of_a_script_are_the_data_of_its_stage_or_their_folder_and_no_other(
    stage: str,
) -> None:
    _, keyword = signature(stage)
    paths = {str(path.default) for path in keyword.values() if path.default is not None}
    # Below data, check removes leftovers.
    paths -= {"data"} if stage == "check" else set()
    used = data(stage) | set(BY_CHECKSUM.get(base(stage), ()))
    # The script reads the first three from params, and the lock files by their names.
    named = {PARAMS["data"]["path"], ITEM, EXTERNAL, *map(str, lock_files())}
    assert {used for used in used - named if not any(covers(path, used) for path in paths)} == set()
    unkept = {path for path in paths if not any(covers(path, one) for one in used)}
    assert unkept == UNKEPT.get(stage, set())


def signature(stage: str) -> tuple[dict[str, inspect.Parameter], dict[str, inspect.Parameter]]:
    """Return the parameters of a script's `run` that take params, and those of arguments."""
    parameters = inspect.signature(module(stage).run, eval_str=True).parameters
    keyword = {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
    positional = {name: each for name, each in parameters.items() if name not in keyword}
    assert (keyword.pop(ITEM_PARAMETER, None) is None) == ("@" not in stage)
    return positional, keyword


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "check"])
def test_a_stage_depends_on_the_params_that_its_script_takes(stage: str) -> None:
    taken, _ = signature(stage)
    keys = {key for each in taken.values() for key in params_of(each)}
    own = {f"train.{name}" for name in model(stage)}  # its settings are loaded by the model's name
    own |= (
        {stage.replace("@", ".")} if base(stage) in {"vectorize", "combine", "average"} else set()
    )
    if file := settings_file(stage):
        params = Params(behave=Behave(tests={"sentiment": ITEM}))
        available = run_settings(params) if file == SETTINGS else study_settings(params)[stage]
        taken_sections = {key.partition(".")[0] for key in keys}
        assert taken_sections <= available.keys()
        assert file == SETTINGS or taken_sections == available.keys()
        assert file in paths(stage, "deps")
        assert "params" not in STAGES[stage]
    else:
        assert sorted(STAGES[stage].get("params", [])) == sorted(keys | own)


@each_stage
def test_a_command_is_its_script_alone_and_has_nothing_that_a_shell_would_read(stage: str) -> None:
    assert STAGES[stage]["cmd"] == f"python -m stages.{base(stage)}"


@each_stage
def test_a_stage_says_what_it_is_for(stage: str) -> None:
    assert STAGES[stage]["desc"].endswith(".")


def test_every_stage_is_a_script_of_its_name_and_every_script_a_stage() -> None:
    scripts = {file for file in CODE if file.startswith("stages/")} - {"stages/__init__.py"}
    assert {script(stage) for stage in STAGES} == scripts


def test_the_models_trained_are_those_of_params() -> None:
    assert DVC["stages"]["train"]["foreach"] == "${train}"
    assert {entry["kind"] for entry in PARAMS["train"].values()} <= set(KINDS)
    folders = {
        file.split("/")[2]
        for file in CODE
        if file.startswith("textclf/models/") and file.count("/") > 2
    }
    assert folders == {"average", "common", *KINDS}


def order(section: Section, shown: dict[str, Any]) -> None:
    """Assert that a section of params.yaml and those within it have the code's order."""
    known = [*type(section).model_fields]
    assert [key for key in known if key in shown] == [key for key in shown if key in known]
    for key, value in section:
        if isinstance(value, Section) and key in shown:
            order(value, shown[key])


def test_params_yaml_shows_settings_in_order_on_one_screen() -> None:
    order(Params.model_validate(PARAMS), PARAMS)
    assert len((ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_dvc_yaml_reads_what_check_requires() -> None:
    listed = {param for stage in STAGES.values() for param in stage.get("params", [])}
    listed -= {stage.replace("@", ".") for stage in STAGES if "@" in stage} | {
        "behave"
    }  # of entries; only with tests
    assert listed | {"vectorize", "train"} == {*REQUIRED} - {"data.path"} | {"data", "data.path"}


@each_stage
def test_a_scripts_docstring_says_what_it_reads_writes_and_depends_on(stage: str) -> None:
    docstring = ast.get_docstring(tree(script(stage))) or ""
    paragraph = next(part for part in docstring.split("\n\n") if part.startswith("Reads: "))
    _, *parts = re.split(r"^(Reads|Writes|Params): ", paragraph, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert list(sections) == ["Reads", "Writes", "Params"]
    if base(stage) != "check":
        taken = {key for each in signature(stage)[0].values() for key in params_of(each)}
        listed = DECLARED[base(stage)].get("do", DECLARED[base(stage)]).get("params", ["none"])
        declared = ", ".join(sorted(taken) if settings_file(stage) else listed)
        params = re.sub(
            "<(model|representation|pair|average)>", "${key}", " ".join(sections["Params"].split())
        )
        assert params.removesuffix(".") == declared


def test_dvc_plots_lists_every_chart_with_its_table_and_its_axes() -> None:
    listed = {
        plot["template"]: (plot["x"], plot["y"])
        for entry in DVC["plots"]
        for plot in entry.values()
    }
    tables = {name: f"plots/{chart.table}.csv" for name, chart in CHARTS.items()}
    assert listed == {
        name: (chart.x.column, {tables[name]: chart.y.column}) for name, chart in CHARTS.items()
    }
    assert set(tables.values()) <= ALL_OUTS


def test_every_figure_is_an_output_and_its_table_a_dependency_of_plot() -> None:
    drawn = [chart for chart in CHARTS.values() if chart.figure]
    assert {f"plots/{chart.figure}.svg" for chart in drawn} == outs("plot")
    assert {f"plots/{chart.table}.csv" for chart in drawn} == {
        path for path in paths("plot", "deps") if path.startswith("plots/")
    }


@pytest.mark.parametrize("artifact", DVC["artifacts"])
def test_an_artifact_is_an_out_or_lies_in_one(artifact: str) -> None:
    path = Path(DVC["artifacts"][artifact]["path"])
    assert ALL_OUTS & {str(folder) for folder in (path, *path.parents)}


def test_git_keeps_the_small_outs_and_dvc_the_others() -> None:
    cached = {
        out: not (isinstance(entry, dict) and entry[out].get("cache") is False)
        for stage in STAGES.values()
        for entry in [*stage.get("outs", []), *stage.get("metrics", [])]
        for out in ([entry] if isinstance(entry, str) else entry)
    }
    assert {out: not out.startswith(("metrics/", "plots/")) for out in cached} == cached
    known = {
        *FILES,
        "metrics/models",
        "metrics/behaviour/sentiment.json",
    }  # the last is of no default run
    assert {out for out, by_dvc in cached.items() if not by_dvc} <= known
    assert [file for file in FILES if file.startswith(("data/", "models/"))] == [
        f"{EXTERNAL}/README.md"
    ]


RUN_CACHE = {
    "vectorize",
    "combine",
    "train",
    "average",
    "external",
    "report",
}  # stages whose runs DVC keeps


def test_dvc_removes_only_outputs_of_stages_whose_run_cache_may_take_the_place_of_the_run() -> None:
    for name, stage in (DVC["stages"] | STUDIES).items():
        body = stage.get("do", stage)
        entries = [*body.get("outs", []), *body.get("metrics", [])]
        persist = {
            isinstance(each, dict) and next(iter(each.values())).get("persist", False)
            for each in entries
        }
        assert persist == {name not in RUN_CACHE}, name


def test_git_ignores_what_the_stages_make_and_dvc_keeps() -> None:
    texts = {
        Path(name): (ROOT / name).read_text(encoding="utf-8")
        for name in ("dvc.yaml", "studies/dvc.yaml")
    }
    assert {*declared.ignored(texts)} <= {
        *(ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    }


def test_dvc_sends_no_analytics() -> None:
    config = configparser.ConfigParser()
    config.read_string((ROOT / ".dvc/config").read_text(encoding="utf-8"))
    assert not config.getboolean("core", "analytics")


@pytest.mark.parametrize("file", [name for name in FILES if name.startswith("requirements/")])
def test_every_requirement_is_locked_by_hash_and_none_by_url(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    requirements = re.sub(
        r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    ).splitlines()
    assert requirements
    assert [
        line
        for line in requirements
        if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []
    assert "://" not in text


@each_file
def test_no_code_can_run_what_data_says(file: str) -> None:
    # What is unpickled or evaluated may be a program.
    roots = {name.split(".")[0] for name in imported_names(file)}
    calls = {
        ast.unparse(node.func) for node in runtime_nodes(tree(file)) if isinstance(node, ast.Call)
    }
    assert not UNSAFE & roots
    assert not {"eval", "exec", "yaml.unsafe_load", "yaml.full_load"} & calls
    assert "allow_pickle=True" not in ast.unparse(tree(file))


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    files = []
    for name in FILES:
        content = (ROOT / name).read_bytes()
        if b"\0" not in content and not name.startswith("requirements/"):
            lines = content.decode("utf-8").splitlines()
            files += [
                f"{name}:{number}: {line}"
                for number, line in enumerate(lines, start=1)
                if MACHINE.search(line)
            ]
    assert files == []
