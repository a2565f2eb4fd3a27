"""Code of the user's own, as a command names it."""

import pytest

from kerasrun.errors import InputError
from kerasrun.training.own_code import own_callback

OWN = """
import keras


class Count(keras.callbacks.Callback):
    def __init__(self, note="", every=1):
        super().__init__()
        self.note, self.every = note, every
"""


def test_a_callbacks_arguments_may_hold_a_colon(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    made = own_callback(f"{tmp_path}/mine.py:Count(note='a:b', every=2)")
    assert (made.note, made.every) == ("a:b", 2)


@pytest.mark.parametrize("reference", ["no.py:Count", "Count", ":Count", "no.py:Count(note='a:b')"])
def test_a_callback_without_its_file_is_refused(reference):
    with pytest.raises(InputError, match="no such file; write my_callbacks.py:Name"):
        own_callback(reference)
