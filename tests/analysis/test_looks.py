import math
import random
from dataclasses import replace

import pytest
from made_up_sweep import decide, records, sweep

from kerasrun.analysis import looks
from kerasrun.analysis.claims import read
from kerasrun.analysis.evidence import Measured
from kerasrun.analysis.findings import Budget, find
from kerasrun.errors import InputError

BETTER = {"better": "optimizer=adam", "than": "optimizer=sgd"}


def values(seeds, difference=0.03):
    draw = random.Random(1)
    base = [0.85 + draw.gauss(0, 0.003) for _ in range(seeds)]
    return {"sgd": base, "adam": [v + difference + draw.gauss(0, 0.002) for v in base]}


def looked(seeds, *, planned=5, extend=True, past=(), **changes):
    """Return the decision over so many seeds, and the looks that are new."""
    its_sweep = sweep({**BETTER, **changes}, seeds=seeds, extend=extend)
    [decision], new = decide(its_sweep, records(its_sweep, values(seeds)), planned=planned, looks=past)
    return decision, new


def test_the_first_look_spends_all_of_it_unless_more_are_planned():
    assert looked(5, extend=False)[0].look.alpha == 0.05
    assert looked(5, extend=True)[0].look.alpha == 0.025


@pytest.mark.parametrize(
    ("seeds", "n", "look"), [(5, 5, 1), (9, 5, 1), (10, 10, 2), (19, 10, 2), (20, 20, 3), (40, 40, 4)]
)
def test_looks_come_at_twice_and_four_times_the_planned_seeds_and_halve_what_they_spend(seeds, n, look):
    decision, [new] = looked(seeds)
    assert (decision.look.n, decision.look.look, decision.look.alpha) == (n, look, 0.05 / 2**look)
    assert (new.n, new.look, new.verdict, new.split, new.sweep) == (n, look, "supported", "validation", "made-up-0000")
    assert new.low == pytest.approx(decision.findings[0].numbers["low"])


def test_all_looks_together_spend_less_than_the_error_allowed():
    assert sum(0.05 / 2**k for k in range(1, 30)) < 0.05


def test_looking_again_at_the_same_seeds_is_the_same_look_and_is_not_written_down():
    _, first = looked(5)
    again, new = looked(7, past=first)
    assert (again.look.look, again.look.again, new) == (1, True, [])


def test_more_seeds_are_another_look_whatever_the_file_now_calls_planned():
    _, first = looked(5)
    decision, [second] = looked(10, planned=10, past=first)
    assert (second.look, second.alpha, decision.look.notes) == (2, 0.0125, ())


def test_more_seeds_without_extend_are_told_on():
    _, first = looked(5, extend=False)
    decision, [second] = looked(10, planned=10, extend=False, past=first)
    assert (second.look, second.alpha) == (2, 0.0125)
    assert "2 looks spend 6.2% in all, more than 5%" in decision.words


def test_a_claim_that_was_changed_after_its_first_look_says_so_and_pays_for_it():
    _, first = looked(5)
    decision, [second] = looked(5, past=first, margin=0.02)
    assert (second.look, second.hash != first[0].hash) == (2, True)
    assert "the claim was changed after its first look (2026-12-01, supported)" in decision.words
    again, new = looked(5, past=[*first, second], margin=0.02)
    assert (new, again.look.look) == ([], 2)
    assert "was changed" in again.words


def test_claims_that_change_places_keep_their_looks():
    other = {"better": "optimizer=sgd", "than": "optimizer=adam"}
    first, second = sweep(BETTER, other), sweep(other, BETTER)
    _, past = decide(first, records(first, values(5)))
    found, new = decide(second, records(second, values(5)), looks=past)
    assert new == []
    assert all("changed" not in decision.words for decision in found)


def test_looks_at_another_sweep_of_the_same_file_do_not_count():
    _, first = looked(5)
    decision, new = looked(5, past=[replace(first[0], sweep="made-up-1111", hash="00000000")])
    assert (decision.look.look, len(new)) == (1, 1)


def test_nothing_is_written_down_where_nothing_was_tested():
    for keywords in ({"planned": 6}, {"planned": 1}):
        its_sweep = sweep(BETTER, seeds=5)
        assert (
            decide(its_sweep, records(its_sweep, values(5))[: -1 if keywords["planned"] == 6 else None], **keywords)[1]
            == []
        )


def test_a_look_at_the_test_part_is_counted_as_such():
    _, [new] = looked(5, split="test")
    assert new.split == "test"


def test_the_file_is_read_as_it_was_written():
    _, first = looked(5)
    rows = [first[0], replace(first[0], low=None, high=None, look=2, n=10)]
    assert looks.read(looks.write(rows), "looks.csv") == rows
    assert looks.read("", "looks.csv") == []
    assert looks.write([]).startswith("date,sweep,claim,hash,look,n,alpha,low,high,verdict,split\n")


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: text.replace("look,", "", 1)])
def test_a_damaged_file_is_refused(damage):
    _, first = looked(5)
    with pytest.raises(InputError, match=r"^looks.csv: .*restore it"):
        looks.read(damage(looks.write([*first, *first])), "looks.csv")


def decided_at_some_look(rng, claim, *, careless=False):
    """Tell whether a difference that is not there is ever called better or worse, at 5, 10 and 20 seeds."""
    draws = [rng.gauss(0, 0.003) for _ in range(20)]
    past = []
    for n in (5, 10, 20):
        its_plan = looks.plan(claim, [claim], n, past)
        one, other = {s: 0.85 + draws[s] for s in range(n)}, dict.fromkeys(range(n), 0.85)
        measured = Measured(one, other, (0, 0), n, None, claim.margin, "max", 1e-4, "val_accuracy", "")
        verdict = find(claim, "", measured, Budget(0.05 if careless else its_plan.alpha)).verdict
        if verdict != "undecided":
            return True
        look = looks.Look("", "", 1, claim.hash, its_plan.look, n, its_plan.alpha, None, None, verdict, "")
        past.append(look)
    return False


def test_three_looks_find_what_is_not_there_in_at_most_one_of_twenty_cases():
    [claim] = read(sweep({**BETTER, "margin": 1e-4, "extend": True}), seeds=5)
    rng, cases = random.Random(7), 800
    errors = sum(decided_at_some_look(rng, claim) for _ in range(cases))
    assert errors <= cases * 0.05 + 3 * math.sqrt(cases * 0.05 * 0.95)
    rng = random.Random(7)
    careless = sum(decided_at_some_look(rng, claim, careless=True) for _ in range(cases))
    assert careless > cases * 0.08, "the same seeds, looked at three times at 5 %"
