"""Recording what happens in rooms: everything that anybody learns about a room meets in its one snapshot."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import AccountStatus
from portal.audit.operations import record_event, record_events
from portal.channels import channels
from portal.clock import now
from portal.db import on_commit, session
from portal.errors import Conflict, Message
from portal.identifiers import new_id, new_uuid
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.rooms.operations import room_topics
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import Ending, LiveState, Participation, RoomSession, RoomStatus, Source

ParticipationFilter = Callable[[Participation], bool]

NAMES_KEPT = 20
FIRST_HEARTBEAT_SECONDS = 20  # how long a place is kept between pressing Join and the page's first sign of life


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


def enter_session(
    *,
    here: LockedRoom,
    name: str,
    role: Role,
    device: str,
    token_uuid: UUID | None = None,
    user_uuid: UUID | None = None,
    sign_in_uuid: UUID | None = None,
    scopes: list[str] | None = None,
) -> Participation:
    """Open a participation in the room's running session, which starts if there is none.

    The same device takes over its own place, and a page of it that is open still learns so. By another right
    it comes as another: its stay so far is over. The caller holds the room and flushes: rows of one kind then
    take one statement.
    """
    room = here.room
    if here.run is None:
        here.run = _open_run(room, by=user_uuid)
    participation = next((person for person in here.people if person.device == device), None)
    if participation is not None and (participation.token_uuid, participation.user_uuid) != (token_uuid, user_uuid):
        _replace_participation(here, participation)
        participation = None
    known = participation is not None
    if participation is None:
        participation = Participation(
            uuid=new_uuid(),
            id=new_id(),
            run=here.run,
            room_uuid=room.uuid,
            subscription_uuid=room.subscription_uuid,
            device=device,
            entered_at=now(),
        )
        session.add(participation)
        here.people.append(participation)
    participation.name, participation.role = name, role
    participation.token_uuid, participation.user_uuid = token_uuid, user_uuid
    participation.sign_in_uuid, participation.scope_words = sign_in_uuid, scopes
    _record_presence(here)
    group, member = str(room.uuid), participation.id
    on_commit(lambda: _reserve_presence(group, member, takes_over=known))
    return participation


def leave_session(participation: Participation, *, ending: Ending, by: UUID | None = None) -> bool:
    """Close the participation; the last one to leave ends the session. False if it was closed already."""
    own = participation.uuid
    return bool(close_participations(participation.room_uuid, lambda person: person.uuid == own, ending=ending, by=by))


def start_session(room: Room, *, by: UUID | None = None) -> RoomSession:
    """Open a run with nobody in it, `starting` until somebody comes; the running one, if there is one.

    A run that nobody comes to ends by itself after five minutes. Raises `Conflict` for a room that
    cannot be used now.
    """
    lock_room(room.uuid)
    session.refresh(room)
    here = read_locked_room(room)
    if here.run is not None:
        return here.run
    if not _usable(room, now()):
        raise Conflict(Message("This room cannot be used now: it, its account or its plan is not active."))
    run = _open_run(room, by=by)
    session.flush()
    starting = Snapshot(state=LiveState.STARTING, since=run.started_at, checked_at=run.started_at, source=Source.ENGINE)
    _store_snapshot(room, here.status, starting)
    session.flush()
    return run


def end_session(room: Room, *, ending: Ending = Ending.CLOSED, by: UUID | None = None) -> int:
    """Everybody out, and the run is over, also one that nobody came to. Returns how many were in."""
    if lock_room(room.uuid) is None:
        return 0
    return _end(read_locked_room(room), ending=ending, by=by)


def end_run(run_uuid: UUID, *, if_empty: bool = False) -> int:
    """End this run, judged under the room's lock: nothing, if another one runs by now. Returns how many were in."""
    room_uuid = session.scalar(sa.select(RoomSession.room_uuid).where(RoomSession.uuid == run_uuid))
    room = lock_room(room_uuid) if room_uuid is not None else None
    if room is None:
        return 0
    here = read_locked_room(room)
    if here.run is None or here.run.uuid != run_uuid or (if_empty and here.people):
        return 0
    return _end(here, ending=Ending.CLOSED, by=None)


def running_session(room: Room) -> RoomSession | None:
    """The run that has not ended, if there is one."""
    return session.scalar(
        sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
    )


def close_participations(room_uuid: UUID, which: ParticipationFilter, *, ending: Ending, by: UUID | None = None) -> int:
    """Close those who are in and are meant, all at once. Returns how many those were. `by`: who made them go."""
    room = lock_room(room_uuid)
    return _close_participations(read_locked_room(room), which, ending=ending, by=by) if room is not None else 0


def change_role(room_uuid: UUID, which: ParticipationFilter, role: Role, *, by: UUID | None = None) -> int:
    """Let those who are in and are meant go on in another role. Returns how many changed."""
    room = lock_room(room_uuid)
    if room is None:
        return 0
    here = read_locked_room(room)
    changed = [person for person in here.people if which(person) and person.role is not role]
    for person in changed:
        person.role = role
        record_event("participant.role_changed", person, by=by, room=room.uuid, role=role.value)
    if changed:
        _record_presence(here)
        session.flush()
    return len(changed)


