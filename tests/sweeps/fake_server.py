"""A server whose children do what a errand names, in place of training: pool and server can be tested without Keras."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from kerasrun.errors import DataUnavailable, DiskError, Interrupted
from kerasrun.sweeps.server import Server

HERE = Path(__file__)
# What the children of a sweep do, by their optimizer
BY_OPTIMIZER = {
    "sgd": "finish",
    "adam": "diverge",
    "lion": "die",
    "nadam": "complain",
    "ftrl": "wait",
    "adamax": "no data",
    "rmsprop": "go on",
}


def prepare(errand):
    deed = errand.get("do") or BY_OPTIMIZER[errand["experiment"]["optimizer"]]
    if deed == "no data":
        raise DataUnavailable("no data here")
    return lambda tell: globals()[f"do_{deed.replace(' ', '_')}"](errand, tell)


def do_tell(errand, tell):
    for event in errand["events"]:
        tell(**event)
    return errand.get("code", 0)


def do_say(errand, tell):
    print("to stdout")
    os.write(2, b"to stderr\n")
    return 0


def do_raise(errand, tell):
    raise ValueError("out of order")


def do_fill(errand, tell):
    raise DiskError("no space left")


def do_choke(errand, tell):
    """Leave an output that takes nothing more, as on a full disk."""
    sys.stdout = open("/dev/full", "w")  # noqa: SIM115
    print("too much")
    return 3


def do_abort(errand, tell):
    os.abort()


def do_meet(errand, tell):
    """Wait in a fifo for the other one."""
    with open(errand["fifo"], errand["mode"]) as fifo:
        fifo.write("met") if errand["mode"] == "w" else fifo.read()
    return 0


def do_wait(errand, tell):
    """Wait for a signal, and finish the epoch, as a training does."""
    tell(event="begun", folder="none", child=os.getpid(), server=os.getppid())
    try:
        while True:
            time.sleep(0.01)
    except Interrupted as stopped:
        return stopped.exit_code


def do_stay(errand, tell):
    """Wait, whatever comes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: tell(event="heard", signal=number))
    tell(event="begun", folder="none", child=os.getpid(), server=os.getppid())
    while True:
        time.sleep(0.01)


def run_folder(errand, tell, status):
    folder = Path(errand["results"]) / (errand["resume"] or f"run-{errand['cell']}")
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "format": 1, "id": folder.name, "status": status, "created": "2026-11-21T10:15:00+00:00",
        "experiment": errand["experiment"], "data": {"hash": "now"}, "device": errand["gpu"],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "log.txt").write_text("".join(f"line {number}\n" for number in range(1, 21)))
    tell(event="begun", folder=folder.name)


def do_finish(errand, tell):
    run_folder(errand, tell, "finished")
    tell(event="started", notes=["made up"])
    tell(event="epoch", epoch=1, row={"epoch": 1, "val_loss": 0.5})
    return 0


def do_diverge(errand, tell):
    run_folder(errand, tell, "diverged")
    return 1


def do_complain(errand, tell):
    run_folder(errand, tell, "failed")
    raise DiskError("no space left")


def do_go_on(errand, tell):
    """Train on and on, as long as nobody gives it up."""
    given_up = []
    signal.signal(signal.SIGUSR1, lambda *signal: given_up.append(signal))
    run_folder(errand, tell, "running")
    tell(event="epoch", epoch=1, row={"epoch": 1, "val_loss": 0.5})
    while not given_up:
        time.sleep(0.01)
    run_folder(errand, tell, "pruned")
    return 0


def do_die(errand, tell):
    run_folder(errand, tell, "running")
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Server(int(sys.argv[1])).serve(prepare)
