"""What all tests share: quiet TensorFlow on the CPU, results folders that vanish, and no limit on seconds."""

import os
import tempfile
from multiprocessing import util

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
settings.register_profile("kerasrun", deadline=None)
settings.load_profile("kerasrun")


@pytest.fixture(scope="session", autouse=True)
def scratch(tmp_path_factory):
    """Take away what killed processes leave in the temporary folder; pytest's own stays, to look at after a failure."""
    tmp_path_factory.getbasetemp()
    util.get_temp_dir()  # multiprocessing takes its own away when Python ends
    with (
        tempfile.TemporaryDirectory(prefix="kerasrun-tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("KERASRUN_HOME", f"{folder}/home")
        yield


@pytest.fixture
def image_folder(tmp_path, monkeypatch):
    """Return a function that writes images, "cat/1.png" or {"cat/1.png": array}, below tmp_path / "photos".

    Images that are only named are random, of one size, brighter in the folder "dog". What is decoded goes to tmp_path.
    """
    from PIL import Image

    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))

    def write(files, size=(8, 6), channels=3):
        folder = tmp_path / "photos"
        for number, name in enumerate(files):
            bright = 128 * ("dog" in name.split("/"))
            shape = size if channels == 1 else (*size, channels)
            array = np.random.default_rng(number).integers(bright, bright + 128, shape, np.uint8)
            array = files[name] if isinstance(files, dict) and files[name] is not None else array
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(array) if isinstance(array, bytes) else Image.fromarray(array).save(path)
        return folder

    return write
