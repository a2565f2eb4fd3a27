"""Everything that drives Keras. Importing this package loads Keras on TensorFlow, the slow step."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.run_index import collector_at_rest


def _choose_backend() -> None:
    """Set what Keras and TensorFlow read from the environment when they are imported.

    Raises:
        InputError: Keras was already imported with another backend, or the environment asks for another one.
    """
    environment.refuse_backend()
    os.environ["KERAS_BACKEND"] = "tensorflow"  # goes before ~/.keras/keras.json
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):  # would cut trainings short without a trace
        os.environ.pop(name, None)
    loaded = sys.modules.get("keras")
    if loaded is not None and loaded.backend.backend() != "tensorflow":
        raise InputError(
            f"Keras is already loaded with the backend {loaded.backend.backend()}; kerasrun trains on TensorFlow\n"
            "import kerasrun first, or set KERAS_BACKEND=tensorflow"
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what TensorFlow's C++ code writes to stderr; show it when the block fails."""
    try:
        stderr = os.dup(2)
    except OSError:  # no stderr at all
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let packages look as if they were not installed: Keras imports them only to accept their objects."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


_choose_backend()
with quiet(), _hidden(environment.hidden_from_keras), collector_at_rest():  # which saves half a second
    import keras
    import tensorflow  # noqa: F401
if environment.hidden_from_keras:  # a process that is nobody else's: what is there now stays to its end
    gc.freeze()  # or each model begins with a quarter of a second of looking through the modules for garbage

# ~/.keras/keras.json may say otherwise; results must not depend on it
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")
