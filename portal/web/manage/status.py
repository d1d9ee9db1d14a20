"""What is happening in rooms right now, as fragments of pages and as one stream for each browser.

The stream only says that something about a room changed; pages then ask for the guarded fragment again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from flask import Blueprint, Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue

from portal.channels import EVERYTHING, channels
from portal.db import reading, session, transaction
from portal.edge import actor
from portal.edge.guard import requires, signed_in
from portal.permissions.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.visibility import watched_topics
from portal.rooms.features import used_limit
from portal.rooms.models import Role, Room
from portal.status.models import Participation, RoomStatus
from portal.status.operations import present
from portal.web import events
from portal.web.manage.room_list import rows_of

bp = Blueprint("status", __name__, url_prefix="/manage")


@dataclass(frozen=True)
class StatusView:
    """The stored snapshot with the names of those inside, and how many may be in."""

    status: RoomStatus | None
    people: list[Participation]
    most: int | None
    own: UUID

    def count(self, role: str) -> int:
        """How many of this role are in."""
        return sum(person.role is Role(role) for person in self.people)


def status_view(room: Room, somebody: Actor) -> StatusView:
    """What the status fragment shows."""
    stored = session.get(RoomStatus, room.uuid)
    most = used_limit(room.subscription.values, room.room_features, "max_participants")
    return StatusView(stored, present(room) if stored and stored.count else [], most, somebody.uuid)


@bp.get("/rooms/<id:room_id>/status")
@requires(Permission.STATUS_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """The status card of one room, with its badge for the page's head."""
    view = status_view(room, actor.someone())
    return render_template("manage/rooms/_status.html", room=room, status=view, alone=True)


@bp.get("/rooms/status")
@signed_in
def index() -> ResponseReturnValue:
    """The state of several rooms of a list, together: one request for each page."""
    rows = rows_of(actor.someone(), request.args.get("rooms", "").split())
    return render_template("manage/rooms/_states.html", rows=rows)


@bp.get("/live")
@signed_in
def live() -> ResponseReturnValue:
    """One stream for a browser: an event `room` with the id of each room whose status changed."""
    somebody = actor.someone()
    assert somebody.sign_in is not None
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    return events.stream(_changes(app, somebody.sign_in.uuid, watched_topics(somebody) | {f"user:{somebody.uuid}"}))


def _changes(app: Flask, sign_in_uuid: UUID, topics: set[str]) -> Iterator[str]:
    """Which rooms change. Ends when the rights do: the browser connects again and gets what it may see now."""
    beats = int(events.LONGEST_SECONDS / events.HEARTBEAT_SECONDS)
    with channels().watch(*topics) as watch:
        yield events.event("hello", {})
        for _beat in range(beats * 100):
            words = watch.wait(events.HEARTBEAT_SECONDS)
            if not words or EVERYTHING in words or "" in words:
                if _topics_now(app, sign_in_uuid) != topics:
                    return
                yield events.heartbeat()
            for room_id in sorted(words - {"", EVERYTHING}):
                yield events.event("room", room_id)


def _topics_now(app: Flask, sign_in_uuid: UUID) -> set[str]:
    with app.app_context(), reading(), transaction():
        somebody = actor.by_sign_in(sign_in_uuid)
        return watched_topics(somebody) | {f"user:{somebody.uuid}"} if somebody else set()
