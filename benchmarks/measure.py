"""A process of its own for one measurement: `python -m benchmarks.measure '{"rival": …, "workload": …}'`, or by `once`.

The last line of its output is the result as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from benchmarks.workloads import Workload

FLOOR = "matrix products alone"
RIVALS = {  # name in the tables -> module, function, settings
    "kerasrun": ("with_kerasrun", "train", {}),
    "kerasrun --jit": ("with_kerasrun", "train", {"jit": True}),
    "model.fit, arrays": ("with_keras", "fit_arrays", {}),
    "model.fit, tf.data, 100 steps a call": ("with_keras", "fit_tf_data", {}),
    "PyTorch": ("with_torch", "train", {}),
    "PyTorch, 1 thread": ("with_torch", "train", {"threads": 1}),
    "JAX lax.scan": ("with_jax", "train", {}),
    FLOOR: ("with_torch", "products", {}),
}
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "PYTHONWARNINGS": "ignore"}


def once(rival: str, workload: Workload, epochs: int, **settings: Any) -> dict[str, Any]:
    """Train in a process of its own.

    Args:
        rival: a name of RIVALS.
        workload: what to train.
        epochs: how long.
        **settings: more of them for the rival.

    Returns:
        An Outcome's fields, and peak_bytes: the process's largest memory.

    Raises:
        RuntimeError: the process failed; with the end of what it said.
    """
    request = {"rival": rival, "workload": asdict(workload), "epochs": epochs, "settings": settings}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", json.dumps(request)], capture_output=True, text=True,
        env={**os.environ, **_QUIET},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{rival}, {workload.name}: " + "\n".join(done.stderr.splitlines()[-5:]))
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Do what the request in the first argument says."""
    from importlib import import_module

    request = json.loads(sys.argv[1])
    fields = request["workload"]
    workload = Workload(**{**fields, "hidden": tuple(fields["hidden"])})
    module, function, settings = RIVALS[request["rival"]]
    train = getattr(import_module(f"benchmarks.rivals.{module}"), function)
    outcome = train(workload, request["epochs"], **{**settings, **request["settings"]})
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({**asdict(outcome), "peak_bytes": peak}))


if __name__ == "__main__":
    main()
