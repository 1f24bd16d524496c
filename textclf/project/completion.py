"""Print the completion script of a shell for the command `textclf`."""

from textclf.cli import build_parser
from textclf.project.arguments import Completion


def run(arguments: Completion) -> None:
    """Print the script."""
    import shtab

    print(shtab.complete(build_parser(), arguments.shell))
