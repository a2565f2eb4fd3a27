"""To come."""


def doctor() -> None:
    """Report."""
