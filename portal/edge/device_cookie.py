"""The device cookie, by which the sign-in page knows a browser in which somebody has signed in before.

It is sent to the sign-in page only, signed, and lets nobody in: it only decides which throttle buckets count a try.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.edge.signatures import set_own_cookie, timed_serializer
from portal.people.known_devices import KnownDevice

COOKIE = "device"
PATH = "/sign-in"
LIFE = timedelta(days=365)


def read(request: Request) -> KnownDevice | None:
    """The device of this request; None if there is no such cookie, or none that the portal signed within a year."""
    try:
        kept: dict[str, Any] = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=int(LIFE.total_seconds()))
        return KnownDevice(id=kept["d"], users=tuple(map(UUID, kept["u"])))
    except (BadSignature, KeyError, ValueError, TypeError, AttributeError):
        return None


def write(response: Response, device: KnownDevice) -> Response:
    """Set the cookie on the answer, for another year."""
    return set_own_cookie(
        response,
        COOKIE,
        _serializer().dumps({"d": device.id, "u": [str(uuid) for uuid in device.users]}),
        life=LIFE,
        path=PATH,
    )


def _serializer() -> URLSafeTimedSerializer:
    return timed_serializer("device", salt="sign-in")
