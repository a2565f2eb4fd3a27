"""The command line: a doormat. Each command parses its words, makes one call and shows the result."""

from kerasrun.cli.app import main

__all__ = ["main"]
