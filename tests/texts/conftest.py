"""Folders of texts."""

import pytest


@pytest.fixture
def text_folder(tmp_path):
    """Return a function that writes texts, by the names of their files, into a folder named reviews."""

    def write(texts, encoding="utf-8"):
        for name, text in texts.items():
            file = tmp_path / "reviews" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return tmp_path / "reviews"

    return write
