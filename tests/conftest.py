"""What all tests share: quiet TensorFlow on the CPU, results folders that vanish, and no limit on seconds."""

import os

from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
settings.register_profile("kerasrun", deadline=None)
settings.load_profile("kerasrun")
