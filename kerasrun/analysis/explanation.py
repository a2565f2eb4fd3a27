"""The rules that one table was made by, in words: `kerasrun compare --explain`."""

from __future__ import annotations

from collections.abc import Mapping

from kerasrun.analysis import amounts
from kerasrun.analysis.groups import Against, Group, Groups
from kerasrun.analysis.means import Rules, judged, said_margin
from kerasrun.analysis.statistics import sign_flip

_SCALES = {
    "log": "on the log scale, as losses and times are never below 0",
    "log_odds": "on the log-odds scale where a share lies near 0, 1 or chance",
}
_CHECKED = 8  # so many rows get the second test


def explain(groups: Groups, bases: Mapping[int, Group], rules: Rules, why: str) -> list[str]:
    """Return how the values, intervals and verdicts of a table came about, one thought a line.

    Args:
        groups: the rows.
        bases: the baseline of each, by its number.
        rules: how they were compared.
        why: how the moment and the baseline were chosen.
    """
    compared, estimates = judged(groups, bases, rules)
    within = f"the seed and {', '.join(groups.unit)}" if groups.unit else "the seed"
    found = [
        f"value    {rules.metric} {rules.moment}".rstrip() + f"; {why}",
        f"row      runs with equal {', '.join(groups.by)}; they differ in {within}",
    ]
    scales = [_SCALES[scale] for scale in sorted({e.scale for e in estimates if e}) if scale in _SCALES]
    found.append(
        f"mean     over runs, with Student's 95 % interval of its own{', '.join(['', *scales])}; none for one run"
    )
    methods = {one.difference.method for one in compared.values()}
    if methods & {"paired t", "same difference", "identical"}:
        found.append(
            "against  the mean of the differences between runs of the same seed (paired t); positive is better"
        )
        found.append("         that such differences are normally distributed is assumed; few seeds cannot show it")
    if "crossed" in methods:
        found.append(
            "against  the mean over seeds and validation images, both drawn at random (mean squares of either,"
        )
        found.append(
            "         freedom after Satterthwaite); an interval covers other seeds and other images of the kind"
        )
    if "Welch" in methods:
        found.append("against  rows without a common seed: the difference of the means, Welch's t; positive is better")
    if any(one.difference.relative for one in compared.values()):
        found.append("         as a ratio: +12 % says that the baseline's value is 1.12 times as large")
    found += _family(compared)
    found += _verdicts(compared, rules)
    if any(group.diverged for group in groups.members):
        found.append("diverged a result, not a gap: a row that diverges oftener than the other is never called better")
    if compared:
        of_images = "it says nothing of other kinds of data" if rules.images else "of new data it says nothing"
        found.append(f"scope    other seeds on this split, data and budget would say so; {of_images}")
    return found


def _family(compared: Mapping[int, Against]) -> list[str]:
    tested = [one for one in compared.values() if one.difference.p is not None]
    if len(tested) < 2:
        return []
    level = tested[0].difference.level
    return [
        f"p        adjusted for {len(tested)} comparisons with the baseline (Holm)",
        f"         their intervals are at {level * 100:.4g} % each, so that all hold together at 95 %",
    ]


def _verdicts(compared: Mapping[int, Against], rules: Rules) -> list[str]:
    if not compared:
        return []
    margin = said_margin(rules.margin)
    found = [
        f"verdict  better or worse: p < 0.05 and the interval lies beyond the margin {margin}; else the words say so",
        f"         equal: the 90 % interval lies within ±{margin}; else nothing is shown, which is not equality",
        "         seeds that would settle it: power 0.8 at the margin, from the 80 % range of the sd",
    ]
    for one in [*compared.values()][:_CHECKED]:
        ours, theirs = one.group.results, one.baseline.results
        p = sign_flip([ours[unit] - theirs[unit] for unit in ours.keys() & theirs.keys()])
        if p is not None:
            found.append(f"check    {one.group.label}: exact sign flips of the differences, {amounts.said_p(p)}")
        if one.difference.correlation is not None and one.difference.correlation <= 0:
            correlation = f"correlation {one.difference.correlation:.2f}"
            found.append(f"check    {one.group.label}: pairing did not help ({correlation} over the seeds)")
    return found
