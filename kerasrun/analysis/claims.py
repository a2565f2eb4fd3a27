"""What an experiment file claims: its [[claim]] tables, read and checked before the first run.

    [[claim]]
    says = "adaptive optimizers beat plain gradient descent"
    better = ["optimizer=adam", "optimizer=rmsprop"]
    than = "optimizer=sgd"
    margin = 0.005

The only module that knows the keys of a claim and their defaults. How a claim is decided: decisions.py.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun import settings
from kerasrun.analysis import layer_numbers, moments
from kerasrun.analysis.claim_parts import Part, parts
from kerasrun.analysis.places import Grid, Place, grid
from kerasrun.analysis.statistics import Margin, usual_margin
from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import parse_value

_EVERYWHERE = {"says", "where", "for_each", "seeds", "extend"}
_MEASURED = {"metric", "at", "margin", "split"}
KEYS = {
    "better": {"than", "by", *_MEASURED},
    "at_least_as_good": {"than", *_MEASURED},
    "order": _MEASURED,
    "equal": {"within", *_MEASURED},
    "reaches": {"target", "share", "at", "before", "by", "margin"},
    "fails": {"target", "share", "at"},
    "faster": {"than", "to", "by", "margin"},
    "stands": {"than", "over", "by", "target", "at", "margin"},
    "has": {"above", "below", *_MEASURED} - {"margin"},
}
_NAMED = 3  # so many parts are named in a claim that says nothing itself
_CLASHES = {("before", "share"), ("before", "at"), ("margin", "within")}
_NEEDED = {
    "better": ("than",), "at_least_as_good": ("than",), "faster": ("than",), "reaches": ("target",),
    "stands": ("than", "over"),
}  # fmt: skip
_DEPENDENT = {  # what makes sense beside another key alone
    "reaches": ("before", {"by", "margin"}),
    "fails": ("target", {"at"}),
    "stands": ("target", {"at"}),
}


@dataclass(frozen=True)
class Target:
    """A value that a run is to reach.

    Args:
        metric: column of metrics.csv.
        value: as good as this or better.
        direction: "max" or "min".
        lasting: epochs at the end that must all be there; 0 where any epoch will do that the next one confirms.
    """

    metric: str
    value: float
    direction: str
    lasting: int

    def __str__(self) -> str:
        last = " in the last epoch" if self.lasting == 1 else f" in the last {self.lasting} epochs"
        return f"{self.metric}={self.value:g}" + (last if self.lasting else "")


@dataclass(frozen=True)
class Claim:
    """One statement about a sweep, with all that decides it, fixed before the runs.

    Args:
        number: in the file, from 1.
        says: in the author's words.
        kind: a key of KEYS, or "before" (reaches a target in fewer epochs), "same" (bitwise equal).
        parts: what has to hold.
        metric: column that is compared; "gap:accuracy" is training minus validation, "health:factor" and the like
            are numbers about layers; of "stands" it is the axis; "" where no column is.
        at: the moment.
        margin: the smallest difference that matters.
        by: the difference that is asked for; 0 for any.
        share: more runs than this must reach the target, or fail.
        target: what is to be reached, if anything.
        bounds: between which a number has to lie.
        seeds: planned number.
        extend: whether more seeds than planned may be looked at.
        hash: changes with everything that decides the claim but the number of seeds.
    """

    number: int
    says: str
    kind: str
    parts: tuple[Part, ...]
    metric: str
    at: moments.At
    margin: Margin
    by: float
    share: float
    target: Target | None
    bounds: tuple[float, float]
    seeds: int
    extend: bool
    hash: str

    @property
    def split(self) -> str:
        """The part of the data that the claim is about."""
        return "test" if self.metric.startswith("test_") else "validation"

    @property
    def places(self) -> frozenset[Place]:
        """Every place whose runs the claim needs."""
        return frozenset(place for part in self.parts for side in part.sides for place in side)


def read(sweep: Any, *, seeds: int) -> tuple[Claim, ...]:
    """Read and check the claims of a sweep.

    Args:
        sweep: has file, axes, cells (each with setting and experiment), claims, metric, at and extend.
        seeds: the planned number, as the file says it.

    Raises:
        InputError: a key, name, value or combination that cannot be; file and number of the claim.
    """
    places = grid(sweep.axes, [cell.setting for cell in sweep.cells])
    claims = []
    for number, table in enumerate(sweep.claims, start=1):
        try:
            claims.append(_Reader(table, sweep, places).claim(number, seeds))
        except InputError as error:
            raise InputError(f"{sweep.file}: claim {number}: {error}") from None
    return tuple(claims)


class _Reader:
    """One table of a file, while it is read."""

    def __init__(self, table: Mapping[str, Any], sweep: Any, places: Grid) -> None:
        self.table = {name.replace("-", "_"): value for name, value in table.items()}
        self.sweep, self.places = sweep, places
        self.key = self._key()

    def claim(self, number: int, seeds: int) -> Claim:
        """Return the claim, checked."""
        planned = settings.whole_number(1)("seeds", self.table.get("seeds", seeds))
        extend = settings.boolean("extend", self.table.get("extend", self.sweep.extend))
        kind = "before" if "before" in self.table else "same" if self._is_bitwise() else self.key
        metric, target = self._metric(kind), self._target()
        at, margin = self._at(metric), self._margin(metric)
        by, share = self._number("by", 0.0), self._number("share", 0.5, below=1.0)
        its_parts = parts(self.key, self.table, self.places)
        decisive = [kind, [(part.name, part.sides) for part in its_parts], metric, str(at), margin.value, by, share]
        bounds = self._bounds()
        content = json.dumps([*decisive, str(target), *map(str, bounds if kind == "has" else ())]).encode()
        return Claim(
            number, self._says(its_parts), kind, its_parts, metric, at, margin, by, share, target, bounds, planned,
            extend, hashlib.sha256(content).hexdigest()[:8],
        )  # fmt: skip

    def _key(self) -> str:
        """Return the key that says what holds, when all others go with it."""
        keys = [name for name in KEYS if name in self.table]
        if len(keys) != 1:
            said = f"says {' and '.join(keys)} at once" if keys else "does not say what holds"
            raise InputError(f"{said}\nwrite one of {', '.join(KEYS)}")
        allowed = KEYS[keys[0]] | _EVERYWHERE | {keys[0]}
        for name in self.table:
            if name not in allowed:
                raise unknown(f"key of a claim '{keys[0]}'", name, allowed)
        clashes = _CLASHES | {("within", name) for name in ("metric", "at", "split") if self._is_bitwise()}
        for one, other in sorted(clashes):
            if one in self.table and other in self.table:
                raise InputError(f"{one} and {other} do not go together")
        for name in _NEEDED.get(keys[0], ()):
            if name not in self.table:
                raise InputError(f"{keys[0]} needs {name} = …")
        key, dependent = _DEPENDENT.get(keys[0], ("", set()))
        if key not in self.table and (given := dependent & self.table.keys()):
            raise InputError(f"{sorted(given)[0]} needs {key} = …")
        return keys[0]

    def _is_bitwise(self) -> bool:
        return self.table.get("within") == "bitwise"

    def _says(self, its_parts: Sequence[Part]) -> str:
        if "says" in self.table:
            return settings.text("says", self.table["says"])
        names = [part.name for part in its_parts]
        words = [self.key.replace("_", " "), *(str(self.table[key]) for key in ("target", "to") if key in self.table)]
        if self.key == "has" and "metric" in self.table:
            words.append(str(self.table["metric"]))
        return f"{' '.join(words)}: {'; '.join(names[:_NAMED])}{' …' if len(names) > _NAMED else ''}"

    def _metric(self, kind: str) -> str:
        """Return the column that is compared, which every run will have; its usual one where none is named."""
        if kind in ("reaches", "fails", "same"):
            return ""
        if kind == "stands":
            return self._range()
        if kind in ("before", "faster"):
            return "epochs" if kind == "before" else "seconds" if "to" in self.table else "epoch_seconds"
        experiments = [cell.experiment for cell in self.sweep.cells]
        if layer_numbers.is_one(asked := str(self.table.get("metric", ""))):
            if asked.startswith("health") and not all(e.health for e in experiments):
                raise InputError(f"{asked} needs health = true, for all runs of the file")
            if "split" in self.table:
                raise InputError(f"{asked} is of training examples; leave split out")
            return layer_numbers.checked(asked)
        common = [n for n in experiments[0].metric_names if all(n in e.metric_names for e in experiments)]
        known = ["loss", *common]
        usual = self.sweep.metric or f"val_{common[0] if common else 'loss'}"
        metric = str(self.table.get("metric", usual)).replace("-", "_")
        split = settings.choice("validation", "test")("split", self.table.get("split", "validation"))
        if split == "test":
            metric = f"test_{metric.removeprefix('val_').removeprefix('test_')}"
        measured = ("train_",) if all(e.evaluate_train for e in experiments) else ()
        everything = [f"{part}{name}" for part in ("", "val_", "test_", "gap:", *measured) for name in known]
        everything += [*moments.TIMES, *(moments.COUNTS if kind == "has" else ())]  # counts: neither way is better
        if metric not in everything:
            raise unknown("metric", metric, everything)
        several = len({e.loss for e in experiments}) > 1 and kind != "has"  # whose parts have one setting each
        if several and metric.endswith("loss"):
            raise InputError(f"{metric} of different losses is not comparable; choose another one with metric = …")
        return metric

    def _at(self, metric: str) -> moments.At:
        """Return the moment: the last epoch at a fixed budget, the best where runs may stop early."""
        if layer_numbers.is_one(metric):
            at = settings.choice("start", "step=10", "step=100", "last")("at", self.table.get("at", "start"))
            kind, _, number = at.partition("=")
            return moments.At(kind, int(number or 0))
        if metric.startswith("test_"):
            if self.table.get("at", "best") != "best":
                raise InputError("the test part is measured with the best epoch's weights alone; leave at out")
            return moments.At("best")
        if self.key in ("reaches", "fails", "stands"):
            return moments.At("last")
        patient = all(cell.experiment.patience is None for cell in self.sweep.cells)
        return moments.parse_at(str(self.table.get("at") or self.sweep.at or ("last" if patient else "best")))

    def _margin(self, metric: str) -> Margin:
        usual = usual_margin(metric)
        if self.key == "has":
            return Margin(0.0, usual.relative)
        relative = usual.relative and not metric.startswith("gap:")
        relative &= not layer_numbers.is_one(metric) or layer_numbers.is_ratio(metric)
        key = "within" if "within" in self.table and not self._is_bitwise() else "margin"
        if usual.relative and not relative and key not in self.table:
            raise InputError(f"{metric} needs margin = …, the smallest difference that matters")
        return Margin(self._number(key, usual.value, above=0.0), relative)

    def _target(self) -> Target | None:
        """Return what is to be reached: a column of metrics.csv and its value."""
        key = "to" if self.key == "faster" else "target"
        if key not in self.table:
            return None
        name, _, text = str(self.table[key]).partition("=")
        value, name = parse_value(text), name.strip().replace("-", "_")
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise InputError(f"{key}={shown(self.table[key])} is no target\nwrite metric=value, as val_accuracy=0.88")
        experiments = [cell.experiment for cell in self.sweep.cells]
        names = {n for e in experiments for n in ("loss", *e.metric_names)}
        measured = ("train_",) if all(e.evaluate_train for e in experiments) else ()
        known = [f"{part}{n}" for part in ("", "val_", *measured) for n in sorted(names)]
        if name not in known:
            raise unknown(f"metric of the {key}", name, known)
        return Target(name, float(value), settings.direction(name), self._lasting())

    def _range(self) -> str:
        """Return the axis along which settings grow harder to bear, which must be one of positive numbers."""
        axis = self.places.axes[self.places.axis(str(self.table["over"]))]
        if len(axis.names) > 1 or not all(isinstance(v, int | float) and v > 0 for (v, *_) in axis.values):
            raise InputError(f"over={shown(self.table['over'])} must be an axis of numbers above 0 of its own")
        return axis.names[0]

    def _bounds(self) -> tuple[float, float]:
        """Return what a number has to lie between."""
        low, high = (self._bound(key, without) for key, without in (("above", -math.inf), ("below", math.inf)))
        if self.key == "has" and not (low < high and (low > -math.inf or high < math.inf)):
            raise InputError("has needs above = … or below = …, or both, the first the smaller one")
        return low, high

    def _bound(self, key: str, without: float) -> float:
        value = self.table.get(key, without)
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise InputError(f"{key}={shown(value)} is no number")
        return float(value)

    def _lasting(self) -> int:
        """Return how many epochs at the end must be at the target: at = "last5" is 5."""
        if "at" not in self.table:
            return 0
        if not (match := re.fullmatch(r"last([1-9]\d{0,3})?", str(self.table["at"]))):
            raise InputError(f'at={shown(self.table["at"])}: write "last", or "last5" for all of the last five epochs')
        return int(match[1] or 1)

    def _number(self, key: str, default: float, *, above: float = -math.inf, below: float = math.inf) -> float:
        """Return a number from 0 on, or what is left of it between two limits."""
        if key not in self.table:
            return default
        value = settings.number_from(0.0)(key, self.table[key])
        if not above < value < below:
            limit = "above 0" if value <= above else "below 1: it is a part of the runs"
            raise InputError(f"{key}={shown(self.table[key])} must be {limit}")
        return value
