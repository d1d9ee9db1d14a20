"""The only file that spells htmx's headers."""

from flask import Response, request


def asks() -> bool:
    """Whether htmx asks, which takes a piece of the page, rather than a browser, which takes all of it."""
    return request.headers.get("HX-Request") == "true"


def send_elsewhere(response: Response, address: str) -> Response:
    """Let the whole page go to `address`."""
    response.headers["HX-Redirect"] = address
    return response
