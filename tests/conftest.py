"""What all tests share: quiet TensorFlow on the CPU, and results folders that vanish."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
