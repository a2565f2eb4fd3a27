import pytest

from kerasrun import augmentations
from kerasrun.errors import InputError
from kerasrun.experiment import from_record, identity, resolve, to_record


def read(written):
    return augmentations.read("augment", written)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("flip", ("flip(direction=horizontal)",)),
        ("shift(0.2), Flip(both)", ("flip(direction=both)", "shift(amount=0.2)")),
        ("shift(amount=0.2)", ("shift(amount=0.2)",)),
        (["cutout", "rotate(10)"], ("rotate(degrees=10.0)", "cutout(size=0.25)")),
        ("mixup(1),crop", ("crop(least=0.8)", "mixup(alpha=1.0)")),
        ("none", ()),
        (None, ()),
        ((), ()),
    ],
)
def test_augmentations_are_written_in_the_order_in_which_they_are_done(written, canonical):
    assert read(written) == canonical
    assert read(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("shif", "did you mean 'shift'"),
        ("shift(by=0.1)", "argument of augmentation shift 'by'"),
        ("shift(0)", "above 0 and below 1"),
        ("shift(1)", "above 0 and below 1"),
        ("crop(true)", "above 0 and below 1"),
        ("rotate(181)", "above 0 and up to 180"),
        (f"mixup({'1' * 400})", "above 0 and up to 100"),
        ("mixup(0)", "above 0 and up to 100"),
        ("flip(sideways)", "must be horizontal, vertical, both"),
        ("flip,shift,flip(vertical)", "flip is given twice"),
        ("shift(0.1, 0.2)", "has no name"),
    ],
)
def test_what_cannot_be_is_refused(written, said):
    with pytest.raises(InputError, match=said):
        read(written)


def test_only_images_are_augmented():
    assert resolve("digits", {"augment": "flip"}).augment == ("flip(direction=horizontal)",)
    for dataset in ("iris", "imdb"):
        with pytest.raises(InputError, match="changes images; the inputs of"):
            resolve(dataset, {"augment": "flip"})


def test_augmentation_decides_the_identity_and_its_absence_leaves_that_of_earlier_versions():
    plain, flipped = resolve("digits", {}), resolve("digits", {"augment": "flip"})
    assert len({identity(plain, ""), identity(flipped, ""), identity(resolve("digits", {"augment": "shift"}), "")}) == 3
    assert identity(plain, "data") == "b411174d560983643e844ce16492f7bd42f9f0a77af60888ac62b4dd076e0cc5"
    for made in (plain, flipped):
        assert from_record(to_record(made), made.origins) == made


def test_a_recipe_that_augments_by_itself_keeps_its_knob():
    made = resolve("synthetic:cifar10", {"recipe": "fitnet", "augment": "true"})
    assert (made.knobs["augment"], made.augment) == (True, ())
    assert from_record(to_record(made), made.origins) == made
