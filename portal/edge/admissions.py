"""The admission cookie: one for each room, so that rooms and tabs touch neither each other nor the sign-in.

It holds ids and a random device id, signed; never a token. What it allows is judged anew each time.
"""

import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Request, Response, current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal import vault

COOKIE = "admission"
DAYS = 30
PROOF = "admission-proof"


@dataclass(frozen=True)
class Ticket:
    """What the cookie says: this device, and by what right it came."""

    device: str
    token_uuid: UUID | None = None
    sign_in_uuid: UUID | None = None
    participation_id: str = ""
    entry_uuid: UUID | None = None
    """The one-time entry that this browser has opened and not used yet."""
    known_by: str = ""
    """The name last used on this device in this room."""


def new_ticket() -> Ticket:
    """A ticket for a device that was never here."""
    return Ticket(device=secrets.token_urlsafe(18))


def by_link(ticket: Ticket | None, token_uuid: UUID) -> Ticket:
    """The same device with another link, which replaces whatever it came by, and the stay that hung on that."""
    same = ticket is not None and ticket.token_uuid == token_uuid and ticket.sign_in_uuid is None
    stay = ticket.participation_id if ticket is not None and same else ""
    return replace(
        ticket or new_ticket(), token_uuid=token_uuid, sign_in_uuid=None, entry_uuid=None, participation_id=stay
    )


def by_membership(ticket: Ticket | None, sign_in_uuid: UUID) -> Ticket:
    """The same device as a member, as long as that sign-in lasts."""
    same = ticket is not None and ticket.sign_in_uuid == sign_in_uuid
    stay = ticket.participation_id if ticket is not None and same else ""
    return replace(
        ticket or new_ticket(), token_uuid=None, sign_in_uuid=sign_in_uuid, entry_uuid=None, participation_id=stay
    )


def by_entry(ticket: Ticket | None, entry_uuid: UUID) -> Ticket:
    """The same device with a one-time entry in its hand; what it came by before counts until that is used."""
    return replace(ticket or new_ticket(), entry_uuid=entry_uuid)


def read(request: Request, room_id: str) -> Ticket | None:
    """The ticket for this room, or None if there is none that we signed."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        facts: dict[str, Any] = _signer(room_id).loads(cookie, max_age=DAYS * 86_400)
        return Ticket(
            device=facts["d"],
            token_uuid=UUID(facts["t"]) if facts.get("t") else None,
            sign_in_uuid=UUID(facts["s"]) if facts.get("s") else None,
            participation_id=facts.get("p", ""),
            entry_uuid=UUID(facts["e"]) if facts.get("e") else None,
            known_by=facts.get("n", ""),
        )
    except (BadSignature, KeyError, ValueError, TypeError):
        return None


def write(response: Response, room_id: str, ticket: Ticket) -> Response:
    """Set the cookie on the answer, below this room's address only."""
    facts = {"d": ticket.device}
    if ticket.token_uuid:
        facts["t"] = str(ticket.token_uuid)
    if ticket.sign_in_uuid:
        facts["s"] = str(ticket.sign_in_uuid)
    if ticket.participation_id:
        facts["p"] = ticket.participation_id
    if ticket.entry_uuid:
        facts["e"] = str(ticket.entry_uuid)
    if ticket.known_by:
        facts["n"] = ticket.known_by
    response.set_cookie(
        COOKIE,
        _signer(room_id).dumps(facts),
        max_age=DAYS * 86_400,
        path=f"/rooms/{room_id}",
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response


def proof(ticket: Ticket, room_id: str) -> str:
    """What proves that a form or a script comes from a page that was made for this device in this room.

    Made from the cookie's secret, so it lives as long as the cookie, whoever signs in or out meanwhile.
    """
    return vault.lookup_hash(f"{room_id}|{ticket.device}", purpose=PROOF)


def proven(request: Request, room_id: str, ticket: Ticket) -> bool:
    """Whether the request carries that proof: in a form's field, or in a script's header."""
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    good = vault.lookup_hashes(f"{room_id}|{ticket.device}", purpose=PROOF)
    return any(hmac.compare_digest(sent.encode(), one.encode()) for one in good)


def _signer(room_id: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(vault.signing_keys("admission"), salt=room_id)
