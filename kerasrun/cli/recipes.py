"""To come."""


def recipes() -> None:
    """List recipes."""
