"""What can be wrong with a network: each illness, how the numbers show it, and what to try, as options of the recipe.

Every threshold stands here. Each function returns an Illness, or None where the numbers do not show it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from kerasrun.analysis import outcomes
from kerasrun.analysis.patient import FEWEST_LAYERS, TINY, Patient, Row, factor

SHRINKS, GROWS = 0.6, 1.6  # factor per layer towards the input outside of which gradients vanish or explode
REACHES = 1e-3  # of the last hidden layer's gradient, that the first one must get
FADES = 1e-2  # of the first hidden layer's deviation, that the last one must keep
MOST = 0.5  # share of units or outputs
LARGE_INPUT, SMALL_INPUT = 5.0, 0.02  # of mean and deviation
SURE = 2.0  # times ln(classes): a first loss above it is that of a network sure of wrong answers
LARGE_STEP, SMALL_STEP = 0.1, 3e-4  # of the weights, in one step; 1e-3 is usual (Karpathy, CS231n notes)
RISES = 1.2  # times the best validation loss, or the loss before the first step
APART = 1.5  # times the training loss
JUMPS = 2.0  # times the loss before the first step
POOR, HARDLY = 0.5, 0.9  # of the loss of knowing nothing
STILL = 0.01  # of the training loss, in an epoch
_NO_LAYER = ("embedding", "lstm", "gru", "simplernn", "bidirectional")


@dataclass(frozen=True)
class Illness:
    """One thing that is wrong.

    Args:
        name: in a word or two.
        says: what the numbers show, a sentence.
        remedies: what to try, as `name=value` or words.
        epoch: at which the layers show it, where they do.
    """

    name: str
    says: str
    remedies: tuple[str, ...]
    epoch: int | None = None


def unscaled_input(patient: Patient) -> Illness | None:
    """Inputs far from mean 0 and deviation 1: the first layer's sums are huge, or all alike."""
    entering = next((row for row in patient.layers if row["layer"] == "input"), None)
    if entering is None:
        return None
    mean, deviation = entering["mean"], entering["deviation"]
    if max(abs(mean), deviation) < LARGE_INPUT and deviation > SMALL_INPUT:
        return None
    size = "large" if deviation > SMALL_INPUT else "alike"
    return Illness(
        "unscaled input",
        f"The network receives inputs of mean {mean:.3g} and deviation {deviation:.3g}, too {size} for usual weights.",
        patient.options("scale=standardize"),
    )


def no_non_linearity(patient: Patient) -> Illness | None:
    """Hidden layers that are all linear."""
    layers = [row for row in patient.hidden(min(patient.measured, default=0)) if row["kind"] not in _NO_LAYER]
    if not layers or any(row["activation"] != "linear" for row in layers):
        return None
    return Illness(
        "no non-linearity",
        f"The {len(layers)} {'hidden layer has' if len(layers) == 1 else 'hidden layers have'} no non-linearity: "
        "together with the output layer they compute what one layer can.",
        patient.options("activation=relu"),
    )


def first_loss(patient: Patient) -> Illness | None:
    """A loss at the start far above that of knowing nothing."""
    ideal, start = patient.ignorance, patient.at(0)
    if ideal is None or not start or not start[0]["loss"] > SURE * ideal:
        return None
    loss = start[0]["loss"]
    means = f"ln({patient.record['data']['classes']}) = " if (patient.record.get("data") or {}).get("classes") else ""
    return Illness(
        "first loss",
        f"Before the first step the loss is {loss:.3g}; a network that knows nothing has {means}{ideal:.3g}: "
        "its first answers are sure and wrong.",
        patient.options("scale=standardize", "initializer=glorot_uniform", "initializer=lsuv")[:2],
    )


def gradients(patient: Patient) -> Illness | None:
    """Gradients that vanish or explode towards the input, by a factor per layer: now, or at a start that it shows."""
    learned = patient.ignorance and patient.training_loss and patient.training_loss[-1] < POOR * patient.ignorance
    for epoch in patient.measured[-1:] if learned else [*patient.measured[-1:], *patient.measured[:1]]:
        if illness := _gradients(patient, epoch):
            return illness
    return None


def _gradients(patient: Patient, epoch: int) -> Illness | None:
    hidden = patient.hidden(epoch)
    ratio = factor(hidden)
    if ratio is None:
        return None
    if ratio > GROWS:
        return Illness(
            "exploding gradients",
            f"Gradients grow {ratio:.2g} × per layer towards the input ({when(epoch)}).",
            patient.options("batch_norm=true", "initializer=glorot_uniform", "clip_norm=1"),
            epoch,
        )
    if ratio >= SHRINKS:
        return None
    first, last = hidden[0]["gradient"], hidden[-1]["gradient"]
    reaching = first / last if last else 0.0
    if reaching >= REACHES:
        return None
    activations = " and ".join(dict.fromkeys(row["activation"] for row in hidden))
    return Illness(
        "vanishing gradients",
        f"Gradients shrink {ratio:.2f} × per layer towards the input ({when(epoch)}): {activations} with {len(hidden)} "
        f"hidden layers; the first gets {f'{reaching:.1e}' if first > TINY else 'below 1e-30'} of the "
        "last one's.",
        _livelier(patient, hidden),
        epoch,
    )


def signal(patient: Patient) -> Illness | None:
    """Outputs that fade from layer to layer, so that all gradients are as small; where they grow, gradients explode."""
    hidden = patient.hidden(0)
    if len(hidden) < FEWEST_LAYERS or gradients(patient):
        return None
    first, last = hidden[0]["deviation"], hidden[-1]["deviation"]
    if first and last < FADES * first:
        says = f"At the start the signal fades to {last / first:.1e} of itself from the first hidden layer to the last"
        return Illness("fading signal", f"{says}: all gradients are as small.", _livelier(patient, hidden))
    return None


