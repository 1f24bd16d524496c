"""The command `textclf upgrade`: bring a project to the installed version of textclf."""

import argparse

from textclf.core.outputs import outputs
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.params import parse
from textclf.project.init.command import require_committed
from textclf.project.upgrade.migrate import migrate


def run(arguments: argparse.Namespace) -> None:
    """Print what changes, then migrate params.yaml."""
    load_yaml(PARAMS_FILE)
    text, sentences = migrate(PARAMS_FILE.read_text(encoding="utf-8"))
    parse(text)
    if sentences and not arguments.dry_run:
        require_committed(arguments.force)
    print(*(f"{PARAMS_FILE}: {sentence}" for sentence in sentences or ["up to date"]), sep="\n")
    if sentences and not arguments.dry_run:
        with outputs(PARAMS_FILE) as (scratch,):
            scratch.write_text(text, encoding="utf-8", newline="\n")
        print(f"git diff shows all changes; git checkout {PARAMS_FILE} undoes them; next: textclf check")
    print("Git updates the other files of a clone of textclf")
