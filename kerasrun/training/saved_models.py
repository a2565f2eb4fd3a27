"""Saved models: written without what prediction does not need, and loaded so that a crafted file can do nothing.

A .keras file is a zip of JSON and weights. Before Keras sees it, its sizes, checksums and every class that its
config.json names are looked at; before its layers are made, their parameters are counted. Keras's own safe mode comes
on top. Nothing is ever unpickled, and .h5 files are refused.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasrun import environment, layers  # which registers kerasrun's own layers with Keras
from kerasrun.errors import InputError
from kerasrun.trained import LARGEST_CONFIG
from kerasrun.training import own_code

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
DEEPEST = 100  # dicts and lists in each other; a model in a model in a model has 30
MODELS = {"keras.src.models.functional": ("Functional",), "keras.src.models.sequential": ("Sequential",)}
PARTS = ("layers", "initializers", "regularizers", "constraints", "activations", "models", "dtype_policies", "random")
OPERATIONS = ("numpy", "nn", "math", "linalg", "image", "core")  # modules of keras.ops, as a functional model has them
WITH_FUNCTIONS = {
    "Map", "Scan", "AssociativeScan", "VectorizedMap", "Cond", "WhileLoop", "ForiLoop", "Switch", "CustomGradient",
}  # fmt: skip
NEVER = {  # classes of Keras that run stored code or read other files
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",
}  # fmt: skip


class OwnClass(InputError):
    """The model holds a class that neither Keras nor kerasrun brings; its recipe does."""


def save_as(model: keras.Model, whole: keras.Model) -> None:
    """Let `save_model` and `saved_weights` take a model with the same weights, which holds this one, in its place.

    Args:
        model: the model that is trained.
        whole: what raw data is put into.
    """
    object.__setattr__(model, "_saved_as", whole)  # Keras would make a layer of the model of it


def save_model(model: keras.Model, path: Path) -> None:
    """Save layers and weights without the optimizer and losses: what prediction needs, in Keras's own format."""
    bare(model).save(path)


def saved_weights(model: keras.Model, path: Path) -> list[np.ndarray]:
    """Return the weights of a file that `save_model` wrote of this model, in the order of `model.get_weights()`.

    Raises:
        InputError: the file is damaged, or of another model.
    """
    content = _content(path)
    _archive(path, content)
    present = model.get_weights()
    try:
        bare(model).load_weights(path)
        return model.get_weights()
    except Exception as error:  # Keras raises whatever its parts raise
        raise InputError(f"{path}: cannot be loaded: {_first_line(error)}") from error
    finally:
        model.set_weights(present)


def load_model(path: Path, sha256: str | None = None, *, recipe: Path | None = None) -> keras.Model:
    """Load a saved model, if it is made of Keras's and kerasrun's own layers alone.

    Args:
        path: a .keras file.
        sha256: what the run's record says of the file; None where it says nothing.
        recipe: a file that is executed for the classes of its own.

    Raises:
        OwnClass: it holds a class that neither Keras nor kerasrun nor the recipe brings.
        InputError: the file is damaged, changed since the run, too large, or of a kind that is never loaded.
    """
    if path.suffix != ".keras":
        raise InputError(f"{path}: only .keras files are loaded; .h5 and pickle can run code hidden in them")
    content = _content(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"{path}: damaged or changed since the run (its sha256 is not the recorded one)")
    archive = _archive(path, content)
    config = _config(path, archive)
    if isinstance(config, dict):
        config["compile_config"] = None  # optimizer and losses are never loaded
    own = _own_classes(recipe) if recipe else {}
    for part in _parts(path, config):
        _check_class(path, part, own)
    _check_size(path, config, own, archive.getinfo(WEIGHTS).file_size if WEIGHTS in archive.namelist() else 0)
    try:
        return keras.saving.load_model(path, custom_objects=own, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        raise InputError(f"{path}: cannot be loaded as a Keras model: {_first_line(error)}") from error


def _own_classes(recipe: Path) -> dict[str, type]:
    module = own_code.execute(recipe, "recipe")
    return {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, type) and found.__module__ == module.__name__
    }


def bare(model: keras.Model) -> keras.Model:
    """Return the same layers as a model without optimizer and losses; a class of the user's own stays what it is."""
    if "_saved_as" in vars(model):
        return vars(model)["_saved_as"]
    if type(model).__name__ not in ("Functional", "Sequential"):
        return model
    inputs, outputs = (tensors[0] if len(tensors) == 1 else tensors for tensors in (model.inputs, model.outputs))
    return keras.Model(inputs, outputs)  # a list of one would be saved as one, and Keras warns of it in each call


