"""What is to be said beside a table of groups: pairs, missing seeds, diverged and repeated runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrun.analysis import amounts
from kerasrun.analysis.groups import Against, Group, Groups, dataset_of
from kerasrun.analysis.statistics import fisher, wilson

_NAMED = 3  # so many are named, more are counted
_SEEDS = 8  # likewise


def lines(groups: Groups, compared: Mapping[int, Against], chance: float | None = None) -> list[str]:
    """Return the lines of a table of groups.

    Args:
        groups: all groups.
        compared: each against its baseline, by its number; empty where they are not compared.
        chance: what guessing reaches, where a run that diverged can be scored so.
    """
    found = []
    if groups.unit:
        found.append(
            f"each row holds runs that differ in {', '.join(groups.unit)}: a pair is equal in these and the seed"
        )
    if groups.going_along:
        found.append(f"the rows differ in {', '.join(groups.going_along)}, too")
    wanted: dict[Any, set[int]] = {}
    for group in groups.members:
        wanted.setdefault(dataset_of(group), set()).update(group.outcomes, group.missing)
    missing = [(group, sorted(wanted[dataset_of(group)] - group.outcomes)) for group in groups.members]
    if any(units for _, units in missing):
        parts = [f"{group.label} {_units(groups, units)}" for group, units in missing if units]
        more = f"; and {len(parts) - _NAMED} more rows" if len(parts) > _NAMED else ""
        found.append(f"seeds missing: {'; '.join(parts[:_NAMED])}{more}. Differences are over the seeds that both have")
    if varying := [said for group in groups.members if (said := _epochs(group))]:
        more = f"; and {len(varying) - _NAMED} more rows" if len(varying) > _NAMED else ""
        found.append(f"epochs run: {'; '.join(varying[:_NAMED])}{more}")
    without = Counter(status for group in groups.members for status in group.missing.values())
    if count := without.pop("no value", 0):
        found.append(f"{count} run{'s' if count > 1 else ''} without a value at this moment, left out")
    if count := without.pop("running", 0):
        found.append(f"{count} still running")
    if without:
        counts = ", ".join(f"{count} {status}" for status, count in without.items())
        again = "" if {*without} == {"pruned"} else "; the same command again trains them"
        found.append(f"no result: {counts}{again}")
    diverged = [_diverged(group, compared.get(n), chance) for n, group in enumerate(groups.members) if group.diverged]
    rest = [f"{len(diverged) - _NAMED} more rows hold runs that diverged"] if len(diverged) > _NAMED else []
    found += [*diverged[:_NAMED], *rest]
    if repeated := sum(group.repeated for group in groups.members):
        found.append(f"{repeated} run{'s repeat' if repeated > 1 else ' repeats'} another; the newest counts")
    return found


def _epochs(group: Group) -> str:
    """Return between which numbers of epochs a group's runs ended; nothing where all ran as many."""
    run = [record.get("epochs_run") or 0 for record in group.used]
    return f"{group.label} {min(run)} to {max(run)}" if run and min(run) < max(run) else ""


def _units(groups: Groups, units: Sequence[int]) -> str:
    most = 2 if groups.unit else _SEEDS
    shown = ", ".join(groups.names.get(unit, str(unit)) for unit in units[:most]) + (", …" if len(units) > most else "")
    return f"{len(units)} ({shown})" if groups.unit else shown


def _diverged(group: Group, compared: Against | None, chance: float | None) -> str:
    low, high = wilson(len(group.results), group.trained)
    share = f"{len(group.results) / group.trained:.2f}, 95 % {low:.2f} to {high:.2f}"
    test = ""
    if compared is not None:
        base = compared.baseline
        p = fisher(len(group.results), group.trained, len(base.results), base.trained)
        test = f"; Fisher {amounts.said_p(p)} against {base.label}"
        if chance is not None and (common := group.outcomes & base.outcomes):
            apart = sum(group.results.get(n, chance) - base.results.get(n, chance) for n in common) / len(common)
            test += f"; scored as guessing, {chance:.3g}, it differs by {apart:+.4f}"
    means = "; its mean is of converged runs, conditional" if group.results else ""
    return f"{group.label}: {len(group.diverged)} of {group.trained} diverged (share converged {share}{test}){means}"
