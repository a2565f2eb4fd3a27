"""What Keras lacks, one concept a file; importing this package registers all of it, so that saved models load."""

from kerasrun.layers.augment import Crop, Cutout, Flip, Mixup, Rotate, Shift
from kerasrun.layers.lsuv import LSUV
from kerasrun.layers.maxout import Maxout, Pieces, activate, pieces
from kerasrun.layers.orthonormal_he import OrthonormalHe
from kerasrun.layers.random_shift import RandomShift
from kerasrun.layers.row_norm import RowNorm
from kerasrun.layers.step import Step

__all__ = ["LSUV", "Crop", "Cutout", "Flip", "Maxout", "Mixup", "OrthonormalHe", "Pieces", "RandomShift", "Rotate",
           "RowNorm", "Shift", "Step", "activate", "pieces"]  # fmt: skip
