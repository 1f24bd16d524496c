"""Parsers of command lines whose errors look like those of the stages and commands."""

import argparse
from typing import NoReturn

from textclf.core.failures import USAGE_ERROR, complain


class Parser(argparse.ArgumentParser):
    """A parser that answers a wrong command line with one line and exit code 2; argparse prints the usage as well."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, under the name of the stage or command, and exit."""
        name = self.prog.replace(".", " ").split()[-1]
        complain(f"error: {name}: {message}; {self.prog} --help lists the arguments")
        raise SystemExit(USAGE_ERROR)
