"""Signed values whose age counts: the session cookie, and cookies that the portal signs itself.

itsdangerous refuses a signature from the next second, so two servers would need one clock. Here a signature may be as
far in the future as clocks may differ (`portal.clock.SKEW`).
"""

from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from portal import vault
from portal.clock import is_within


class SkewedSigner(TimestampSigner):
    """A signer that takes the age of a signature from a server whose clock may differ from this one's."""

    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        """The value that was signed. Raises `BadSignature`, of which `SignatureExpired` is one."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None and not is_within(timedelta(seconds=max_age), since=signed_at):
            raise SignatureExpired("too old, or from the future", payload=value, date_signed=signed_at)
        return (value, signed_at) if return_timestamp else value


class SkewedSessions(SecureCookieSessionInterface):
    """Flask's session cookie, signed by a `SkewedSigner`."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's serializer with the other signer."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = SkewedSigner
        return serializer


def timed_serializer(purpose: str, *, salt: str) -> URLSafeTimedSerializer:
    """The serializer for a cookie of this purpose, which signs with the keys of the vault."""
    return URLSafeTimedSerializer(vault.signing_keys(purpose), salt=salt, signer=SkewedSigner)


def set_own_cookie(response: Response, name: str, text: str, *, life: timedelta, path: str) -> Response:
    """Set a cookie of the portal's own on the answer: below `path` only, and for no script to read."""
    response.set_cookie(
        name,
        text,
        max_age=life,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
