"""`kerasrun doctor`: what a training depends on, as plain text to paste into a report."""

from __future__ import annotations

from pathlib import Path

from kerasrun.cli import console, words


def doctor(*, results: words.Results = Path("results")) -> None:
    """Report on software, machine and folders.

    Plain text to paste; what is amiss is marked, with what to do about it.
    """
    from kerasrun.checkup import checkup

    advice = 0
    for finding in checkup(results):
        console.say(f"{finding.name:<15} {finding.value}")
        if finding.advice:
            console.say(f"{'':<15} ! {finding.advice}")
            advice += 1
    console.say(f"{advice} to see to, marked !" if advice else "nothing amiss")
