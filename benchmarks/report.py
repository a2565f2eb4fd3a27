"""From the results' CSV files to tables in Markdown: medians, spread, ratios, and how far each target is met."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import FLOOR

Rows = list[dict[str, str]]
FIT, TF_DATA, JAX = "model.fit, arrays", "model.fit, tf.data, 100 steps a call", "JAX lax.scan"
TORCH = ("PyTorch", "PyTorch, 1 thread")
JIT = "kerasrun --jit"
INTRODUCTION = """\
Written by `python -m benchmarks`; do not edit. Every measurement is a process of its own, and the rivals take turns.
Seconds are medians, with the smallest and the largest in brackets. An epoch includes its validation pass; the first
one, which compiles, is left out. The same layers, initial distributions, optimizer constants and orders drawn anew for
each epoch everywhere: the training losses must agree."""


def write_report(folder: Path) -> Path:
    """Write README.md beside the CSV files of a folder and return its path."""
    parts = ["# Benchmarks", INTRODUCTION]
    for name, (title, show) in SECTIONS.items():
        path = folder / f"{name}.csv"
        if path.exists():
            about, rows = _read(path)
            parts += [f"## {title}", show(rows), f"<sub>{about}</sub>"]
    target = folder / "README.md"
    target.write_text("\n\n".join(parts) + "\n")
    return target


def _read(path: Path) -> tuple[str, Rows]:
    with path.open(newline="") as file:
        about = file.readline().removeprefix("# ").strip()
        return about, list(csv.DictReader(file))


def _epochs(rows: Rows) -> str:
    lines, verdicts = [], []
    for workload, mine in _grouped(rows, "workload").items():
        by_rival = {rival: _later(group) for rival, group in _grouped(mine, "rival").items()}
        loss = {rival: median(float(r["loss"]) for r in g) for rival, g in _grouped(mine, "rival").items()}
        base = median(by_rival["kerasrun"])
        for rival, seconds in by_rival.items():
            against = median(seconds) / base
            reached = (
                ("", "")
                if rival == FLOOR
                else (f"{loss[rival]:.4f}", f"{100 * (loss[rival] / loss['kerasrun'] - 1):+.1f} %")
            )
            lines.append((workload, rival, _spread(seconds), f"{against:.2f}", *reached))
        verdicts += [(workload, *verdict) for verdict in _targets(workload, by_rival)]
    data = sorted({f"{row['workload']}: {row['dataset']}" for row in rows})
    head = ("workload", "rival", "seconds per epoch", "÷ kerasrun", "training loss", "against kerasrun")
    return "\n\n".join(
        [table(head, lines), "Targets, in times as fast:", table(("workload", "target", "measured", ""), verdicts),
         "Data: " + "; ".join(data) + ". CNN: 8,192 training images, so that it ends."]
    )  # fmt: skip


def _targets(workload: str, seconds: dict[str, list[float]]) -> list[tuple[str, str, str]]:
    """Return target, measured, verdict of a workload; PyTorch counts with the faster of its two settings."""
    if not workload.startswith(("dense", "CNN")):
        return []
    middle = {rival: median(values) for rival, values in seconds.items()}
    torch = min((middle[name] for name in TORCH if name in middle), default=None)
    is_cnn = workload.startswith("CNN")
    wanted = [("kerasrun", "model.fit", middle.get(FIT), 1.25 if is_cnn else 5.0)]
    wanted += [("kerasrun", "PyTorch", torch, 1.25 if is_cnn else 2.0)]
    if JIT in middle:
        wanted += [(JIT, "model.fit", middle.get(FIT), 10.0)]
        wanted += [(JIT, "JAX", middle.get(JAX), 1 / 1.1)]
    verdicts = []
    for mine, other, theirs, target in wanted:
        if theirs is not None:
            ratio = theirs / middle[mine]
            said = _verdict(ratio / target)
            if said != "met" and FLOOR in middle:
                said += f"; the matrix products alone allow {theirs / middle[FLOOR]:.1f} × on one thread"
            verdicts.append((f"{mine}: {target:.2f} × {other}", f"{ratio:.2f} ×", said))
    return verdicts


def _command(rows: Rows) -> str:
    found = {what: [float(r["seconds"]) for r in group] for what, group in _grouped(rows, "what").items()}
    lines = [(what, _spread(seconds)) for what, seconds in found.items()]
    text = [table(("from process start to end, 5 epochs", "seconds"), lines)]
    mine = [row for row in rows if row["what"] == "kerasrun train"]
    imported = median(found["import keras"])
    own = [float(row["seconds"]) - float(row["training"]) - imported for row in mine]
    verdicts = [("the program's own: all but import and training, at most 0.5 s", f"{_spread(own)} s", _verdict(
        1 / max(0.01, median(own) / 0.5)))]  # fmt: skip
    if "Keras script" in found:
        for what in ("kerasrun train", "kerasrun train --jit"):
            ratio = median(found["Keras script"]) / median(found[what])
            said = _verdict(ratio / 3)
            if said != "met":
                said += f"; importing Keras alone is {imported / median(found[what]):.0%} of the command"
            verdicts.append((f"{what}: 3 × the Keras script", f"{ratio:.2f} ×", said))
    return "\n\n".join([*text, table(("target", "measured", ""), verdicts)])


def _answers(rows: Rows) -> str:
    lines = []
    for what, group in _grouped(rows, "what").items():
        seconds = [float(row["seconds"]) for row in group]
        lines.append((f"`{what}`", _spread(seconds), _verdict(0.3 / median(seconds))))
    return table(("command", "seconds", "under 0.3 s"), lines)


def _scaling(rows: Rows) -> str:
    lines = []
    for what, group in _grouped(rows, "what").items():
        sizes = {int(size): _later(part) for size, part in _grouped(group, "size").items()}
        smallest, before = min(sizes), None
        for size, seconds in sizes.items():
            middle = median(seconds)
            growth = "" if before is None else f"{middle / before:.2f}"
            times = middle / median(sizes[smallest])
            lines.append((what, f"{size:,}", _spread(seconds), f"{times:.1f}", f"{size / smallest:.1f}", growth))
            before = middle
    head = ("what grows", "size", "seconds per epoch", "× the smallest", "size × the smallest", "× the one before")
    return table(head, lines) + "\n\nOne thread; layers and units with 12,000 images, dense, batch 32."


def _memory(rows: Rows) -> str:
    found = {key: median(int(r["bytes"]) for r in rows if (r["rival"], r["dataset"]) == key) / 2**20
             for key in dict.fromkeys((r["rival"], r["dataset"]) for r in rows)}  # fmt: skip
    arrays = 70000 * 28 * 28 / 2**20
    lines = []
    for rival in dict.fromkeys(row["rival"] for row in rows if row["dataset"]):
        small = found[rival, "digits"]
        whole = next(size for (name, data), size in found.items() if name == rival and data != "digits")
        times = (whole - small) / arrays
        lines.append((rival, f"{small:.0f}", f"{whole:.0f}", f"{times:.2f} ×", _verdict(1.3 / max(times, 0.01))))
    head = ("training", "MiB with digits", "MiB with Fashion-MNIST", "difference ÷ arrays", "at most 1.3 ×")
    note = (
        f"Arrays: {arrays:.0f} MiB (70,000 images, uint8; digits: 1,797 of 8×8). "
        f"`import keras` alone: {found['import keras', '']:.0f} MiB."
    )
    return table(head, lines) + "\n\n" + note


def _threads(rows: Rows) -> str:
    lines = []
    for (network, batch), group in _grouped(rows, "network", "batch").items():
        counts = {int(count): _later(part) for count, part in _grouped(group, "threads").items()}
        one, many = (median(counts[count]) for count in (min(counts), max(counts)))
        work = _multiplications(network) * int(batch)
        cells = [_spread(seconds) for seconds in counts.values()]
        lines.append((network, batch, f"{work / 1e6:,.1f}", *cells, f"{one / many:.2f}"))
    lines.sort(key=lambda line: float(line[2].replace(",", "")))
    head = ("network", "batch", "million multiplications a step", *(f"threads={n}" for n in sorted(counts)), "gain")
    return table(head, lines) + "\n\nSeconds per epoch; gain above 1: all threads are faster than one."


def _multiplications(network: str) -> int:
    recipe, _, hidden = network.partition(" ")
    if recipe == "cnn":  # 32×32×3 -> 30×30×16 -> 13×13×32 -> 1152 -> 256 -> 100
        return 30 * 30 * 27 * 16 + 13 * 13 * 144 * 32 + 6 * 6 * 32 * 256 + 256 * 100
    sizes = [784, *map(int, hidden.split("-")), 10]
    return sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))


def _jit(rows: Rows) -> str:
    lines = []
    for workload, group in _grouped(rows, "workload").items():
        kinds = _grouped(group, "rival", "again")
        plain, compiled, again = (kinds[key] for key in (("kerasrun", ""), (JIT, "False"), (JIT, "True")))
        later = [_later(plain), _later([*compiled, *again])]
        first = [median(_first(part)) for part in (plain, compiled, again)]
        gain = median(later[0]) / median(later[1])
        pays = [_pays(later, first[0], cost) for cost in first[1:]]
        lines.append((workload, *map(_spread, later), f"{gain:.2f}", *(f"{s:.2f}" for s in first), *pays))
    head = ("workload", "seconds per epoch", "--jit", "gain", "first epoch", "first epoch --jit", "again",
            "pays after epochs", "again")  # fmt: skip
    note = "Again: in another process, with the compiled programs of the first. Convolutions are compiled only here."
    return f"{table(head, lines)}\n\n{note}"


def _pays(later: list[list[float]], first: float, first_compiled: float) -> str:
    """Return the number of epochs from which compiling is the shorter way."""
    saved = median(later[0]) - median(later[1])
    return f"{max(1.0, (first_compiled - first) / saved + 1):.0f}" if saved > 0 else "never"


SECTIONS: dict[str, tuple[str, Callable[[Rows], str]]] = {
    "epochs": ("Seconds per epoch, side by side", _epochs),
    "command": ("A whole command", _command),
    "answers": ("Answers that need no training", _answers),
    "scaling": ("Cost against size", _scaling),
    "memory": ("Memory", _memory),
    "threads": ("One thread or all", _threads),
    "jit": ("XLA over whole blocks", _jit),
}


def _grouped(rows: Rows, *keys: str) -> dict:
    groups: dict = defaultdict(list)
    for row in rows:
        groups[row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)].append(row)
    return dict(groups)


def _later(rows: Rows) -> list[float]:
    """Return the seconds of all epochs but the first."""
    return [float(row["seconds"]) for row in rows if row["epoch"] != "1"]


def _first(rows: Rows) -> list[float]:
    return [float(row["seconds"]) for row in rows if row["epoch"] == "1"]


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f})"


def _verdict(share: float) -> str:
    """Return whether a target is met, given measured / wanted where more is better."""
    return "met" if share >= 1 else f"missed by {100 * (1 - share):.0f} %"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
