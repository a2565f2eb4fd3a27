"""Images of one's own: a folder of class folders as one array. Decoded once, without TensorFlow.

decode.py    one file -> pixels
kept.py      all files -> one file of pixels, kept from one run to the next
folder.py    the sentence: from a path and its options to a Folder
profile.py   what to know of a folder before training
"""

from kerasrun.images.decode import Broken
from kerasrun.images.folder import Folder, decoded, describe, opened, readable, task_of

__all__ = ["Broken", "Folder", "decoded", "describe", "opened", "readable", "task_of"]
