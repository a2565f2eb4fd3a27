"""The names and arguments that the installed Keras knows, read from its source without importing it.

Importing Keras loads TensorFlow (seconds); parsing the files of one family takes a few hundredths of a second. This is
the only module that knows how Keras's source is laid out: `keras/src/<family>s/*.py`, one class (or, for activations,
one function) an object, made public by `@keras_export`, and `ALL_OBJECTS` in `__init__.py`, found by a bare name.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kerasrun.errors import KerasrunError

FAMILIES = ("optimizer", "loss", "metric", "activation", "initializer", "regularizer", "constraint")
REQUIRED = object()  # stands where an argument has no default

_PLURALS = {"loss": "losses"}
# Public, but no objects to choose by name: base classes, wrappers around others, and running sums of plain values.
_NOT_OFFERED = {
    "Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "Loss", "LossFunctionWrapper", "Metric",
    "Mean", "Sum", "MeanMetricWrapper", "Initializer", "RandomInitializer", "Regularizer", "Constraint",
}  # fmt: skip
# Nothing that a user's text should set: Keras's bookkeeping. A metric's name is its column, and may be chosen.
_BOOKKEEPING = {"optimizer": {"name"}, "loss": {"name", "dtype"}, "metric": {"dtype"}}
_SHORT_METRICS = {
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}


@dataclass(frozen=True)
class KerasName:
    """One object of Keras, as its source declares it.

    Args:
        name: canonical name in snake_case.
        module: public module, for example "keras.optimizers".
        symbol: name of the class or function in that module.
        arguments: names and defaults in the order of the signature; REQUIRED where there is no default.
        spellings: further names, as Keras exports them.
        found_by_name: whether Keras's own `get` builds it from the canonical name alone.
    """

    name: str
    module: str
    symbol: str
    arguments: dict[str, object]
    spellings: tuple[str, ...]
    found_by_name: bool


@functools.cache
def names(family: str) -> dict[str, KerasName]:
    """Return what one family offers, by canonical name, sorted.

    Args:
        family: one of FAMILIES.

    Raises:
        KerasrunError: Keras is not installed.
    """
    folder = source_folder() / _plural(family)
    trees = {path: _parse(path) for path in sorted(folder.glob("*.py")) if not path.stem.endswith("_test")}
    by_itself = _found_by_name(trees.pop(folder / "__init__.py"))
    definitions = {node.name: node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    found = {}
    for path, tree in trees.items():
        for node, exports in _public(tree, family):
            name = _canonical(family, node.name, path.stem)
            given = _bare_name(family, node.name)
            found[name] = KerasName(
                name=name,
                module=f"keras.{_plural(family)}",
                symbol=exports[0],
                arguments=_arguments(node, definitions, family),
                spellings=(*dict.fromkeys([*exports, given]),),
                found_by_name=name == given
                and (name if family == "loss" else node.name) in by_itself
                and not _reads_config(node),
            )
    return dict(sorted(found.items()))


def saved_form(activation: str, arguments: frozenset[str]) -> tuple[str, str] | None:
    """Return module and class of what computes an activation with arguments and can be saved and loaded in safe mode.

    A function with its arguments filled in cannot be saved. Keras has layers for some activations and, for the others,
    operations, which it stores itself wherever one is called on a symbolic tensor.

    Args:
        activation: canonical name of the activation.
        arguments: names of the arguments to be set.

    Returns:
        For example ("keras.layers", "LeakyReLU") or ("keras.src.ops.nn", "Gelu"); None where there is no such class.
    """
    wanted = squash(activation)
    for path in sorted((source_folder() / "layers" / "activations").glob("*.py")):
        if squash(path.stem) == wanted:
            for node in _classes(_parse(path), wanted, arguments):
                return "keras.layers", node.name
    for node in _classes(_operations(), wanted, arguments):
        return "keras.src.ops.nn", node.name
    return None


def squash(name: str) -> str:
    """Return a name without what spellings differ in: case, hyphens and underscores."""
    return re.sub(r"[-_\s]", "", name).lower()


@functools.cache
def source_folder() -> Path:
    """Return the folder of the installed Keras's source.

    Raises:
        KerasrunError: Keras is not installed.
    """
    found = importlib.util.find_spec("keras")
    if found is None or not found.submodule_search_locations:
        raise KerasrunError("Keras is not installed in this environment\ninstall it with: pip install 'keras>=3.15'")
    return Path(found.submodule_search_locations[0]) / "src"


def _plural(family: str) -> str:
    return _PLURALS.get(family, family + "s")


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _operations() -> ast.Module:
    return _parse(source_folder() / "ops" / "nn.py")


def _classes(tree: ast.Module, wanted: str, arguments: frozenset[str]) -> Iterator[ast.ClassDef]:
    """Yield the classes of a module that bear a name, however spelt, and take the arguments."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and squash(node.name) == wanted:
            constructor = _constructor(node)
            if constructor and arguments <= set(_signature(constructor.args)):
                yield node


