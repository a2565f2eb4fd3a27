"""Crafted .keras files, and what loading them says; runs in a child, because it loads Keras."""

import json
import os
import random
import shutil
import sys
import zipfile
from pathlib import Path


def main(good, folder):
    """Load many damaged and dangerous copies of a good file; write what each said."""
    good, folder = Path(good), Path(folder)
    said, flips = {}, random.Random(0)
    for name, change in CRAFTED.items():
        path = folder / f"{name}.keras"
        with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w") as new:
            for member in old.namelist():
                content = old.read(member)
                new.writestr(member, change(json.loads(content)) if member == "config.json" else content)
        said[name] = _said(path)
    (folder / "torn.keras").write_bytes(good.read_bytes()[:-200])
    said["torn"] = _said(folder / "torn.keras")
    shutil.copy(good, folder / "model.h5")
    said["h5"] = _said(folder / "model.h5")
    with zipfile.ZipFile(folder / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("config.json", zipfile.ZipFile(good).read("config.json"))
        new.writestr("model.weights.h5", b"\0" * (200 << 20))
    said["bomb"] = _said(folder / "bomb.keras")
    content = good.read_bytes()
    said["flips"] = []
    for _ in range(60):
        place = flips.randrange(len(content))
        flipped = content[:place] + bytes([content[place] ^ 1 << flips.randrange(8)]) + content[place + 1 :]
        (folder / "flipped.keras").write_bytes(flipped)
        said["flips"].append(_said(folder / "flipped.keras"))
    said["hacked"] = (folder / "hacked").exists()
    (folder / "said.json").write_text(json.dumps(said))


def _said(path):
    from kerasrun.errors import InputError
    from kerasrun.training.saved_models import load_model

    os.chdir(path.parent)
    try:
        load_model(path)
    except InputError as error:
        return str(error)
    return "loaded"


def _with_layer(layer):
    def change(config):
        config["config"]["layers"][-1] = {**layer, "name": "last", "inbound_nodes": []}
        return json.dumps(config)

    return change


def _with_activation(activation):
    def change(config):
        _dense(config)["config"]["activation"] = activation
        return json.dumps(config)

    return change


def _dense(part):
    """Return the last dense layer of a config."""
    if isinstance(part, dict):
        if part.get("class_name") == "Dense":
            return part
        part = list(part.values())
    return next(filter(None, map(_dense, reversed(part))), None) if isinstance(part, list) else None


def _units(config):
    _dense(config)["config"]["units"] = 10**10
    return json.dumps(config)


def _function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


CRAFTED = {
    "same": json.dumps,
    "lambda": _with_layer({"module": "keras.layers", "class_name": "Lambda", "config": {"function": "x"}}),
    "tfsm": _with_layer({"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/evil"}}),
    "custom": _with_layer({"module": "evil", "class_name": "Mine", "config": {}, "registered_name": "evil>Mine"}),
    "system": _with_activation(_function("os", "system")),
    "popen": _with_layer({"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", "hacked"]}}),
    "get_file": _with_activation(_function("keras.utils", "get_file")),
    "eval": _with_activation(_function("builtins", "eval")),
    "name_a_list": _with_activation({"module": "keras.activations", "class_name": []}),
    "function_of_no_name": _with_activation({"module": "builtins", "class_name": "function"}),
    "lambda_value": _with_activation({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}),
    "units": _units,
    "nested": lambda config: '{"a":' * 3000 + "0" + "}" * 3000,
    "deep": lambda config: '{"a":' * 200_000 + "0" + "}" * 200_000,
    "no_json": lambda config: "{",
    "a_list": lambda config: "[1]",
}

if __name__ == "__main__":
    main(*sys.argv[1:])
