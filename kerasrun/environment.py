"""The machine and the software that a run was made with, read without loading any of them."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("kerasrun", "keras", "tensorflow", "numpy", "pandas", "scikit-learn")


def record() -> dict[str, Any]:
    """Return versions, hardware and the state of the git checkout in the working folder, as a run records them."""
    return {"versions": versions(), "hardware": hardware(), "git": git()}


@cache
def versions() -> dict[str, str]:
    """Return the installed version of Python and of each package that can change results."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
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


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """Return the machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
