"""Names -> datasets and recipes, read without executing them.

The only module that knows where datasets and recipes are looked up: the table of named datasets, the folder of recipes
(file name = recipe name), installed packages' entry points, and the user's own files by their paths.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from os.path import expanduser
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kerasrun import own_data
from kerasrun.dataset_table import DatasetEntry, Download, entries
from kerasrun.errors import InputError, KerasrunError, shown, unknown
from kerasrun.knobs import Knob
from kerasrun.literals import format_call, format_value, parse_call
from kerasrun.own_data import TABLE_ENDINGS, Source
from kerasrun.recipe_files import RecipeEntry, read_recipe

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["DatasetEntry", "Download", "Knob", "RecipeEntry", "Source", "canonical", "dataset", "datasets", "recipe",
           "recipes", "source"]  # fmt: skip

_GROUP = "kerasrun.recipes"
_SMALLEST_VOCABULARY = 4  # Keras keeps the numbers 0 to 2 for padding, start and unknown words


def datasets() -> dict[str, DatasetEntry]:
    """Return the named datasets; files and synthetic data are not among them."""
    return entries()


def source(text: str, given: Mapping[str, Any] = MappingProxyType({})) -> Source:
    """Return how a dataset is understood, without opening data of one's own.

    Args:
        text: as in `dataset`.
        given: settings and options by name, as they are written.

    Raises:
        InputError: unknown name or argument.
    """
    found = own_data.source_of(text, given)
    if found is not None:
        return found
    return own_data.source_named(_named_dataset(text)[0])


def dataset(text: str, options: Mapping[str, Any] = MappingProxyType({})) -> tuple[DatasetEntry, Mapping[str, Any]]:
    """Find a dataset.

    Args:
        text: a name, "imdb(num_words=5000)", "synthetic:<name>", or a path. Hyphens and underscores are equal.
        options: how data of one's own is read, one value for each option of its source.

    Returns:
        The entry, whose task follows from the arguments, and the dataset's arguments with defaults filled in; for data
        of one's own the options in canonical form.

    Raises:
        InputError: unknown name or argument, or a file that cannot be read.
    """
    own = own_data.source_of(text, options)
    if own is not None:
        return import_module(own.module).describe(Path(expanduser(text.strip())), options)
    entry, arguments = _named_dataset(text)
    own = own_data.source_named(entry)
    if not own.module:
        return entry, arguments
    copy = own_data.copy_of(entry.name)
    if copy is None or not options:
        return entry, {**options, "task": entry.task.kind}
    found, options = import_module(own.module).describe(copy, options)
    return replace(found, name=entry.name, settings=entry.settings), options


def _named_dataset(text: str) -> tuple[DatasetEntry, Mapping[str, Any]]:
    """Return a dataset that is no path of data of one's own, and its arguments.

    Raises:
        InputError: as `dataset`.
    """
    prefix, colon, name = text.partition(":")
    if colon and prefix.strip().lower() == "synthetic":
        if own_data.source_of(name) or name.strip().endswith(".npz"):
            raise InputError(f"synthetic: takes a dataset's name, not a file: {name}")
        entry, arguments = _named_dataset(name)
        return _synthetic(entry), arguments
    if text.strip().endswith(".npz"):
        return _file(Path(expanduser(text.strip())))
    if "/" in text.partition("(")[0]:
        raise InputError(f"{shown(text)}: no such folder, and no file of a kind that can be trained on")
    given, arguments = parse_call(text)
    found = next((name for name in entries() if _same(name, given)), None)
    if found is None:
        error = unknown("dataset", given, entries())
        files = ", ".join((*TABLE_ENDINGS, ".npz"))
        raise InputError(f"{error}\nor synthetic:<name>, a path ending in {files}, or a folder of images")
    entry = entries()[found]
    _check_arguments(entry, arguments)
    arguments = {**entry.arguments, **arguments}
    return (entries(arguments)[found] if arguments else entry), arguments


def canonical(entry: DatasetEntry, arguments: Mapping[str, Any]) -> str:
    """Return the text by which `dataset` finds an entry again: arguments that are not the defaults, a file's path."""
    if entry.is_own:
        return entry.name
    defaults = entries().get(entry.name.removeprefix("synthetic:"), entry).arguments
    return format_call(entry.name, {name: value for name, value in arguments.items() if value != defaults.get(name)})


