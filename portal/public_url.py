"""The address by which people and services reach the portal. It is configuration, never what a request calls us."""

_base_url = ""


def use(base_url: str) -> None:
    """Set the public address. Called once by `create_app`."""
    global _base_url
    _base_url = base_url


def public_url(path: str) -> str:
    """The full address of `path`, which begins with a slash."""
    return f"{_base_url}{path}"
