"""FitNet-17 against the figures of its specification."""

import pytest

from kerasrun.experiment import resolve
from kerasrun.training.network import architecture, build_network


def network(**knobs):
    experiment = resolve("synthetic:cifar10", {"recipe": "fitnet", **knobs})
    return build_network(experiment, experiment.entry.task)


@pytest.mark.parametrize(
    ("knobs", "parameters"),
    [({}, 1_276_806), ({"activation": "maxout"}, 2_742_102), ({"width": 0.25, "size": 16}, 81_230)],
)
def test_the_network_has_the_published_number_of_parameters(knobs, parameters):
    assert network(**knobs).count_params() == parameters


def test_nineteen_layers_have_weights():
    assert architecture(network()) == "32×32×3-32-32-32-48-48" + 6 * "-80" + 6 * "-128" + "-500-10"
    assert architecture(network(activation="maxout")).count("·") == 18  # all but the classifier
    assert architecture(network(activation="maxout")).endswith("-2·128-5·500-10")


@pytest.mark.parametrize(("size", "sides"), [(32, [16, 8]), (16, [8, 4])])
def test_each_group_ends_in_half_the_size_and_the_last_in_one_number_a_filter(size, sides):
    pools = [
        layer for layer in network(size=size).layers if type(layer).__name__ in ("MaxPooling2D", "GlobalMaxPooling2D")
    ]
    shapes = [layer.output.shape[1:] for layer in pools]
    assert shapes == [(sides[0], sides[0], 48), (sides[1], sides[1], 80), (128,)]


def test_width_and_depth_shrink_it_to_multiples_of_four_and_whole_layers():
    assert architecture(network(width=0.25, depth=0.5)) == "32×32×3-12-12-20-20-20-32-32-32-124-10"
    assert architecture(network(width=0.01, depth=0.01)) == "32×32×3-4-4-4-4-10"


def test_the_decay_is_twice_keras_penalty_and_spares_the_biases():
    layers = [layer for layer in network().layers if hasattr(layer, "kernel_regularizer")]
    assert [float(layer.kernel_regularizer.l2) for layer in layers] == [2.5e-4] * 19
    assert all(layer.bias_regularizer is None for layer in layers)
    assert network(decay=0).layers[1].kernel_regularizer is None


def test_dropout_stands_on_the_input_and_after_each_group_and_the_wide_layer():
    assert sum(type(layer).__name__ == "Dropout" for layer in network().layers) == 5
    assert not any(type(layer).__name__ == "Dropout" for layer in network(dropout=0).layers)
