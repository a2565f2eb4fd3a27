"""Code of the user's own: a recipe's function and callbacks, from the files that the command names.

The only module that executes a file; it is done by the command that trains with it, and by no other.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import keras

from kerasrun.errors import InputError
from kerasrun.literals import parse_call


def execute(path: Path, kind: str) -> ModuleType:
    """Execute a Python file and return it as a module; it may import files beside it.

    Args:
        path: the file.
        kind: "recipe" or "callbacks", part of the module's name.

    Raises:
        InputError: it cannot be read as Python. Whatever the file raises passes.
    """
    name = f"kerasrun_{kind}_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path}: cannot be read as Python")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def own_callback(reference: str) -> keras.callbacks.Callback:
    """Make a callback of the user's own.

    Args:
        reference: "file.py:Name" or "file.py:Name(argument=value)".

    Raises:
        InputError: file or class is missing, it raises, or it is no Keras 3 callback.
    """
    file, _, call = reference.partition(":")
    if not file or not Path(file).is_file():
        raise InputError(f"callback '{reference}': no such file; write my_callbacks.py:Name")
    name, arguments = parse_call(call)
    try:
        made = getattr(execute(Path(file), "callbacks"), name)(**arguments)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"callback '{reference}' raised {type(error).__name__}: {error}") from error
    if isinstance(made, keras.callbacks.Callback):
        return made
    origin = type(made).__module__
    old = "tensorflow.python" in origin
    hint = "\ntensorflow.python.keras is not Keras 3: derive it from keras.callbacks.Callback" if old else ""
    raise InputError(f"callback '{reference}' is no keras.callbacks.Callback but {origin}.{type(made).__name__}{hint}")