def present_participations(room: Room) -> list[Participation]:
    """Who is in, in the order of entering."""
    return list(
        session.scalars(
            sa.select(Participation)
            .where(Participation.room_uuid == room.uuid, Participation.left_at.is_(None))
            .order_by(Participation.entered_at, Participation.uuid)
        )
    )


def close_lapsed(gone: Iterable[tuple[str, str]]) -> int:
    """Close the participations (group, id) that gave no sign of life. Returns how many."""
    by_room: dict[UUID, set[str]] = {}
    for group, member in gone:
        by_room.setdefault(UUID(group), set()).add(member)
    closed = 0
    for room_uuid in sorted(by_room):  # always the same order: no deadlock
        members = by_room[room_uuid]
        closed += close_participations(room_uuid, lambda person, ids=members: person.id in ids, ending=Ending.LOST)  # type: ignore[misc]
    return closed


def _replace_participation(here: LockedRoom, stay: Participation) -> None:
    """Others saw somebody else: his stay ends and is told, and what comes is a stay of its own in the same run."""
    _write_leaving(here, [stay], ending=Ending.LEFT, by=None)
    group, member = str(here.room.uuid), stay.id
    on_commit(lambda: _release_presence(group, member))


def _reserve_presence(group: str, member: str, *, takes_over: bool) -> None:
    if takes_over:
        _release_presence(group, member)
    channels().expect_present(group, member, FIRST_HEARTBEAT_SECONDS)


def _release_presence(group: str, member: str) -> None:
    """Tell the page that holds it that another one has come."""
    holder = channels().presence(group).get(member, {}).get("tab", "")
    channels().set_absent(group, member)
    if holder:
        channels().post(f"participation:{member}", {"event": "over", "reason": "elsewhere", "tab": holder})


def _open_run(room: Room, *, by: UUID | None) -> RoomSession:
    run = RoomSession(uuid=new_uuid(), id=new_id(), room_uuid=room.uuid, started_at=now(), most=0)
    session.add(run)
    record_event("room.started", run, by=by, room=room.uuid)
    return run


def _usable(room: Room, at: datetime) -> bool:
    subscription = room.subscription
    return (
        room.status is RoomStatusWord.ACTIVE
        and room.trashed_at is None
        and room.customer.usable
        and room.account.status is AccountStatus.ACTIVE
        and subscription.is_active(at)
        and subscription.provider.active
    )


def _end(here: LockedRoom, *, ending: Ending, by: UUID | None) -> int:
    gone = _close_participations(here, lambda _person: True, ending=ending, by=by)
    if not gone and here.run is not None:
        _record_presence(here, by=by)
        session.flush()
    return gone


def _close_participations(here: LockedRoom, which: ParticipationFilter, *, ending: Ending, by: UUID | None) -> int:
    gone = [person for person in here.people if which(person)]
    if not gone:
        return 0
    _write_leaving(here, gone, ending=ending, by=by)
    _record_presence(here, by=by)
    session.flush()
    _notify_leavers(here.room, gone, ending)
    return len(gone)


def _write_leaving(here: LockedRoom, gone: list[Participation], *, ending: Ending, by: UUID | None) -> None:
    """Their stays are over: written at once, because a device has one place."""
    session.execute(
        sa.update(Participation)
        .where(Participation.uuid.in_([person.uuid for person in gone]))
        .values(left_at=now(), ending=ending)
    )
    leavers = [(person, by or (person.user_uuid if ending is Ending.LEFT else None)) for person in gone]
    record_events("participant.left", leavers, room=here.room.uuid, ending=ending.value)
    here.people = [person for person in here.people if person not in gone]


def _notify_leavers(room: Room, gone: list[Participation], ending: Ending) -> None:
    """Take them out of the presence, and tell all but those who left by themselves why it is over."""
    group, members = str(room.uuid), [person.id for person in gone]

    def tell() -> None:
        for member in members:
            channels().set_absent(group, member)
            if ending is not Ending.LEFT:
                channels().post(f"participation:{member}", {"event": "over", "reason": ending.value})

    on_commit(tell)


def _record_presence(here: LockedRoom, *, by: UUID | None = None) -> None:
    """Write the embedded conference's snapshot from its participations, ending the run when all left."""
    at, people, run = now(), here.people, here.run
    if run is not None:
        run.most = max(run.most, len(people))
    if run is not None and not people:
        run.ended_at = at
        record_event("room.ended", run, by=by, room=here.room.uuid, most=run.most)
    snapshot = Snapshot(
        state=LiveState.LIVE if people else LiveState.IDLE,
        since=run.started_at if run and people else at,
        checked_at=at,
        source=Source.ENGINE,
        counts=dict(sorted(Counter(person.role.value for person in people).items())),
        names=tuple(person.name for person in people),
    )
    here.status = _store_snapshot(here.room, here.status, snapshot)


def _store_snapshot(room: Room, stored: RoomStatus | None, snapshot: Snapshot) -> RoomStatus:
    """Lay the snapshot over what was read under the room's lock."""
    if stored is None:
        stored = RoomStatus(room_uuid=room.uuid, version=0, count=0, counts={}, names=[], state=LiveState.IDLE)
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
        on_commit(lambda: channels().nudge(*topics, word=word))
    return stored
