"""dvc.yaml, params.yaml and the settings of the project, held against the code."""

import ast
import configparser
import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from tests.verify import ROOT, project_files
from textclf import params as rules

MODELS = get_args(rules.Model)
FILES = project_files()
CODE = [name for name in FILES if name.startswith(("stages/", "textclf/")) and name.endswith(".py")]
LOADER = "textclf/models/__init__.py"  # imports the module of the model that it is given
PACKAGE = "textclf/__init__.py"
UNSAFE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|work)/\w")  # the start of somebody's path


def content(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


DVC = content("dvc.yaml")
STUDIES = content("studies/dvc.yaml")["stages"]
DECLARED = DVC["stages"] | STUDIES
PARAMS = content("params.yaml")


def resolved_stages() -> dict[str, dict[str, Any]]:
    """The stages of both dvc.yaml with the path of params, `train` once for every model that params may name."""
    stages = {}
    for name, stage in json.loads(json.dumps(DECLARED).replace("${data.path}", PARAMS["data"]["path"])).items():
        if "matrix" in stage:
            for model in MODELS:
                stages[f"{name}@{model}"] = json.loads(json.dumps(stage).replace("${item.model}", model))
        else:
            stages[name] = stage
    return stages


STAGES = resolved_stages()
each_stage = pytest.mark.parametrize("stage", STAGES)
each_file = pytest.mark.parametrize("file", CODE)


def paths(stage: str, *kinds: str) -> set[str]:
    """Paths of the deps, outs, ... of a stage; an entry is a path, or a path with its options."""
    entries = [entry for kind in kinds for entry in STAGES[stage].get(kind, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def command(stage: str) -> list[str]:
    return shlex.split(STAGES[stage]["cmd"])


def script(stage: str) -> str:
    """The file of the module that its command runs."""
    return command(stage)[2].replace(".", "/") + ".py"


def base(stage: str) -> str:
    """Its name in dvc.yaml."""
    return stage.partition("@")[0]


def model(stage: str) -> set[str]:
    """The model that it trains, if any."""
    return {stage.partition("@")[2]} - {""}


def code(stage: str) -> set[str]:
    """Scripts and packages of the project among its deps."""
    return {path for path in paths(stage, "deps") if path.startswith(("stages/", "textclf/"))} - {"textclf/templates"}


def package(file: str) -> str:
    """The package of textclf that a file lies in; the file itself elsewhere."""
    parts = file.split("/")
    return "/".join(parts[:2]) if parts[0] == "textclf" else file


def data(stage: str) -> set[str]:
    return {path for path in paths(stage, "deps") if not path.startswith(("stages/", "textclf/"))} | outs(stage)


def outs(stage: str) -> set[str]:
    return paths(stage, "outs", "metrics", "plots")


ALL_OUTS = set().union(*(outs(stage) for stage in STAGES))


def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below one, functions' bodies included, but for what only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from runtime_nodes(child)


def code_of_stages(file: str) -> ast.Module:
    """A file's code, without what textclf itself has for those who import it: no stage calls that."""
    whole = tree(file)
    if file == PACKAGE:
        whole.body = [node for node in whole.body if not (isinstance(node, ast.FunctionDef) and node.name == "load")]
    return whole


def imported_names(file: str) -> Iterator[str]:
    """Dotted names that a file imports; of `from a import b`, both a and a.b, which may be a module."""
    for node in runtime_nodes(code_of_stages(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import, which this test can't follow"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def project_modules(name: str) -> Iterator[str]:
    """Files of the project that the import of a dotted name runs: packages on the way, then the module."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        stem = "/".join(parts[:end])
        for candidate in (f"{stem}/__init__.py", f"{stem}.py"):
            if (ROOT / candidate).is_file():
                yield candidate


def closure(*files: str) -> set[str]:
    """The files, and those of the project that they import, and so on."""
    reached: set[str] = set()
    waiting = [*files]
    while waiting:
        if (file := waiting.pop()) not in reached:
            reached.add(file)
            waiting += [module for name in imported_names(file) for module in project_modules(name)]
    return reached


@each_stage
def test_the_packages_among_a_stages_deps_are_those_that_its_script_imports(stage: str) -> None:
    trained = MODELS if base(stage) == "train" or stage in STUDIES else ()
    reached = closure(script(stage), *(f"textclf/models/{name}.py" for name in trained)) - {PACKAGE}
    assert code(stage) == set(map(package, reached))


def test_only_the_loader_of_models_imports_by_a_computed_name() -> None:
    pattern = re.compile(r"\b(import_module|__import__|exec_module|run_path|run_module)\b")
    assert [file for file in CODE if pattern.search(ast.unparse(tree(file)))] == [LOADER]


@each_stage
def test_a_command_names_the_data_of_its_stage_and_no_other_path(stage: str) -> None:
    python, option, _, *arguments = command(stage)
    assert [python, option] == ["python", "-m"]
    assert sorted(arguments) == sorted(data(stage) | model(stage))


@pytest.mark.parametrize("stage", ["split", "crossvalidate"])
def test_a_path_of_the_users_with_a_space_stays_one_argument(stage: str) -> None:
    assert "my rows.csv" in shlex.split(DECLARED[stage]["cmd"].replace("${data.path}", "my rows.csv"))


@each_stage
def test_a_stage_says_what_it_is_for(stage: str) -> None:
    assert STAGES[stage]["desc"].endswith(".")


def test_every_stage_is_a_script_of_its_name_and_every_script_a_stage() -> None:
    scripts = {file for file in CODE if file.startswith("stages/")}
    assert {script(stage): base(stage) for stage in STAGES} == {file: Path(file).stem for file in scripts}


def test_the_models_trained_are_those_of_params() -> None:
    assert {name: stage["matrix"] for name, stage in DVC["stages"].items() if "matrix" in stage} == {
        "train": {"model": "${train.models}"}
    }
    assert set(PARAMS["train"]["models"]) <= set(MODELS)
    assert {name for name in PARAMS["train"] if name != "models"} == set(MODELS)
    assert set(MODELS) <= {Path(file).stem for file in CODE if file.startswith("textclf/models/")}


@each_stage
def test_a_stage_depends_on_whole_sections_of_params(stage: str) -> None:
    # A whole section also catches a key that is removed; without data.path DVC can not read dvc.yaml at all.
    whole = set(PARAMS) | {f"train.{name}" for name in PARAMS["train"]} | {"data.path"}
    assert set(STAGES[stage].get("params", [])) <= whole


def params_read(file: str) -> set[str]:
    """What a script takes from its params, dotted: `data.path` for `params.data.path`."""
    nodes = [node for node in runtime_nodes(tree(file)) if isinstance(node, ast.Attribute)]
    inner = {id(node.value) for node in nodes}
    whole = [ast.unparse(node) for node in nodes if id(node) not in inner]
    return {name.removeprefix("params.") for name in whole if name.startswith("params.")}


@each_stage
def test_a_stage_depends_on_the_params_that_its_script_reads(stage: str) -> None:
    # train takes the section of the model that it is given.
    declared = {name.removesuffix(f".{stage.partition('@')[2]}") for name in STAGES[stage].get("params", [])}
    read = params_read(script(stage))
    assert {name for name in read if not any(f"{name}.".startswith(f"{key}.") for key in declared)} == set()
    if stage not in STUDIES:  # a study hands all params on to what it calls
        assert {key for key in declared if not any(f"{name}.".startswith(f"{key}.") for name in read)} == set()


def sections(section: type[rules.Section], name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Dotted name and keys of a section and of those within, as the rules have them."""
    yield name, list(section.model_fields)
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, rules.Section):
            yield from sections(field.annotation, f"{name}.{key}".lstrip("."))


@pytest.mark.parametrize(("section", "keys"), [*sections(rules.Params)])
def test_params_has_the_keys_of_the_rules_in_their_order(section: str, keys: list[str]) -> None:
    found = PARAMS
    for part in filter(None, section.split(".")):
        found = found[part]
    assert list(found) == keys


@each_stage
def test_a_scripts_docstring_says_what_it_reads_writes_and_depends_on(stage: str) -> None:
    docstring = ast.get_docstring(tree(script(stage))) or ""
    said = dict(re.findall(r"^(Reads|Writes|Params): (.+?)\.?$", docstring, re.MULTILINE))
    declared = ", ".join(DECLARED[base(stage)].get("params", ["none"]))
    assert list(said) == ["Reads", "Writes", "Params"]
    assert said["Params"].replace("<model>", "${item.model}") == declared


PLOTS = [entry if isinstance(entry, dict) else {entry: None} for entry in DVC["plots"]]
DRAWN = {title: options for entry in PLOTS for title, options in entry.items() if options}


def test_every_plot_draws_outs() -> None:
    drawn = {file for options in DRAWN.values() for file in options["y"]}
    images = {name for entry in PLOTS for name, options in entry.items() if not options}
    assert drawn | images <= ALL_OUTS
    assert images == {out for out in ALL_OUTS if out.endswith(".svg")}


@pytest.mark.parametrize("title", DRAWN)
def test_a_plot_names_columns_of_its_file(title: str) -> None:
    for name, column in DRAWN[title]["y"].items():
        with (ROOT / name).open(encoding="utf-8", newline="") as file:
            assert {column, DRAWN[title]["x"]} <= set(next(csv.reader(file)))


def test_every_template_is_json_with_a_place_for_the_data_and_is_used() -> None:
    templates = {Path(name).stem: name for name in FILES if name.startswith(".dvc/plots/")}
    assert set(templates) == {options["template"] for options in DRAWN.values()}
    for name in templates.values():
        assert json.loads((ROOT / name).read_text(encoding="utf-8"))["data"]["values"] == "<DVC_METRIC_DATA>"


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
    assert {out for out, by_dvc in cached.items() if not by_dvc} <= set(FILES)
    assert not [file for file in FILES if file.startswith(("data/", "models/"))]


def test_dvc_sends_no_analytics() -> None:
    config = configparser.ConfigParser()
    config.read_string((ROOT / ".dvc/config").read_text(encoding="utf-8"))
    assert not config.getboolean("core", "analytics")


@pytest.mark.parametrize("file", [name for name in FILES if name.startswith("requirements/")])
def test_every_requirement_is_locked_by_hash_and_none_by_url(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    requirements = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    assert requirements
    assert [line for line in requirements if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []
    assert "://" not in text


@each_file
def test_no_code_can_run_what_data_says(file: str) -> None:
    # What is unpickled or evaluated may be a program.
    roots = {name.split(".")[0] for name in imported_names(file)}
    calls = {ast.unparse(node.func) for node in runtime_nodes(tree(file)) if isinstance(node, ast.Call)}
    assert not UNSAFE & roots
    assert not {"eval", "exec", "yaml.unsafe_load", "yaml.full_load"} & calls
    assert "allow_pickle=True" not in ast.unparse(tree(file))


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = []
    for name in FILES:
        content = (ROOT / name).read_bytes()
        if b"\0" not in content and not name.startswith("requirements/"):
            lines = content.decode("utf-8").splitlines()
            found += [f"{name}:{number}: {line}" for number, line in enumerate(lines, start=1) if MACHINE.search(line)]
    assert found == []
