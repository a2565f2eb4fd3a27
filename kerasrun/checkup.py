"""What `kerasrun doctor` reports: software, machine, folders and settings of the environment, each with advice."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kerasrun import catalog, datasets, environment
from kerasrun.datasets import fetch, registered

_ENOUGH = 2e9  # bytes: a sweep of some thousand small runs, or one large dataset
_DRIVERS = ("/proc/driver/nvidia", "/dev/nvidiactl", "/usr/lib/wsl/lib/libcuda.so.1")
_IGNORED = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
_TELLING = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_DETERMINISTIC_OPS", "XLA_FLAGS",
            "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        name: what was looked at.
        value: what was found.
        advice: what to do about it; None where all is well.
    """

    name: str
    value: str
    advice: str | None = None


def checkup(results: Path) -> Iterator[Finding]:
    """Look at everything that a training depends on; the slow part, loading TensorFlow, comes last.

    Args:
        results: folder of all runs; it is not made.
    """
    yield from _software()
    yield from _machine()
    yield from _results(results)
    yield from _data()
    yield from _variables()
    yield _gpu()


def _software() -> Iterator[Finding]:
    for name, version in environment.versions().items():
        where = f" ({sys.executable})" if name == "python" else ""
        missing = "install it: pip install kerasrun" if version == "not installed" else None
        yield Finding(name, version + where, missing)


def _machine() -> Iterator[Finding]:
    hardware = environment.hardware()
    cores = hardware["cores"]
    yield Finding("system", hardware["system"])
    yield Finding("processor", hardware["processor"])
    yield Finding("cores", f"{cores} usable of {os.cpu_count()}")
    yield Finding("threads", f"auto: 1 for small dense networks, {cores} for others")
    yield Finding("memory", _gigabytes(hardware["memory"]))


def _results(results: Path) -> Iterator[Finding]:
    there = next(folder for folder in (results.absolute(), *results.absolute().parents) if folder.exists())
    shown = f"{results.absolute()}" + ("" if there == results.absolute() else " (will be made)")
    try:
        with tempfile.TemporaryFile(dir=there):
            yield Finding("results", f"{shown}, writable")
    except OSError as error:
        yield Finding("results", f"{shown}: cannot be written: {error.strerror}", "choose another --results FOLDER")
    free = shutil.disk_usage(there).free
    yield Finding("free disk", _gigabytes(free), "make room: little is left" if free < _ENOUGH else None)
    kind = environment.filesystem(there)
    advice = None
    if kind in environment.NETWORK:
        advice = "a network: locks and renames may not hold there; choose a local --results FOLDER"
    yield Finding("file system", kind or "unknown", advice)


def _data() -> Iterator[Finding]:
    by_status: dict[str, list[str]] = {}
    for entry in catalog.datasets().values():
        by_status.setdefault(datasets.status(entry), []).append(entry.name)
    yield Finding("bundled", _listed(by_status, "bundled"))
    source = "KERAS_HOME" if os.environ.get("KERAS_HOME") else "KERAS_HOME is not set"
    yield Finding("cached", f"{_listed(by_status, 'cached')} in {fetch.folder()} ({source})")
    yield Finding("registered", f"{_listed(by_status, 'registered')} in {registered.folder()}")


def _variables() -> Iterator[Finding]:
    backend = os.environ.get("KERAS_BACKEND")
    refused = "unset it: kerasrun trains on TensorFlow alone" if backend not in (None, "tensorflow") else None
    yield Finding("KERAS_BACKEND", backend or "not set: TensorFlow is taken", refused)
    file = fetch.folder().parent / "keras.json"
    if file.is_file():
        content = " ".join(file.read_text(errors="replace").split())
        yield Finding("keras.json", f"{content[:200]} in {file}; not obeyed")
    else:
        yield Finding("keras.json", "none; it would not be obeyed")
    for name in _IGNORED:
        if name in os.environ:
            yield Finding(name, f"{os.environ[name]}; ignored: use epochs=… or --limit")
    for name in _TELLING:
        if name in os.environ:
            yield Finding(name, repr(os.environ[name]))


def _gpu() -> Finding:
    found = environment.tensorflow_devices()
    if "error" in found:
        return Finding(
            "devices", f"TensorFlow does not load: {found['error']}", "install it anew: pip install kerasrun"
        )
    if found["gpus"]:
        return Finding("devices", f"cpu, gpu ({', '.join(found['gpus'])})")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden in ("", "-1"):
        reason = f"hidden by CUDA_VISIBLE_DEVICES={hidden!r}"
    elif not found["cuda"]:
        reason = "this TensorFlow is built without CUDA"
    elif not any(Path(sign).exists() for sign in _DRIVERS):
        reason = "no NVIDIA driver on this machine"
    else:
        reason = "there is a driver, but TensorFlow's CUDA libraries are missing: pip install 'kerasrun[gpu]'"
    return Finding("devices", f"cpu; no gpu: {reason}")


def _listed(by_status: dict[str, list[str]], status: str) -> str:
    return ", ".join(by_status.get(status, [])) or "none"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
