"""The admission cookie, which remembers at a room's door by which link, sign-in or join ticket a browser came.

There is one for each room (`Path=/rooms/<id>`), so rooms affect neither each other nor the sign-in. It holds ids and
a random device id, signed, and never a token. What it allows is judged anew with every request.
"""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal import vault
from portal.edge.signatures import set_own_cookie, timed_serializer

COOKIE = "admission"
DAYS = 30
PROOF = "admission-proof"


@dataclass(frozen=True)
class AdmissionCookie:
    """The contents of the cookie: the device, and by which link, sign-in or join ticket it came."""

    device: str
    token_uuid: UUID | None = None
    sign_in_uuid: UUID | None = None
    participation_id: str = ""
    join_ticket_uuid: UUID | None = None
    """The join ticket that this browser has opened and not used yet."""
    last_name: str = ""
    """The name last used on this device in this room."""


def new_cookie() -> AdmissionCookie:
    """A cookie with a new device id, for a browser that has none."""
    return AdmissionCookie(device=secrets.token_urlsafe(18))


def by_link(cookie: AdmissionCookie | None, token_uuid: UUID) -> AdmissionCookie:
    """The cookie after opening a link. The link replaces whatever the browser came by before.

    The participation is kept only if the browser came by this very link before.
    """
    same = cookie is not None and cookie.token_uuid == token_uuid and cookie.sign_in_uuid is None
    return replace(
        cookie or new_cookie(),
        token_uuid=token_uuid,
        sign_in_uuid=None,
        join_ticket_uuid=None,
        participation_id=cookie.participation_id if cookie is not None and same else "",
    )


def by_membership(cookie: AdmissionCookie | None, sign_in_uuid: UUID) -> AdmissionCookie:
    """The cookie after entering as a member with this sign-in, which replaces whatever the browser came by before.

    The participation is kept only if the browser came with this very sign-in before.
    """
    same = cookie is not None and cookie.sign_in_uuid == sign_in_uuid
    return replace(
        cookie or new_cookie(),
        token_uuid=None,
        sign_in_uuid=sign_in_uuid,
        join_ticket_uuid=None,
        participation_id=cookie.participation_id if cookie is not None and same else "",
    )


def by_join_ticket(cookie: AdmissionCookie | None, join_ticket_uuid: UUID) -> AdmissionCookie:
    """The cookie after opening a join ticket. What the browser came by before still counts until it redeems it."""
    return replace(cookie or new_cookie(), join_ticket_uuid=join_ticket_uuid)


def read(request: Request, room_id: str) -> AdmissionCookie | None:
    """The request's cookie for this room; None if there is none, or none that the portal signed within 30 days."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        payload: dict[str, Any] = _signer(room_id).loads(cookie, max_age=DAYS * 86_400)
        return AdmissionCookie(
            device=payload["d"],
            token_uuid=UUID(payload["t"]) if payload.get("t") else None,
            sign_in_uuid=UUID(payload["s"]) if payload.get("s") else None,
            participation_id=payload.get("p", ""),
            join_ticket_uuid=UUID(payload["e"]) if payload.get("e") else None,
            last_name=payload.get("n", ""),
        )
    except (BadSignature, KeyError, ValueError, TypeError):
        return None


def write(response: Response, room_id: str, cookie: AdmissionCookie) -> Response:
    """Set the cookie on the answer, for addresses below this room's only."""
    payload = {"d": cookie.device}
    if cookie.token_uuid:
        payload["t"] = str(cookie.token_uuid)
    if cookie.sign_in_uuid:
        payload["s"] = str(cookie.sign_in_uuid)
    if cookie.participation_id:
        payload["p"] = cookie.participation_id
    if cookie.join_ticket_uuid:
        payload["e"] = str(cookie.join_ticket_uuid)
    if cookie.last_name:
        payload["n"] = cookie.last_name
    return set_own_cookie(
        response,
        COOKIE,
        _signer(room_id).dumps(payload),
        life=timedelta(days=DAYS),
        path=f"/rooms/{room_id}",
    )


def proof(cookie: AdmissionCookie, room_id: str) -> str:
    """The CSRF token for this device in this room: it proves that a form or script comes from a page made for it.

    It is a keyed hash of the device id, so it is valid as long as the cookie, whoever signs in or out meanwhile.
    """
    return vault.lookup_hash(f"{room_id}|{cookie.device}", purpose=PROOF)


def proven(request: Request, room_id: str, cookie: AdmissionCookie) -> bool:
    """Whether the request carries the CSRF token of this device in this room, in a form's field or in a header."""
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    good = vault.lookup_hashes(f"{room_id}|{cookie.device}", purpose=PROOF)
    return any(hmac.compare_digest(sent.encode(), one.encode()) for one in good)


def _signer(room_id: str) -> URLSafeTimedSerializer:
    return timed_serializer("admission", salt=room_id)