def _content(path: Path) -> bytes:
    """Return a file's bytes, if memory can hold what it declares."""
    try:
        if path.stat().st_size > environment.memory() // 2:
            raise InputError(f"{path}: has {path.stat().st_size:,} bytes, more than half of the memory")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _archive(path: Path, content: bytes) -> zipfile.ZipFile:
    """Open the zip, and check declared sizes and checksums."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        declared = sum(member.file_size for member in archive.infolist())
        if declared > min(environment.memory() // 2, 20 * len(content) + LARGEST_CONFIG):
            raise InputError(f"{path}: declares {declared:,} bytes in a file of {len(content):,}; it is not unpacked")
        member = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path}: damaged: not a whole zip archive ({_first_line(error)})") from None
    if member:
        raise InputError(f"{path}: damaged: bad checksum of {member}")
    return archive


def _config(path: Path, archive: zipfile.ZipFile) -> Any:
    try:
        if archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            raise InputError(
                f"{path}: its {CONFIG} has {archive.getinfo(CONFIG).file_size:,} bytes, which no model has"
            )
        return json.loads(archive.read(CONFIG))
    except KeyError:
        raise InputError(f"{path}: damaged: holds no {CONFIG}") from None
    except RecursionError:
        raise InputError(f"{path}: its {CONFIG} is nested deeper than any model; it is not loaded") from None
    except ValueError as error:
        raise InputError(f"{path}: damaged: {CONFIG} is no JSON ({_first_line(error)})") from None


def _parts(path: Path, config: Any) -> Iterator[dict[str, Any]]:
    """Yield every dict of a config that names a class."""
    waiting: list[tuple[Any, int]] = [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise InputError(f"{path}: its {CONFIG} is nested deeper than {DEEPEST} levels; it is not loaded")
        if isinstance(value, dict):
            if "class_name" in value or "module" in value or "registered_name" in value:
                yield value
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]


def _check_class(path: Path, part: dict[str, Any], own: dict[str, type]) -> None:
    """Refuse a class that is neither Keras's nor kerasrun's nor the recipe's own, and those that run stored code."""
    name, module, registered = (part.get(key) for key in ("class_name", "module", "registered_name"))
    if not all(isinstance(text, str | None) for text in (name, module, registered)):
        raise InputError(f"{path}: its {CONFIG} names a class in a way that Keras does not")
    name, module = name or "", module or ""
    if name in own:
        return
    if name in NEVER:
        raise InputError(f"{path}: holds a {name} layer, which runs code stored in the file; it is not loaded")
    function = part.get("config")
    if module == "builtins" and name == "function":
        if isinstance(function, str) and hasattr(keras.activations, function):
            return
        raise InputError(f"{path}: names the function {str(function)[:60]!r}; only Keras's activations are loaded")
    if module == "" and name.startswith("__") and name.endswith("__") and name != "__lambda__":
        return  # tensors, tuples, data types as Keras writes them
    if module in MODELS and name in MODELS[module]:
        return
    if _is_known(module, name):
        return
    foreign = registered if registered and registered != name else f"{module}.{name}".strip(".")
    raise OwnClass(
        f"{path}: holds {foreign[:80]}, which neither Keras nor kerasrun brings; it is not loaded\n"
        'a model with classes of one\'s own needs its recipe: run.model(recipe="my_models.py:wide")'
    )


def _is_known(module: str, name: str) -> bool:
    """Tell whether a class is one of Keras's layers, initializers … or one of kerasrun's."""
    if module == "keras":
        return name in ("Sequential", "Functional", "DTypePolicy", "Variable", "InputSpec")
    if module == "kerasrun.layers" or module.startswith("kerasrun.layers."):
        return name in layers.__all__
    if module.startswith("keras.src.ops.") and module.removeprefix("keras.src.ops.") in OPERATIONS:
        found = getattr(importlib.import_module(module), name, None)
        return isinstance(found, type) and issubclass(found, keras.Operation) and name not in WITH_FUNCTIONS
    family = module.removeprefix("keras.")
    if not module.startswith("keras.") or family not in PARTS:
        return False
    found = getattr(getattr(keras, family, None), name, None)
    return isinstance(found, type) or (family == "activations" and callable(found))


def _check_size(path: Path, config: dict[str, Any], own: dict[str, type], stored: int) -> None:
    """Refuse a config that asks for more parameters than the file holds weights for.

    The layers are made without their variables, so that nothing is allocated yet.
    """
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, custom_objects=own, safe_mode=True)
        parameters = model.count_params() if isinstance(model, keras.Model) and model.built else 0
    except RecursionError:
        raise InputError(f"{path}: its {CONFIG} is nested deeper than any model; it is not loaded") from None
    except Exception as error:  # Keras raises whatever its parts raise
        raise InputError(f"{path}: cannot be loaded as a Keras model: {_first_line(error)}") from error
    if parameters > stored:  # each takes a byte at least, and mostly four
        raise InputError(
            f"{path}: its {CONFIG} asks for {parameters:,} parameters, its weights have {stored:,} bytes\n"
            "it is not loaded"
        )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
