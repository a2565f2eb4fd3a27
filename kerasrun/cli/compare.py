"""`kerasrun compare`."""


def compare() -> None:
    """Compare runs."""