def recipes() -> dict[str, RecipeEntry]:
    """Return the built-in recipes and those of installed packages, sorted by name; what cannot be read is left out."""
    found = {name: _read_entry_point(point) for name, point in _entry_points().items()}
    readable = {name: entry for name, entry in found.items() if isinstance(entry, RecipeEntry)}
    return dict(sorted({**readable, **{name: _built_in(name) for name in _built_in_names()}}.items()))


def recipe(text: str) -> RecipeEntry:
    """Find a recipe.

    Args:
        text: a built-in's name, an installed package's, "file.py:function" or "file.py".

    Raises:
        InputError: unknown name, no such file or function, or a file that cannot be read as a recipe.
    """
    text = text.strip()
    path, _, function = text.partition(".py:")
    if text.endswith(".py") or function:
        return read_recipe(Path(expanduser(path.removesuffix(".py") + ".py")), function or None)
    found = next((name for name in _built_in_names() if _same(name, text)), None)
    if found:
        return _built_in(found)
    points = _entry_points()
    if text not in points:
        raise InputError(
            f"{unknown('recipe', text, [*_built_in_names(), *points])}\nor a file of your own: my_models.py:name"
        )
    entry = _read_entry_point(points[text])
    if isinstance(entry, KerasrunError):
        raise entry
    return entry


def _same(name: str, given: str) -> bool:
    return name.replace("_", "-") == given.strip().lower().replace("_", "-")


def _synthetic(entry: DatasetEntry) -> DatasetEntry:
    name = f"synthetic:{entry.name}"
    return replace(
        entry,
        name=name,
        source="synthetic",
        description=f"made-up data of the shapes of {entry.name}",
        task=replace(entry.task, name=name),
        settings={} if entry.source in ("tables", "texts") else entry.settings,
        downloads=(),
    )


def _file(path: Path) -> tuple[DatasetEntry, dict[str, Any]]:
    from kerasrun.npz_header import read_header  # brings NumPy with it, which no other name needs

    header = read_header(path)
    entry = DatasetEntry(
        name=str(path.resolve()),
        source="arrays",
        description=f"the arrays of {path.name}",
        task=header.task,
        raw_dtype=header.raw_dtype,
        train=header.train,
        test=header.test,
        scale="unit" if header.raw_dtype == "uint8" else "standardize",
    )
    return entry, {}


def _check_arguments(entry: DatasetEntry, arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        if name not in entry.arguments:
            raise unknown(f"argument of dataset {entry.name}", name, entry.arguments)
        least = _SMALLEST_VOCABULARY if name == "num_words" else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InputError(f"{entry.name}: {name} must be a whole number, {least} or more, not {format_value(value)}")


@functools.cache
def _built_in_names() -> tuple[str, ...]:
    folder = Path(__file__).parent / "recipes"
    return tuple(sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")))


def _built_in(name: str) -> RecipeEntry:
    path = Path(__file__).parent / "recipes" / f"{name}.py"
    return _named(read_recipe(path, name), name)


def _named(entry: RecipeEntry, name: str) -> RecipeEntry:
    return replace(entry, name=name, reference=name, default_for=_starting_with(name))


@functools.cache
def _starting_with(name: str) -> tuple[str, ...]:
    """Return the datasets that start with a recipe."""
    return tuple(dataset.name for dataset in entries().values() if dataset.recipe == name)


@functools.cache
def _entry_points() -> dict[str, EntryPoint]:
    from importlib import metadata  # 25 ms, which the built-in recipes have no use for

    return {point.name: point for point in metadata.entry_points(group=_GROUP)}


def _read_entry_point(point: EntryPoint) -> RecipeEntry | KerasrunError:
    """Return an installed package's recipe, found without importing the package, or why it cannot be read."""
    try:
        path = _module_file(point.module)
        if path is None:
            return InputError(f"recipe '{point.name}': module {point.module} is not installed as a Python file")
        return _named(read_recipe(path, point.attr or None), point.name)
    except KerasrunError as error:
        return error


def _module_file(module: str) -> Path | None:
    """Return a module's file; `find_spec` of a submodule would import its package, so only the top one is asked for."""
    top, *rest = module.split(".")
    found = importlib.util.find_spec(top)
    if found is None or not found.origin:
        return None
    if not rest:
        return Path(found.origin)
    for folder in found.submodule_search_locations or []:
        base = Path(folder).joinpath(*rest)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None
