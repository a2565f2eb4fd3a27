"""From the words of a command line to names and values: `name=value` words and the options that mean the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from os.path import exists
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import own_data
from kerasrun.errors import InputError, shown, unknown
from kerasrun.experiment import setting_fields

Results = Annotated[Path, typer.Option("--results", envvar="KERASRUN_RESULTS", help="Folder of all runs.")]
OtherResults = Annotated[Path | None, typer.Option("--results", help="Folder of all runs.", show_default=False)]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="DATASET|FILE.toml|NAME=VALUE",
        help="A dataset's name, a data file or an experiment file; then knobs and settings.",
        show_default=False,
    ),
]


class Form(StrEnum):
    """How a list is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MD = "md"


class Part(StrEnum):
    """Parts of a run's data that it was not fitted to."""

    TEST = "test"
    VALIDATION = "validation"


Format = Annotated[Form, typer.Option("--format", help="How the list is written.")]
Run = Annotated[str, typer.Argument(help="A run; last without.", show_default=False)]
Workers = Annotated[str, typer.Option(help="How many runs train at a time; auto by cores, memory, GPUs.")]
Recipe = Annotated[str | None, typer.Option(help="The recipe's file, where the run's copy may not be used.")]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every setting and every way of reading data; it receives those given as `options`.

    Args:
        command: takes a keyword-only `options`, a dict of names and values.
    """
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "options"]
    kind = inspect.Parameter.KEYWORD_ONLY
    listed = [
        inspect.Parameter(
            "recipe", kind, default=None, annotation=_option("recipe", "a recipe's name or file.py:function")
        )
    ]
    flags = {name: field.default is False or name == "jit" for name, field in setting_fields().items()}
    flags |= {name: option.flag for name, option in own_data.options().items()}
    helps = {name: field.metadata["help"] for name, field in setting_fields().items()}
    helps |= {name: option.help for name, option in own_data.options().items()}
    for name, flag in flags.items():
        annotation = _option(name, helps[name], bool if flag else str)
        listed.append(inspect.Parameter(name, kind, default=None, annotation=annotation))

    def with_options(**values: Any) -> None:
        options = {p.name: values.pop(p.name) for p in listed}
        command(**values, options={name: value for name, value in options.items() if value is not None})

    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    signature = inspect.Signature([*own, *listed])
    with_options.__signature__ = signature  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return with_options


def split(words: Sequence[str], options: Mapping[str, Any]) -> tuple[str | None, Path | None, dict[str, Any]]:
    """Return the dataset, the experiment file, and every name with its value, from words in any order.

    Args:
        words: `name=value`, a dataset's name, or a path; an existing path may hold "=".
        options: what was given as options.

    Raises:
        InputError: two datasets, or a name that is given twice.
    """
    subjects, given = named(words, options)
    files = [word for word in subjects if word.endswith(".toml")]
    datasets = [word for word in subjects if word not in files]
    if "dataset" in given:
        datasets.append(given.pop("dataset"))
    for kind, found in (("dataset", datasets), ("experiment file", files)):
        if len(found) > 1:
            listed = ", ".join(shown(word) for word in found[:3])
            raise InputError(
                f"one {kind} is wanted, not {len(found)}: {listed}\nknobs and settings are written name=value"
            )
    if not files and not datasets:
        raise InputError("which dataset? e.g. kerasrun train digits · kerasrun datasets lists them")
    return datasets[0] if datasets else None, Path(files[0]) if files else None, given


def named(words: Sequence[str], options: Mapping[str, Any] | None = None) -> tuple[list[str], dict[str, Any]]:
    """Return the words that name something, and every `name=value` with the options, a name's hyphens as underscores.

    Raises:
        InputError: a name that is given twice.
    """
    given = dict(options or {})
    subjects: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or any(mark in name for mark in "(:/") or exists(word):  # imdb(num_words=500), a=b.npz
            subjects.append(word)
            continue
        name = name.strip().replace("-", "_")
        if name in given:
            raise InputError(
                f"{shown(name)} is given twice: {shown(given[name])} and {shown(value)}\nleave one of them out"
            )
        given[name] = value
    return subjects, given


def ending(output: Path | None, known: Sequence[str]) -> str:
    """Return what an output file's name ends in, without the dot; "" where there is none.

    Raises:
        InputError: none of the known endings.
    """
    if output is None:
        return ""
    found = output.suffix.lower().removeprefix(".")
    if found not in known:
        raise unknown("kind of file", found or output.name, known)
    return found


def _option(name: str, help: str, kind: type = str) -> Any:
    spelled = "--" + name.replace("_", "-")
    if kind is bool:
        return Annotated[
            bool | None, typer.Option(f"{spelled}/--no-{spelled[2:]}", help=_sentence(help), show_default=False)
        ]
    return Annotated[
        str | None,
        typer.Option(spelled, help=_sentence(help), show_default=False, metavar=_metavar(name)),
    ]


def _sentence(help: str) -> str:
    return f"{help[0].upper()}{help[1:]}."


def _metavar(name: str) -> str:
    return name.rpartition("_")[2].upper()
