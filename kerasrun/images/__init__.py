"""Images of one's own: a folder of class folders as one array. Decoded once, without TensorFlow.

listing.py   which files there are, and what their folders say of them
decode.py    one file -> pixels
folder.py    the sentence: from a path and its options to a Folder, kept decoded from one run to the next
profile.py   what to know of a folder before training
"""

from kerasrun.images.decode import Broken
from kerasrun.images.folder import Folder, decoded, describe, opened, task_of
from kerasrun.images.listing import all_below

__all__ = ["Broken", "Folder", "all_below", "decoded", "describe", "opened", "task_of"]
