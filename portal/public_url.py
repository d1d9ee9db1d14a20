"""Complete addresses of the portal. They begin with the configured base URL, and never with the header `Host`."""

_base_url = ""


def use(base_url: str) -> None:
    """Set the public address. Called once by `create_app`."""
    global _base_url
    _base_url = base_url


def public_url(path: str) -> str:
    """The complete address of `path`, which begins with a slash."""
    return f"{_base_url}{path}"
