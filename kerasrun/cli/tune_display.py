"""What a person sees of a tuning: each trial, the best ones, what mattered, and the best against the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kerasrun.cli import console, sweep_display
from kerasrun.cli.compare import compared
from kerasrun.literals import written
from kerasrun.sweeps.events import Event, Failed, Notice
from kerasrun.sweeps.train import Outlook, Result
from kerasrun.sweeps.tune import Told, Tuning, point

_BEST = 5  # trials that are listed


def show_start(tuning: Tuning, trials: int, *, quiet: bool) -> None:
    """Say what is searched, and what was done before."""
    if quiet:
        return
    done, search = len(tuning.answered), tuning.search
    before = f", {done} of them done before" if done else ""
    console.notice(
        f"{trials} trials{before} over {', '.join(search.space)}; {search.metric} is to be "
        f"{'large' if search.direction == 'max' else 'small'}   tuning: {search.id}   again: the same command"
    )


class Lines:
    """Tells each trial's end in a line."""

    def __init__(self, tuning: Tuning, trials: int, *, quiet: bool) -> None:
        self.tuning, self.trials, self.quiet = tuning, trials, quiet

    def __call__(self, event: Event | Told) -> None:
        """Tell an event."""
        if isinstance(event, Failed):
            console.notice(f"trial {event.cell.number} failed: {event.text}", *event.lines)
        elif isinstance(event, Notice):
            console.notice(event.text)
        elif isinstance(event, Told) and not self.quiet:
            value = event.status if event.value is None else f"{event.value:.4f}"
            best = f" (best {event.best[0]:.4f}, trial {event.best[1]})" if event.best else ""
            chosen = " ".join(f"{name}={written(value)}" for name, value in event.point.items())
            console.notice(f"{event.done}/{self.trials} trial {event.number}: {value}{best} · {chosen}")


def show_trials(tuning: Tuning) -> None:
    """Write the best trials and what mattered."""
    search, answered = tuning.search, tuning.answered
    results = tuning.results
    lost = len(answered) - len(results)
    console.say(
        f"{search.metric}, one seed each: for choosing, not for reporting. {len(results)} trials with a result, "
        f"{lost} pruned or diverged{f', {len(tuning.failed)} failed' if tuning.failed else ''}",
        "",
    )
    names = [*search.space]
    rows = [(t.number + 1, *(written(point(t)[name]) for name in names), t.value) for t in results[:_BEST]]
    console.show_table(("trial", *names, search.metric), rows, text_columns=names)
    if importances := tuning.importances():
        shares = [(name, f"{100 * share:.0f} %") for name, share in importances.items()]
        console.say("", "what decides whether a trial is among the best (PED-ANOVA):")
        console.show_table(("knob", "share"), shares)


@contextmanager
def evaluating(outlook: Outlook, *, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """Show the training of the best values and of the default."""
    if not quiet:
        console.notice("", "the best values and the default, on seeds that no trial has used:")
    with sweep_display.running(outlook, quiet=quiet) as watch:
        yield watch


def show_evaluation(result: Result, tuning: Tuning) -> None:
    """Compare the best values with the default on the test part, which no trial has seen."""
    if not result.records:
        return
    metric = tuning.search.metric.replace("val_", "test_")
    table, _ = compared(result.results, [result.id], every=False, metric=metric, test=True)
    console.say("")
    console.show_title(table.title)
    console.show_table(*table.people)
    console.remark(*table.notes)
    console.say(f"next: kerasrun compare {result.id}")
