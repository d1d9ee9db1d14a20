"""The live status of rooms: fragments of pages, and one event stream for each browser.

The stream only says that something about a room changed; pages then ask for the guarded fragment again.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.admission.lobby import waiting_guests
from portal.admission.removals import removed_people
from portal.admission.waiting import Waiter, count_waiting
from portal.channels import EVERYTHING, channels
from portal.clock import now
from portal.db import session
from portal.edge import actor
from portal.edge.guard import signed_in
from portal.edge.reading_guard import reads_status
from portal.edge.transaction import in_turn
from portal.errors import Message
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.permissions.watching import Watched, watched_topics
from portal.providers.registry import adapter
from portal.rooms.features import people_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room
from portal.rooms.room_read import AnyRoom, RoomRead
from portal.status.models import Participation, RoomStatus
from portal.status.operations import present_participations
from portal.status.room_status_read import AnyRoomStatus, RoomStatusRead
from portal.subscriptions.queries import plan_of
from portal.turns import DASHBOARDS, STREAM_PATIENCE
from portal.videos.totals import LABELS, Totals, totals_of
from portal.web import sse
from portal.web.forms import query_word
from portal.web.fragment_cache import Fragment
from portal.web.manage.room_list import rows_of
from portal.web.manage.room_rows import ages_of
from portal.web.manage.stream_rights import EXTENSION, StreamRights

bp = Blueprint("status", __name__, url_prefix="/manage")

HEARTBEAT_SECONDS = 30.0
"""Longer than a player's: thousands may watch while nothing happens, and no script waits for these."""
JUDGE_SECONDS = 60.0
FRESH_SECONDS = 10.0  # how old may be what others have read


@dataclass(frozen=True)
class StatusView:
    """The data of the status card: snapshot, people inside, how many may be in, how many wait for a moderator.

    For people who may moderate: `removed` is kept out of the running run, and `lobby` waits for an answer.
    """

    status: AnyRoomStatus | None
    people: list[Participation]
    removed: list[Participation]
    lobby: list[Waiter]
    most: int | None
    own: UUID
    waiting: int
    totals: Totals
    """What a room of videos tells besides who watches."""
    usual: tuple[str, ...]
    """Keys of the figures that the list of people tells already."""

    @property
    def in_now(self) -> int:
        """How many are in, whoever tells it."""
        return max(len(self.people), self.status.count if self.status is not None else 0)

    @property
    def others(self) -> list[str]:
        """Names of people who are in by the service's word and did not come through the portal."""
        unseen = Counter(self.status.names if self.status is not None else ()) - Counter(
            one.name for one in self.people
        )
        return list(unseen.elements())

    @property
    def figures(self) -> list[tuple[Message, float | None]]:
        """What the service behind the room counts besides people, by label; None is what it does not tell."""
        stored = self.status
        totals: list[tuple[Message, float | None]] = [(LABELS[key], value) for key, value in self.totals.items()]
        if stored is None:
            return totals
        return totals + [
            (Message(stored.labels.get(key, key)), value)
            for key, value in stored.counts.items()
            if key not in self.usual
        ]


def snapshot_of(room: Room) -> RoomStatus | None:
    """The stored status of a room, by one statement, for the badge in the head of each of its pages.

    Autoflush is off, because a page that shows a refused form again must not write the refused changes.
    """
    with session.no_autoflush:
        return session.get(RoomStatus, room.uuid)


def people_limit_of(room: AnyRoom) -> int | None:
    """How many people may be in at most; None if that is not limited, or nothing of its type counts them."""
    if isinstance(room, Room):
        values, provider_type = room.subscription.values, room.subscription.provider.provider_type
    else:
        plan = plan_of(room.subscription_uuid)
        values, provider_type = plan.values, plan.provider_type
    return people_limit(values, room.room_features, room.room_type, adapter(provider_type))


