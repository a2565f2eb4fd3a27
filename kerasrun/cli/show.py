"""`kerasrun show`: the network and every value, without data and without training."""

from __future__ import annotations

from typing import Any

from kerasrun.cli import console, words
from kerasrun.experiment import resolve


@words.with_settings
def show(subject: words.Words = None, *, options: dict[str, Any]) -> None:
    """Show layers, shapes, parameters and the origin of each value.

    Needs no data.

    kerasrun show cifar100
    """
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    from kerasrun.training.network import outline, summary

    console.say(summary(outline(experiment)).rstrip())
    console.show_experiment(experiment)
