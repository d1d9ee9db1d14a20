"""The HTTP headers of htmx. No other file names them."""

from flask import Response, request


def asks() -> bool:
    """Whether the request comes from htmx, which wants a piece of a page, and not from the browser itself."""
    return request.headers.get("HX-Request") == "true"


def send_elsewhere(response: Response, address: str) -> Response:
    """Make htmx load `address` as a whole page."""
    response.headers["HX-Redirect"] = address
    return response
