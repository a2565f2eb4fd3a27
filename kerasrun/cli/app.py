"""The commands' names, and the one place where an error becomes a line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.main import get_command

from kerasrun import environment
from kerasrun.cli import compare, datasets, doctor, merge, recipes, resume, runs, show, train, verify
from kerasrun.errors import InputError, KerasrunError, unknown

UsageError: Any = typer.BadParameter.__base__  # typer carries a copy of click of its own, under changing names

app = typer.Typer(
    name="kerasrun",
    help="A laboratory for Keras networks: train, record and compare them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train")(train.train)
app.command("resume")(resume.resume)
app.command("verify")(verify.verify)
app.command("show")(show.show)
app.command("compare")(compare.compare)
app.command("merge")(merge.merge)
app.add_typer(runs.app, name="runs")
app.add_typer(datasets.app, name="datasets")
app.command("recipes")(recipes.recipes)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command that the process was started with."""
    environment.hidden_from_keras = ("pandas", "sklearn")
    debug = "--debug" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        code = get_command(app).main(words, prog_name="kerasrun", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except BrokenPipeError:  # `kerasrun compare | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (KerasrunError, UsageError) as error:
        if debug:
            raise
        fault = error if isinstance(error, KerasrunError) else _usage(error)
        print(fault, file=sys.stderr)
        sys.exit(fault.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _usage(error: Any) -> InputError:
    """Return a wrong option or command in the program's own words."""
    command = getattr(error.ctx, "command", None)
    wrong = getattr(error, "option_name", None)
    if wrong and command and type(error).__name__ == "NoSuchOption":
        return unknown(
            "option", wrong, [name for parameter in command.params for name in parameter.opts if name[:1] == "-"]
        )
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        return InputError(message)  # the help itself
    if command is not None and hasattr(command, "commands") and message.startswith("No such command"):
        return unknown("command", message.split("'")[1], command.commands)
    path = error.ctx.command_path if error.ctx else "kerasrun"
    return InputError(f"{message}\nsee {path} --help")
