"""Recording what happens in rooms: everything that anybody learns about a room meets in `record`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit.operations import note
from portal.channels import channels
from portal.clock import now
from portal.db import afterwards, session
from portal.rooms.models import Role, Room
from portal.rooms.operations import room_topics
from portal.status.models import Ending, LiveState, Participation, RoomSession, RoomStatus, Source

NAMES_KEPT = 20
FIRST_SECONDS = 20  # how long a place is kept between pressing Join and the page's first sign of life


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is known about a room at `checked_at`.

    `counts` are participants by role; `names` those who are in, in the order of entering, the first
    `NAMES_KEPT` of them.
    """

    state: LiveState
    since: datetime | None
    checked_at: datetime
    source: Source
    counts: dict[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def record(room: Room, snapshot: Snapshot) -> RoomStatus:
    """Store the snapshot; tell watchers if anything but its age changed."""
    stored = session.get(RoomStatus, room.uuid)
    if stored is None:
        stored = RoomStatus(room=room, version=0, count=0, counts={}, names=[], state=LiveState.IDLE)
        session.add(stored)
    fresh = (snapshot.state, snapshot.since, snapshot.counts, list(snapshot.names[:NAMES_KEPT]), False)
    changed = fresh != (stored.state, stored.since, stored.counts, stored.names, stored.stale)
    if snapshot.state is LiveState.IDLE and stored.state is LiveState.LIVE:
        stored.last_live_at = snapshot.checked_at
    stored.state, stored.since, stored.counts, stored.names, stored.stale = fresh
    stored.count = sum(snapshot.counts.values())
    stored.checked_at, stored.source = snapshot.checked_at, snapshot.source
    if changed:
        stored.version += 1
        topics, word = room_topics(room), room.id
        afterwards(lambda: channels().nudge(*topics, word=word))
    session.flush()
    return stored


def enter_session(
    *,
    room: Room,
    name: str,
    role: Role,
    device: str,
    token_uuid: UUID | None = None,
    user_uuid: UUID | None = None,
    sign_in_uuid: UUID | None = None,
) -> Participation:
    """Open a participation in the room's running session, which starts if there is none.

    The same device takes over its own place. The caller holds the room's row lock.
    """
    run = running_session(room)
    if run is None:
        run = RoomSession(room_uuid=room.uuid)
        session.add(run)
        session.flush()
        note("room.started", run, by=user_uuid, room=room.uuid)
    participation = present_on(room, device)
    if participation is None:
        participation = Participation(
            run=run, room_uuid=room.uuid, subscription_uuid=room.subscription_uuid, device=device
        )
        session.add(participation)
    participation.name, participation.role = name, role
    participation.token_uuid, participation.user_uuid = token_uuid, user_uuid
    participation.sign_in_uuid = sign_in_uuid
    session.flush()
    _record_presence(room, run)
    group, member = str(room.uuid), participation.id
    afterwards(lambda: _keep_place(group, member))
    return participation


def leave_session(participation: Participation, *, ending: Ending) -> bool:
    """Close the participation; the last one to leave ends the session. False if it was closed already."""
    room = session.get_one(Room, participation.room_uuid, with_for_update={"of": Room})
    closed = session.execute(
        sa.update(Participation)
        .where(Participation.uuid == participation.uuid, Participation.left_at.is_(None))
        .values(left_at=now(), ending=ending)
        .returning(Participation.uuid)
    ).first()
    if closed is None:
        return False
    session.refresh(participation)
    run = running_session(room)
    if run is not None:
        _record_presence(room, run)
    group, member = str(participation.room_uuid), participation.id
    mailbox = f"participation:{member}"
    letter = {"event": "over", "reason": ending.value}

    def tell() -> None:
        channels().absent(group, member)
        if ending is not Ending.LEFT:
            channels().post(mailbox, letter)

    afterwards(tell)
    return True


def end_session(room: Room, *, ending: Ending = Ending.CLOSED) -> int:
    """Everybody out. Returns how many were in."""
    people = present(room)
    for participation in people:
        leave_session(participation, ending=ending)
    return len(people)


def running_session(room: Room) -> RoomSession | None:
    """The run that has not ended, if there is one."""
    return session.scalar(
        sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
    )


def present(room: Room) -> list[Participation]:
    """Who is in, in the order of entering."""
    return list(
        session.scalars(
            sa.select(Participation)
            .where(Participation.room_uuid == room.uuid, Participation.left_at.is_(None))
            .order_by(Participation.entered_at, Participation.uuid)
        )
    )


def present_on(room: Room, device: str) -> Participation | None:
    """This device's open participation in the room."""
    return session.scalar(
        sa.select(Participation)
        .where(
            Participation.room_uuid == room.uuid,
            Participation.device == device,
            Participation.left_at.is_(None),
        )
        .options(joinedload(Participation.run))
    )


def removed_from_running(room: Room, device: str) -> bool:
    """Whether a moderator removed this device from the session that is running now."""
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    Participation.session_uuid == RoomSession.uuid,
                    RoomSession.room_uuid == room.uuid,
                    RoomSession.ended_at.is_(None),
                    Participation.device == device,
                    Participation.ending == Ending.REMOVED,
                )
            )
        )
    )


def close_lapsed(gone: Iterable[tuple[str, str]]) -> int:
    """Close the participations (group, id) that gave no sign of life. Returns how many."""
    ids = [member for _, member in gone]
    if not ids:
        return 0
    lapsed = session.scalars(
        sa.select(Participation).where(Participation.id.in_(ids), Participation.left_at.is_(None))
    ).all()
    return sum(leave_session(participation, ending=Ending.LOST) for participation in lapsed)


def _keep_place(group: str, member: str) -> None:
    channels().expect(group, member, FIRST_SECONDS)


def _record_presence(room: Room, run: RoomSession) -> None:
    """Write the embedded conference's snapshot from its participations, ending the run when all left."""
    at = now()
    people = session.execute(
        sa.select(Participation.name, Participation.role)
        .where(Participation.session_uuid == run.uuid, Participation.left_at.is_(None))
        .order_by(Participation.entered_at, Participation.uuid)
    ).all()
    roles = Counter(role.value for _, role in people)
    if not people:
        run.ended_at = at
        note("room.ended", run, by=None, room=room.uuid)
    record(
        room,
        Snapshot(
            state=LiveState.LIVE if people else LiveState.IDLE,
            since=run.started_at if people else at,
            checked_at=at,
            source=Source.ENGINE,
            counts=dict(sorted(roles.items())),
            names=tuple(name for name, _ in people),
        ),
    )
