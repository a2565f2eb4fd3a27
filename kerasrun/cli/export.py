"""`kerasrun export`: a run's best model in the form of another runtime, checked in it."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kerasrun
from kerasrun import atomic, runs
from kerasrun.cli import console, words
from kerasrun.errors import InputError

if TYPE_CHECKING:
    from kerasrun.datasets.labelled import Labelled
    from kerasrun.trained import Trained

_NEEDS = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
_ENDINGS = {"keras": "keras", "onnx": "onnx", "litert": "tflite"}
_EXAMPLES = 100


class Runtime(StrEnum):
    """What a model can be exported for."""

    KERAS = "keras"
    SAVEDMODEL = "savedmodel"
    ONNX = "onnx"
    LITERT = "litert"


def export(
    run: words.Run = "last",
    *,
    to: Annotated[Runtime, typer.Option(help="Keras, TensorFlow Serving, ONNX Runtime or LiteRT.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.keras, a new folder, FILE.onnx or FILE.tflite.")],
    data: Annotated[str | None, typer.Option(help="A file with examples to compare on; the test part without.")] = None,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
) -> None:
    """Write the best model for another runtime.

    Loaded there, it must answer real examples as best.keras does.

    kerasrun export last --to onnx -o model.onnx
    """
    from kerasrun.datasets import labelled
    from kerasrun.description import described
    from kerasrun.trained import trained

    _check(to, output)
    found = kerasrun.load_run(run, results=results)
    known = trained(found)
    examples = labelled.file(data, known) if data else labelled.own_part(found, known, "test")
    from kerasrun.training.export import export as write

    done = write(found, known, to, output, examples.x[:_EXAMPLES], texts=_texts(known, examples, data), recipe=recipe)
    about = described(known, done.inputs, done.columns, done.outputs) | {
        "files": _hashes(output),
        "checked": {
            "in": done.runtime, "on": data or "test part", "examples": done.examples,
            "largest_difference": done.deviation, "largest_output": done.largest,
        },
    }  # fmt: skip
    beside = output.with_name(f"{output.name}.json")
    atomic.write(beside, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    console.say(
        f"wrote {output} and {beside.name}",
        f"{done.runtime} answers {done.examples} examples as best.keras does: largest difference {done.deviation:.2g}, "
        f"of outputs up to {done.largest:.4g}",
    )
    if "array" in about:
        console.remark(f"it takes the array behind the look-ups; {beside.name} says how that is made")


def _texts(known: Trained, examples: Labelled, data: str | None) -> list[str]:
    """Return the examples as they are written, where they are texts."""
    if known.source != "texts":
        return []
    from kerasrun.datasets import rows, text_rows, texts

    settings = known.settings
    if data:
        settings = {**text_rows.options_of(settings), "dataset": rows.place(data), "test": None}
    return texts.shown(settings, "test", {name: values[:_EXAMPLES] for name, values in examples.ids.items()})


def _check(to: Runtime, output: Path) -> None:
    """Find what can be wrong before anything is loaded.

    Raises:
        InputError: a package is missing, or the file cannot be of this name.
    """
    if to in _ENDINGS:
        words.ending(output, (_ENDINGS[to],))
    elif output.exists():
        raise InputError(f"{output}: is there already; a SavedModel is a new folder")
    if not output.parent.is_dir():
        raise InputError(f"{output.parent}: there is no such folder")
    if absent := [name for name in _NEEDS.get(to, ()) if find_spec(name) is None]:
        raise InputError(f"--to {to} needs {' and '.join(absent)}\npip install 'kerasrun[export]'")


def _hashes(output: Path) -> dict[str, str]:
    """Return the sha256 of the file, or of each file in the folder."""
    files = sorted(path for path in output.rglob("*") if path.is_file()) if output.is_dir() else [output]
    return {path.relative_to(output.parent).as_posix(): runs.sha256(path) for path in files}
