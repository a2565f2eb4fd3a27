"""Tables of one's own: a file of rows and columns as what the program trains on. Read once, without TensorFlow.

dialect.py   encoding, separator, header; whole rows
reader.py    from blocks of text (or Parquet) to columns
growing.py   a column while it is read
dates.py     dates as numbers
kinds.py     what a column is
targets.py   what is to be predicted, and the kind of task
table.py     the sentence: from a path and its options to a Table
empty.py     what is said of empty cells
asked.py     which columns the options name
profile.py   what to know of a file before training
"""

from kerasrun.tables.kinds import Column
from kerasrun.tables.table import LARGEST_VOCABULARY, Table, describe, opened, read_like, take

__all__ = ["LARGEST_VOCABULARY", "Column", "Table", "describe", "opened", "read_like", "take"]
