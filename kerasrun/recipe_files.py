"""A recipe read from its file as syntax, without executing anything.

The only module that knows what in a Python file is a recipe: a public function whose first argument is `task`.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kerasrun.errors import InputError, unknown
from kerasrun.knobs import Knob, read_knobs

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class RecipeEntry:
    """What is known of a recipe before it is executed.

    Args:
        name: the recipe's name: its function's, or an entry point's.
        reference: text by which `catalog.recipe` finds it again: the name, or "/path/file.py:function".
        path: its file.
        function: its function's name.
        style: "Sequential", "Functional" or "other": how the model is built.
        knobs: its knobs by name, in the order of the signature.
        doc: the function's docstring, else the file's.
        source: the file's text.
        default_for: datasets that start with it.
    """

    name: str
    reference: str
    path: Path
    function: str
    style: str
    knobs: Mapping[str, Knob]
    doc: str
    source: str
    default_for: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The sha256 of the file's syntax without docstrings, so that comments and layout do not matter."""
        return fingerprint(self.source)


@functools.lru_cache(maxsize=64)  # a sweep asks for it once a cell
def fingerprint(source: str) -> str:
    """Return the sha256 of a Python file's syntax without docstrings.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _Definition) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def read_recipe(path: Path, function: str | None = None) -> RecipeEntry:
    """Read a recipe from a file.

    Args:
        path: a Python file.
        function: the function's name; by default the one named as the file, else the only one that takes a task.

    Raises:
        InputError: no such file or function, a file that does not parse, or a knob that cannot be read.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"recipe file {path}: {(error.strerror or str(error)).lower()}") from None
    return _read(path.resolve(), function, changed)


@functools.cache
def _read(path: Path, function: str | None, _changed: int) -> RecipeEntry:
    try:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"recipe file {path}, line {error.lineno}: not Python: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"recipe file {path} cannot be read: {error}") from None
    found = _function(tree, path, function)
    return RecipeEntry(
        name=found.name,
        reference=f"{path}:{found.name}",
        path=path,
        function=found.name,
        style=_style(found),
        knobs=read_knobs(found, f"{path}: {found.name}"),
        doc=inspect.cleandoc(ast.get_docstring(found) or ast.get_docstring(tree) or ""),
        source=source,
    )


def _function(tree: ast.Module, path: Path, wanted: str | None) -> ast.FunctionDef:
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    recipes = [name for name, node in functions.items() if not name.startswith("_") and _takes_task(node)]
    if wanted is not None:
        if wanted not in functions:
            raise unknown(f"recipe in {path.name}", wanted, recipes)
        return functions[wanted]
    if path.stem in functions:
        return functions[path.stem]
    if len(recipes) != 1:
        many = f"{len(recipes)} recipes: {', '.join(recipes)}" if recipes else "no recipe: def name(task, *, …)"
        raise InputError(f"recipe file {path} holds {many}\nname one: {path.name}:{recipes[0] if recipes else 'name'}")
    return functions[recipes[0]]


def _takes_task(node: ast.FunctionDef) -> bool:
    return [argument.arg for argument in node.args.posonlyargs + node.args.args][:1] == ["task"]


def _style(function: ast.FunctionDef) -> str:
    """Return how a recipe builds its model, by the calls in it."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    called = {getattr(call, "attr", None) or getattr(call, "id", None) for call in calls}
    return "Functional" if "Model" in called else "Sequential" if "Sequential" in called else "other"
