"""Presence: who is connected by the heartbeats of his page, and for how long somebody may be away before he is out.

A page sends a heartbeat every three seconds. Without any for `ALIVE_SECONDS` somebody is *away*: others read
"connecting again", and his participation counts as before. `OUT_SECONDS` after the last heartbeat it is closed.
Heartbeats are in the channels only. Since when somebody is away is in the database, so that a restart of the portal,
which may lose the channels' memory, closes nobody's participation.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from portal.channels import LapsedMember, channels
from portal.clock import now
from portal.db import on_commit, session
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import Ending, Participation
from portal.status.operations import ALIVE_SECONDS, close_in, driven_by_service, record_presence

OUT_SECONDS = 60  # after the last heartbeat
AWAY_TIME = timedelta(seconds=OUT_SECONDS - ALIVE_SECONDS)
LEAVING = "leaving"
"""The key that a value in the channels has once the page was closed: its participation is closed at once."""


def handle_lapsed(lapsed: Iterable[LapsedMember]) -> int:
    """Mark people as away whose heartbeats have stopped, and close the participations of those who are so for long.

    Returns how many were closed. Whoever has closed the page has left, and is not waited for.
    """
    by_room: dict[UUID, dict[str, LapsedMember]] = {}
    for one in lapsed:
        by_room.setdefault(UUID(one.group), {})[one.member] = one
    closed = 0
    for room_uuid in sorted(by_room):  # always the same order: no deadlock
        room = lock_room(room_uuid)
        if room is not None:
            closed += _handle_in(read_locked_room(room), by_room[room_uuid])
    return closed


def end_absence(participation: Participation) -> None:
    """Note that somebody who was away is connected again. Does nothing if he was not, or is out."""
    room = lock_room(participation.room_uuid)
    if room is None:
        return
    here = read_locked_room(room)
    back = next((person for person in here.people if person.uuid == participation.uuid), None)
    if back is not None and back.away_since is not None:
        back.away_since = None
        record_presence(here)
        session.flush()


def _handle_in(here: LockedRoom, lapsed: dict[str, LapsedMember]) -> int:
    if driven_by_service(here):
        return 0
    at = now()
    silent = [person for person in here.people if person.id in lapsed]
    left = {person.uuid for person in silent if LEAVING in lapsed[person.id].value}
    lost = {one.uuid for one in silent if one.away_since is not None and at - one.away_since >= AWAY_TIME} - left
    kept = [person for person in silent if person.uuid not in left | lost]
    for person in kept:
        person.away_since = person.away_since or at
        _expect_again(person, (person.away_since + AWAY_TIME - at).total_seconds())
    closed = close_in(here, lambda person: person.uuid in left, ending=Ending.LEFT, by=None)
    closed += close_in(here, lambda person: person.uuid in lost, ending=Ending.LOST, by=None)
    if kept and not closed:
        record_presence(here)
    session.flush()
    return closed


def _expect_again(person: Participation, seconds: float) -> None:
    group, member = str(person.room_uuid), person.id
    on_commit(lambda: channels().expect_present(group, member, seconds))