def status_view(room: AnyRoom, stored: AnyRoomStatus | None, somebody: Actor) -> StatusView:
    """Read the data of a room's status card. How many may be in is told only while somebody is."""
    most = people_limit_of(room) if stored and stored.count else None
    people = present_participations(room) if stored and stored.count else []
    moderates = can(somebody, Permission.ROOM_MODERATE, room)
    removed = removed_people(room) if moderates and stored is not None and stored.may_run else []
    lobby = waiting_guests(room) if moderates else []
    hosted = any(person.role is Role.MODERATOR for person in people)
    waiting = 0 if hosted else count_waiting(room)
    return StatusView(
        stored, people, removed, lobby, most, somebody.uuid, waiting, totals_of(room), kind_of(room).counts
    )


@bp.get("/rooms/<id:room_id>/status")
@reads_status
def show(room: RoomRead, stored: RoomStatusRead | None) -> ResponseReturnValue:
    """Show the status card of one room, with the badge for the page's head."""
    view = status_view(room, stored, actor.someone())
    return render_template("manage/rooms/_status.html", room=room, status=view, alone=True)


@bp.get("/rooms/<id:room_id>/status/badge")
@reads_status
def badge(room: RoomRead, stored: RoomStatusRead | None) -> ResponseReturnValue:
    """Show the badge only, for pages of a room that show nothing else of its status."""
    return render_template("manage/rooms/_badge.html", room=room, snapshot=stored)


@bp.get("/rooms/status")
@signed_in
def index() -> ResponseReturnValue:
    """Show the states of all rooms of a list, in one request."""
    rows = rows_of(actor.someone(), query_word("rooms", longest=2000).split())
    return Fragment.of(render_template("manage/rooms/_states.html", rows=rows)).filled(ages_of(rows))


@bp.get("/live")
@in_turn(DASHBOARDS, STREAM_PATIENCE)
@signed_in
def live() -> ResponseReturnValue:
    """Stream an event `room` with the id of each room whose status changed; "*" means that any may have changed."""
    somebody = actor.someone()
    assert somebody.sign_in is not None
    rights = Rights(somebody.sign_in.uuid, f"user:{somebody.uuid}", watched_topics(somebody))
    return sse.stream(_changes(current_app.extensions[EXTENSION], rights))


@dataclass(frozen=True)
class Rights:
    """What a stream may tell: what a sign-in watches, and the topic `own`, which is nudged when that may change."""

    sign_in_uuid: UUID
    own: str
    watched: Watched

    @property
    def over(self) -> bool:
        """Whether the first of the rights has ended."""
        return self.watched.until is not None and self.watched.until <= now()


def _changes(all_rights: StreamRights, rights: Rights) -> Iterator[str]:
    """The events of a stream. It ends when the rights change: the browser connects again, with its new rights.

    Every change of rights by an operation nudges `rights.own`; a membership that ends is noticed at its time, and a
    sign-in that was not used for long within two minutes.
    """
    with (
        channels().watch(*rights.watched.topics, rights.own) as watch,
        sse.one_of_few(rights.sign_in_uuid, watch),
        all_rights.include(rights.sign_in_uuid),
    ):
        yield sse.event("hello", {})
        judged_at = time.monotonic()
        for _turn in sse.turns(watch):
            words = watch.wait(sse.waiting_time(HEARTBEAT_SECONDS, rights.watched.until))
            if sse.REPLACED in words:
                return
            at = time.monotonic()
            if rights.own in watch.heard or rights.over:
                if all_rights.read([rights.sign_in_uuid]).get(rights.sign_in_uuid) != rights.watched:
                    return
            elif EVERYTHING in words or at - judged_at > JUDGE_SECONDS:
                watched, judged_at = all_rights.watched(
                    rights.sign_in_uuid, since=at if EVERYTHING in words else at - FRESH_SECONDS
                )
                if watched != rights.watched:
                    return
            for room_id in sorted(words - {""}):
                yield sse.cached_event("room", room_id)
            if not words - {""}:
                yield sse.heartbeat()
