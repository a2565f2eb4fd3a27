"""The commands' names, and the one place where an error becomes a line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from kerasrun import environment
from kerasrun.errors import InputError, KerasrunError, unknown

# Each is a module of this package (with _ for -) with a function of that name, or, where it has commands, an `app`
COMMANDS = (
    "train", "resume", "verify", "show", "check", "find-rate", "diagnose", "step", "regions", "compare", "plot",
    "evaluate", "predict", "mistakes", "export", "sweep", "tune", "claims", "experiments", "merge", "runs",
    "datasets", "recipes", "doctor",
)  # fmt: skip
SETTINGS: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
UsageError: Any = typer.BadParameter.__base__  # typer carries a copy of click of its own, under changing names


class Commands(TyperGroup):
    """The commands; the module of each is loaded when it is asked for, so that none waits for what another needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the help."""
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        plain = cmd_name.replace("-", "_")
        module, alone = import_module(f"kerasrun.cli.{plain}"), typer.Typer(**SETTINGS)
        if hasattr(module, "app"):
            alone.add_typer(module.app, name=cmd_name)
        else:
            alone.command(cmd_name)(getattr(module, plain))
        return get_group(alone).commands[cmd_name]


app = typer.Typer(
    cls=Commands,
    name="kerasrun",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **SETTINGS,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"kerasrun {metadata.version('kerasrun')}")
        raise typer.Exit()


@app.callback()
def _program(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_show_version)] = False,
) -> None:
    """A laboratory for Keras networks: train, record and compare them."""


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
    if command is not None and hasattr(command, "list_commands") and message.startswith("No such command"):
        return unknown("command", message.split("'")[1], command.list_commands(error.ctx))
    path = error.ctx.command_path if error.ctx else "kerasrun"
    return InputError(f"{message}\nsee {path} --help")
