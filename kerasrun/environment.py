"""The machine and the software that a run was made with, read without loading any of them."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from kerasrun.errors import InputError

NETWORK = {  # file systems on which locks or atomic renames may not hold between machines
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "webdav", "9p", "drvfs", "fuse.sshfs", "lustre", "gpfs",
    "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs", "beegfs", "afs",
}  # fmt: skip
# Packages that Keras need not load. The command line names them: it gives Keras no DataFrame and no scikit-learn model.
hidden_from_keras: tuple[str, ...] = ()
# Trainings that share the cores: 1, or a sweep's workers
workers = 1
PACKAGES = ("kerasrun", "keras", "tensorflow", "numpy", "pandas", "scikit-learn")


def record() -> dict[str, Any]:
    """Return versions, hardware and the state of the git checkout in the working folder, as a run records them."""
    return {"versions": versions(), "hardware": hardware(), "git": git()}


@cache
def versions() -> dict[str, str]:
    """Return the installed version of Python and of each package that can change results."""
    from importlib import metadata  # 25 ms, which most commands have no use for

    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = "not installed"
        for name in (package, f"{package}-cpu"):  # tensorflow-cpu is tensorflow, too
            with suppress(metadata.PackageNotFoundError):
                found[package] = metadata.version(name)
                break
    return found


@cache
def hardware() -> dict[str, Any]:
    """Return processor, usable cores, memory in bytes, system."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory": memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def home() -> Path:
    """Return the folder of what is kept for all results: registered data, compiled programs."""
    return Path(os.environ.get("KERASRUN_HOME") or Path.home() / ".kerasrun").expanduser()


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """Return the machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def filesystem(path: Path) -> str | None:
    """Return the type of the file system that holds a path ("ext4", "nfs4"), or None where it is not known."""
    path = path.resolve()
    under = [(len(Path(at).parts), kind) for at, kind in _mounts() if path.is_relative_to(at)]
    return max(under, default=(0, None), key=lambda mount: mount[0])[1]


def warnings(path: Path) -> list[str]:
    """Return what the user should know of the file system that holds a path."""
    if (kind := filesystem(path)) not in NETWORK:
        return []
    return [
        f"{path.parent} lies on a network file system ({kind}): locks and atomic files may not hold across machines"
    ]


def refuse_backend() -> None:
    """Refuse a backend that the environment asks for and that is not TensorFlow.

    Raises:
        InputError: KERAS_BACKEND names another one.
    """
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    if asked != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={asked}: kerasrun trains on TensorFlow\nunset KERAS_BACKEND, or set it to tensorflow"
        )


def refuse_distribution() -> None:
    """Refuse a cluster that TensorFlow was told of.

    Raises:
        InputError: TF_CONFIG names several workers.
    """
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster") or {}
        several = sum(len(machines) for machines in cluster.values()) > 1
    except (ValueError, AttributeError, TypeError):
        return
    if several:
        raise InputError(
            "TF_CONFIG names several machines; Keras 3 cannot train one model on several of them with TensorFlow "
            "(MultiWorkerMirroredStrategy fails in fit, keras.distribution does nothing)\n"
            "unset TF_CONFIG; several machines can train different runs"
        )


def tensorflow_devices(timeout: float = 300) -> dict[str, Any]:
    """Load TensorFlow in a process of its own and return what it finds.

    Args:
        timeout: seconds to wait.

    Returns:
        gpus (list of names), cuda (whether it is built with CUDA); or error (one line), where it does not load.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    words = [sys.executable, "-c", _DEVICES]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env={**os.environ, **quiet})
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        ended = f"killed by signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        return {"error": f"{said[-1]} ({ended})"}


_DEVICES = """
import json
import tensorflow as tf
gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
print(json.dumps({"gpus": names, "cuda": tf.test.is_built_with_cuda()}))
"""


def free_memory() -> int:
    """Return the memory that a new process could use, in bytes."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # macOS tells only the whole
        return memory() // 2


def clock() -> tuple[float, float, float] | None:
    """Return seconds on the wall, of work that this process has done, and of work that all cores have done together.

    Returns:
        None where the system does not tell (macOS).
    """
    try:
        ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]  # user nice system idle iowait irq …
    except OSError:
        return None
    work = sum(map(int, ticks)) - int(ticks[3]) - int(ticks[4])
    return time.monotonic(), time.process_time(), work / os.sysconf("SC_CLK_TCK")


def others_busy(since: tuple[float, float, float] | None) -> float | None:
    """Return how many cores other processes kept busy on average since `clock`; None where the system does not tell."""
    now = clock()
    if since is None or now is None or now[0] == since[0]:
        return None
    wall, own, work = (after - before for before, after in zip(since, now, strict=True))
    return round(max(0.0, work - own) / wall, 2)


def git() -> dict[str, Any] | None:
    """Return commit and whether tracked files were changed, or None outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5)
    return done.stdout.strip()


def _mounts() -> list[tuple[str, str]]:
    """Return where each file system is mounted, and its type; the latest first."""
    try:
        # a blank in a path is written \040
        rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        mounts = [(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), row[1]), row[2]) for row in rows]
    except OSError:
        mounts = _mounts_of_macos()
    return mounts[::-1]


def _mounts_of_macos() -> list[tuple[str, str]]:
    try:
        done = subprocess.run(["mount"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return []
    found = (re.fullmatch(r".* on (/.*) \((\w+).*\)", line) for line in done.stdout.splitlines())
    return [(match.group(1), match.group(2)) for match in found if match]


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def instructions() -> list[str]:
    """Return the processor's name and the instructions that it knows, as far as the system tells them."""
    return [_processor(), *sorted(_cpuinfo("flags").split())]


def _cpuinfo(name: str) -> str:
    """Return what Linux says of the first core under a name, or nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
