"""Coming in through a program: refusals leave the traces that those at the door leave, and no room is given away."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookDelivery
from tests.api.conftest import NewProgram
from tests.cast import Cast


def token_of(cast: Cast, role: Role) -> str:
    return cast.links[role].partition("=")[2]


def refusals(app: Flask) -> list[dict[str, Any]]:
    """The facts of the audit's lines about refusals, in order."""
    with app.app_context(), transaction():
        query = sa.select(AuditEvent).where(AuditEvent.action == "participant.refused").order_by(AuditEvent.uuid)
        return [dict(line.facts) for line in session.scalars(query)]


def test_a_refusal_is_written_down_and_told_as_at_the_door(cast: Cast, app: Flask, program: NewProgram) -> None:
    hook = {"room_id": cast.board, "url": "https://hooks.example/room", "events": [Event.PARTICIPANT_REFUSED.value]}
    assert program("alice").post("/webhooks", hook).status_code == 201
    charlie, join = program("charlie"), f"/rooms/{cast.board}/join"
    attendee = {"token": token_of(cast, Role.ATTENDEE), "name": "Gus"}
    assert charlie.post(join, attendee).json["data"]["reason"] == "code missing"  # a field to fill in, as there
    assert charlie.post(join, {**attendee, "code": "WRONG-CODE"}).json["data"]["reason"] == "code wrong"
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = now()
    assert charlie.post(join, {"token": token_of(cast, Role.GUEST), "name": "Gus"}).json["data"]["reason"] == "expired"
    assert refusals(app) == [{"role": "attendee", "reason": "code wrong"}, {"role": "guest", "reason": "expired"}]
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) == 2


def test_who_is_let_in_is_no_refusal(cast: Cast, app: Flask, program: NewProgram) -> None:
    moderator = {"token": token_of(cast, Role.MODERATOR), "name": "Gus"}
    assert program("charlie").post(f"/rooms/{cast.board}/join", moderator).json["data"]["result"] == "enter"
    assert refusals(app) == []