def dead_units(patient: Patient) -> Illness | None:
    """ReLU units that give 0 for every example."""
    worst = _worst(patient, "dead")
    if worst is None:
        return None
    return Illness(
        "dead units",
        f"{worst['dead']:.0%} of the units of {worst['layer']} give 0 for every example, and no longer learn.",
        (*patient.options("activation=leaky_relu", "initializer=he_normal"), "a smaller learning_rate"),
    )


def saturated_units(patient: Patient) -> Illness | None:
    """Hidden sigmoid or tanh units that are flat for most examples."""
    worst = _worst(patient, "saturated")
    if worst is None:
        return None
    return Illness(
        "saturated units",
        f"{worst['saturated']:.0%} of the outputs of {worst['layer']} lie where {worst['activation']} is flat: "
        "hardly any gradient passes.",
        patient.options("scale=standardize", "initializer=glorot_uniform", "batch_norm=true", "activation=relu"),
    )


def _worst(patient: Patient, share: str) -> Row | None:
    """Return the hidden layer with the largest share at the last epoch, where that is more than MOST."""
    rows = [row for row in patient.hidden(max(patient.measured, default=0)) if (row[share] or 0.0) > MOST]
    return max(rows, key=lambda row: row[share], default=None)


def rate_too_high(patient: Patient) -> Illness | None:
    """A training that diverged, whose loss rises, or whose steps are a large part of the weights."""
    slower = ("a tenth of the learning_rate", "kerasrun find-rate")
    if patient.record["status"] == "diverged":
        message = (patient.record.get("error") or {}).get("message", "a number is not finite")
        return Illness(
            "rate too high", f"The training diverged: {message}.", (*slower, *patient.options("clip_norm=1"))
        )
    losses, start = patient.training_loss, [] if patient.is_penalized else patient.at(0)
    first = start[0]["loss"] if start else max(losses[:1], default=math.inf)
    if losses and (losses[-1] > RISES * first or max(losses) > JUMPS * first):
        return Illness("rate too high", f"The training loss rose from {first:.3g} to {max(losses):.3g}.", slower)
    epoch, step = patient.step
    if epoch and step > LARGE_STEP:
        return Illness("rate too high", f"One step changes the weights by {step:.0%}; 0.1 % is usual.", slower)
    return None


def rate_too_low(patient: Patient) -> Illness | None:
    """Steps that are a tiny part of the weights, and a loss that falls steadily but has hardly fallen."""
    losses, start = patient.training_loss[-3:], patient.at(0)
    step = patient.step[1]
    falls = len(losses) > 1 and all(after < before for before, after in itertools.pairwise(losses))
    if not start or not falls or losses[-1] < POOR * start[0]["loss"] or not 0 < step < SMALL_STEP:
        return None
    says = f"One step changes the weights by {step:.0e} of themselves; the loss falls steadily, but slowly."
    return Illness("rate too low", says, ("ten times the learning_rate", "kerasrun find-rate"))


def nothing_learned(patient: Patient) -> Illness | None:
    """Neither loss nor accuracy better than guessing: n/c, not converged at this rate in these epochs."""
    if outcomes.outcome(patient.record) != outcomes.NO_CONVERGENCE:
        return None
    reached, chance = max(patient.curves["val_accuracy"]), patient.record["data"]["chance"]
    says = f"It has learned nothing: the best validation accuracy is {reached:.3f}, guessing gives {chance:.3f}."
    return Illness("nothing learned", says, ("kerasrun check", "kerasrun find-rate"))


def overfitting(patient: Patient) -> Illness | None:
    """A validation loss that rises while the training loss falls."""
    validation, training = patient.curves.get("val_loss", []), patient.training_loss
    if len(validation) < 3 or not all(map(math.isfinite, validation)):
        return None
    best = min(range(len(validation)), key=validation.__getitem__)
    rises, falls = validation[-1] > RISES * validation[best], training[-1] < training[best]
    if not (rises and falls and validation[-1] > APART * training[-1]):
        return None
    return Illness(
        "overfitting",
        f"Since epoch {best + 1} the validation loss has risen from {validation[best]:.3g} to {validation[-1]:.3g}, "
        f"while the training loss fell to {training[-1]:.3g}.",
        (*patient.options("dropout=0.3", "l2=0.0001"), "fewer epochs, or patience=3", "fewer units", "more data"),
    )


def underfitting(patient: Patient) -> Illness | None:
    """A training loss that ends high and still falls, or that hardly fell: some data cannot be told better, though."""
    ideal, training = patient.ignorance, patient.training_loss
    if ideal is None or len(training) < 2 or patient.is_penalized or training[-1] < POOR * ideal:
        return None
    falls = 1 - training[-1] / training[-2]
    says = f"The training loss ends at {training[-1]:.3g}, {training[-1] / ideal:.0%} of what knowing nothing costs"
    if falls > STILL:
        return Illness("underfitting", f"{says}; it still falls by {falls:.1%} an epoch.", ("more epochs",))
    return None if training[-1] < HARDLY * ideal else Illness("underfitting", f"{says}.", ("more units", "more layers"))


def _livelier(patient: Patient, hidden: list[Row]) -> tuple[str, ...]:
    """Return what lets signal and gradient through many layers."""
    rectified = all("relu" in row["activation"] for row in hidden)
    first = ("initializer=he_normal",) if rectified else ("activation=relu initializer=he_normal",)
    return (*patient.options(*first), *patient.options("batch_norm=true", "initializer=lsuv"), "fewer layers")


def when(epoch: int) -> str:
    """Return at which epoch layers were measured, in words."""
    return f"after epoch {epoch}" if epoch else "at the start"
