"""Closing and changing participations: people leave runs, are removed, or get another role.

People enter by `portal.status.arrivals`. The stored status is written by `portal.status.recording`; runs as a whole are
started and ended by `portal.status.runs`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import on_commit, session
from portal.errors import Message
from portal.people.actor import Actor
from portal.providers.base import Count, LiveState, Snapshot
from portal.rooms.models import Role
from portal.rooms.protocols import RoomLike
from portal.rooms.room_read import AnyRoom
from portal.status.endings import close_people, close_run
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import HAPPENING, Driver, Ending, Participation, Source
from portal.status.recording import record_locked
from portal.subscriptions.provider_models import ServiceType
from portal.videos.totals import LABELS

ParticipationFilter = Callable[[Participation], bool]

ALIVE_SECONDS = 9
"""How long a heartbeat counts, and how long one is expected after entering. A page sends one every three seconds."""
ROLE_COUNTS = {"moderators": Role.MODERATOR, "attendees": Role.ATTENDEE, "guests": Role.GUEST}
COUNT_LABELS = {
    "participants": Message("Participants"),
    "moderators": Message("Moderators"),
    "attendees": Message("Attendees"),
    "guests": Message("Guests"),
    "reconnecting": Message("Connecting again"),
    "watching": LABELS["watching"],
}


def leave_session(participation: Participation, *, ending: Ending, by: Actor | None = None) -> bool:
    """Close a participation. Closing the last one of a run ends the run. Returns False if it was closed already."""
    own = participation.uuid
    return bool(close_participations(participation.room_uuid, lambda person: person.uuid == own, ending=ending, by=by))


def close_participations(
    room_uuid: UUID, which: ParticipationFilter, *, ending: Ending, by: Actor | None = None
) -> int:
    """Close those who are in and are meant, all at once. Returns how many those were.

    `by` made them go; None is the portal itself, or they themselves.
    """
    room = lock_room(room_uuid)
    return close_in(read_locked_room(room), which, ending=ending, by=by) if room is not None else 0


def close_in(here: LockedRoom, which: ParticipationFilter, *, ending: Ending, by: Actor | None) -> int:
    """Close all open participations of this locked room for which `which` is true. Returns how many."""
    gone = [person for person in here.people if which(person)]
    if not gone:
        return 0
    close_people(here, gone, ending=ending, by=by)
    if driven_by_service(here):
        look_soon(here)
    else:
        record_presence(here, by=by)
        _notify_leavers(here.room, gone, ending)
    session.flush()
    return len(gone)


def change_role(room_uuid: UUID, which: ParticipationFilter, role: Role, *, by: Actor | None = None) -> int:
    """Give another role to all people in the room for whose participation `which` is true. Returns how many changed."""
    room = lock_room(room_uuid)
    if room is None:
        return 0
    here = read_locked_room(room)
    changed = [person for person in here.people if which(person) and person.role is not role]
    for person in changed:
        person.role = role
        record_event("participant.role_changed", person, by=by, room=room.uuid, role=role.value)
    if changed and not driven_by_service(here):
        record_presence(here)
    session.flush()
    return len(changed)


def present_participations(room: AnyRoom) -> list[Participation]:
    """The open participations of the room, in the order of entering."""
    return list(
        session.scalars(
            sa.select(Participation)
            .where(Participation.room_uuid == room.uuid, Participation.left_at.is_(None))
            .order_by(Participation.entered_at, Participation.uuid)
        )
    )


def driven_by_service(here: LockedRoom) -> bool:
    """Whether a service tells who is in the running run, and not the portal's own pages."""
    return here.run is not None and here.run.driver is Driver.PROVIDER


def look_soon(here: LockedRoom) -> None:
    """Have the poller ask the service at once, because somebody is about to enter there or was removed here."""
    if here.status is None or here.status.state not in HAPPENING:
        record_locked(here, Snapshot(state=LiveState.STARTING, checked_at=now()), source=Source.ENGINE)
    assert here.status is not None
    here.status.checked_at = here.status.next_look_at = now()  # what was asked before this is older than it


def presence_snapshot(
    by_role: Mapping[Role, int], *, away: int, names: Sequence[str], since: datetime, watched: bool
) -> Snapshot:
    """What is so now in a run with people in it that the portal's own pages drive. `watched`: they watch videos.

    What else a room of videos tells, it tells also while nobody watches: see `portal.videos.totals`.
    """
    people = sum(by_role.values())
    if watched:
        figures = {"watching": people}
    else:
        figures = {"participants": people}
        figures |= {key: by_role[role] for key, role in ROLE_COUNTS.items()}
        figures |= {"reconnecting": away} if away else {}
    return Snapshot(
        state=LiveState.LIVE,
        since=since,
        checked_at=now(),
        headline=people,
        counts=tuple(Count(key, COUNT_LABELS[key], value) for key, value in figures.items()),
        names=tuple(names),
    )


def record_presence(here: LockedRoom, *, by: Actor | None = None) -> None:
    """Store the status of a run that the portal's own pages drive, and end the run if nobody is in any more."""
    at, people, run = now(), here.people, here.run
    if people:
        snapshot = presence_snapshot(
            Counter(person.role for person in people),
            away=sum(one.away_since is not None for one in people),
            names=[person.name for person in people],
            since=run.started_at if run is not None else at,
            watched=here.room.room_type is ServiceType.VIDEO,
        )
    else:
        snapshot = Snapshot(state=LiveState.IDLE, since=at, checked_at=at)
    record_locked(here, snapshot, source=Source.ENGINE)
    if not people:
        close_run(here, at=at, by=by)


def release_presence(group: str, member: str) -> None:
    """Remove the participant from the presence, and tell the page that kept him present that another one takes over."""
    holder = channels().presence(group).get(member, {}).get("tab", "")
    channels().set_absent(group, member)
    if holder:
        channels().post(f"participation:{member}", {"event": "over", "reason": "elsewhere", "tab": holder})


def _notify_leavers(room: RoomLike, gone: list[Participation], ending: Ending) -> None:
    """Remove people from the presence, and tell the pages of all who did not leave by themselves why they are out."""
    group, members = str(room.uuid), [person.id for person in gone]

    def notify() -> None:
        with channels().together() as signals:
            for member in members:
                signals.set_absent(group, member)
                if ending is not Ending.LEFT:
                    signals.post(f"participation:{member}", {"event": "over", "reason": ending.value})

    on_commit(notify)
