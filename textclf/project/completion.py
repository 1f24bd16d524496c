"""Print the completion script of a shell for the command `textclf`."""

import argparse

from textclf.cli import build_parser


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    print(shtab.complete(build_parser(), arguments.shell))