def _found_by_name(package: ast.Module) -> set[str]:
    """Return the names of the classes and functions in `ALL_OBJECTS = {…}` of a family's __init__.py."""
    for node in package.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Set):
            return {element.id for element in node.value.elts if isinstance(element, ast.Name)}
    return set()


def _public(tree: ast.Module, family: str) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef, list[str]]]:
    """Yield the definitions that a family's module exports, each with its exported names, its own name first."""
    kind: type = ast.FunctionDef if family == "activation" else ast.ClassDef
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and isinstance(node, kind):
            exports = [path.rpartition(".")[2] for path in _export_paths(node) if f".{_plural(family)}." in path]
            if exports and node.name not in _NOT_OFFERED:
                yield node, sorted(exports, key=lambda name: name != node.name)


def _export_paths(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "keras_export":
            paths = ast.literal_eval(decorator.args[0])
            return [paths] if isinstance(paths, str) else list(paths)
    return []


def _canonical(family: str, symbol: str, file_stem: str) -> str:
    """Return the canonical name: an optimizer's is its file's ("schedule_free_adamw"), others follow the class's."""
    if family == "optimizer" and squash(file_stem) == symbol.lower():
        return file_stem
    name = _bare_name(family, symbol)
    return _SHORT_METRICS.get(name, name) if family == "metric" else name


def _bare_name(family: str, symbol: str) -> str:
    """Return the string by which Keras itself looks an object up (keras/src/utils/naming.py, to_snake_case)."""
    if family == "optimizer":
        return symbol.lower()
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", symbol)).lower()


def _arguments(
    node: ast.ClassDef | ast.FunctionDef, definitions: dict[str, ast.ClassDef], family: str
) -> dict[str, object]:
    """Return an object's arguments with defaults: of the constructor, else of the nearest base class that has one."""
    if isinstance(node, ast.FunctionDef):
        found = _signature(node.args)
    else:
        constructor = _constructor(node)
        if constructor:
            found = _signature(constructor.args)
        else:
            bases = (ast.unparse(base).rpartition(".")[2] for base in node.bases)
            found = next(
                (_arguments(definitions[base], definitions, family) for base in bases if base in definitions), {}
            )
    if (family, node.name) == ("metric", "Accuracy"):
        return {}  # by the bare name Keras picks the accuracy that suits the output; the class counts exact equality
    return {name: default for name, default in found.items() if name not in _BOOKKEEPING.get(family, set())}


def _reads_config(node: ast.ClassDef | ast.FunctionDef) -> bool:
    """Return whether a class has its own from_config, which may want more than an empty config (Constant: value)."""
    return any(isinstance(child, ast.FunctionDef) and child.name == "from_config" for child in node.body)


def _constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    return next((child for child in node.body if isinstance(child, ast.FunctionDef) and child.name == "__init__"), None)


def _signature(parameters: ast.arguments) -> dict[str, object]:
    """Return the parameters after the first (`self`, or an activation's input) with their defaults."""
    positional = parameters.posonlyargs + parameters.args
    required = [REQUIRED] * (len(positional) - len(parameters.defaults))
    defaults = required + [_literal(default) for default in parameters.defaults]
    found = {argument.arg: default for argument, default in zip(positional, defaults, strict=True)}
    found.pop(positional[0].arg, None)
    for argument, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        found[argument.arg] = REQUIRED if default is None else _literal(default)
    return found


def _literal(node: ast.expr) -> object:
    """Return a default's value; None where Keras computes it."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
