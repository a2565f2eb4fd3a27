"""How often a claim was looked at, and what is left of its error budget: results/<file's stem>/looks.csv.

Testing at 5, 6, … 20 seeds finds a difference that is not there in 19 % of all cases. So a claim is decided at its
planned number of seeds and, if it says `extend`, at twice, four times … as many; its k-th look spends 0.05 / 2^k, in
all never more than 0.05. The only module that knows the file's columns and this rule.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from kerasrun.errors import InputError

if TYPE_CHECKING:
    from kerasrun.analysis.claims import Claim

ALPHA = 0.05


@dataclass(frozen=True)
class Look:
    """One decision about a claim, as it was made.

    Args:
        date: ISO 8601.
        sweep: its id.
        claim: the claim's number in the file.
        hash: of what the claim said then.
        look: 1 for the first.
        n: seeds.
        alpha: that this look spent.
        low: lower limit of the interval of its weakest part; None where there is none.
        high: upper limit.
        verdict: "supported", "contradicted" or "undecided".
        split: "validation" or "test".
    """

    date: str
    sweep: str
    claim: int
    hash: str
    look: int
    n: int
    alpha: float
    low: float | None
    high: float | None
    verdict: str
    split: str


@dataclass(frozen=True)
class Plan:
    """What the next decision about a claim is made with.

    Args:
        n: seeds, the first of all that are there.
        look: its number.
        alpha: what it spends.
        again: whether the same look was made before; it is not written down twice.
        notes: what the reader must know of earlier looks.
    """

    n: int
    look: int
    alpha: float
    again: bool
    notes: tuple[str, ...]


def plan(claim: Claim, claims: Sequence[Claim], available: int, looks: Sequence[Look]) -> Plan | None:
    """Return how a claim is to be decided now, or None where the planned seeds are not complete.

    Args:
        claim: the claim.
        claims: all of its file.
        available: seeds for which all runs are there.
        looks: of the sweep so far.
    """
    if available < claim.seeds:
        return None
    n, scheduled = claim.seeds, 1
    while claim.extend and 2 * n <= available:
        n, scheduled = 2 * n, scheduled + 1
    others = {other.hash for other in claims if other is not claim}
    own = [
        look for look in looks if look.hash == claim.hash or (look.claim == claim.number and look.hash not in others)
    ]
    same = next((look for look in own if look.hash == claim.hash and look.n == n), None)
    if same:
        earlier = [look for look in own if look.look < same.look]
        return Plan(n, same.look, same.alpha, True, _notes(claim, earlier, same.alpha))
    number = max(scheduled, 1 + max((look.look for look in own), default=0))
    alpha = ALPHA if number == 1 and not claim.extend else ALPHA / 2**number
    return Plan(n, number, alpha, False, _notes(claim, own, alpha))


def _notes(claim: Claim, earlier: Sequence[Look], alpha: float) -> tuple[str, ...]:
    notes = []
    if changed := [look for look in earlier if look.hash != claim.hash]:
        notes.append(f"the claim was changed after its first look ({changed[0].date[:10]}, {changed[0].verdict})")
    spent = alpha + sum({look.look: look.alpha for look in earlier}.values())
    if spent > ALPHA:
        notes.append(
            f"{len(earlier) + 1} looks spend {spent:.1%} in all, more than {ALPHA:.0%}; extend = true plans them"
        )
    return tuple(notes)


def read(text: str, name: str) -> list[Look]:
    """Read looks.csv.

    Raises:
        InputError: it is damaged; file and row.
    """
    rows = [*csv.reader(io.StringIO(text, newline=""))]
    if not rows:
        return []
    names = [field.name for field in fields(Look)]
    if rows[0] != names:
        raise InputError(f"{name}: its columns are not {','.join(names)}; restore it")
    found = []
    for number, row in enumerate(rows[1:], start=1):
        try:
            date, sweep, claim, content, look, n, alpha, low, high, verdict, split = row
            found.append(
                Look(date, sweep, int(claim), content, int(look), int(n), float(alpha), _limit(low), _limit(high),
                     verdict, split)
            )  # fmt: skip
        except ValueError:
            raise InputError(f"{name}: row {number} is damaged; restore it") from None
    return found


def write(looks: Sequence[Look]) -> str:
    """Return the text of looks.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Look)])
    writer.writerows(["" if value is None else value for value in astuple(look)] for look in looks)
    return text.getvalue()


def _limit(cell: str) -> float | None:
    return float(cell) if cell else None
