"""What Keras lacks, one layer a file; importing this package registers them all, so that saved models load."""

from kerasrun.layers.row_norm import RowNorm

__all__ = ["RowNorm"]
