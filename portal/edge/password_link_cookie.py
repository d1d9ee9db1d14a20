"""The cookie that carries the token of a link for setting a password from the link's address to the page's form.

So the token stays neither in the address bar nor in the history. It is sent to the page only, signed, for an hour.
"""

from datetime import timedelta

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.edge.signatures import set_own_cookie, timed_serializer

COOKIE = "password_link"
LIFE = timedelta(hours=1)


def read(request: Request) -> str:
    """The token; "" if there is no such cookie, or none that the portal signed within the hour."""
    try:
        return str(_serializer().loads(request.cookies.get(COOKIE, ""), max_age=int(LIFE.total_seconds())))
    except BadSignature:
        return ""


def write(response: Response, token: str, *, path: str) -> Response:
    """Set the cookie on the answer, for the page at `path` only."""
    return set_own_cookie(
        response,
        COOKIE,
        _serializer().dumps(token),
        life=LIFE,
        path=path,
    )


def delete(response: Response, *, path: str) -> Response:
    """Let the browser forget the cookie."""
    response.delete_cookie(COOKIE, path=path)
    return response


def _serializer() -> URLSafeTimedSerializer:
    return timed_serializer("password-link", salt="set-password")
