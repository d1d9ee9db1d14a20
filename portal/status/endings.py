"""Ending a run, and the participations in it, under the room's lock."""

from datetime import datetime

import sqlalchemy as sa

from portal.audit.operations import AuditedUser, record_event, record_events
from portal.clock import now
from portal.db import session
from portal.people.actor import Actor
from portal.status.locking import LockedRoom
from portal.status.models import (
    Ending,
    Participation,
)

END_AT_SERVICE = "end-run"
"""The job that tells a service that a run which it drives was ended here; its id is the uuid of the run."""


def close_run(here: LockedRoom, *, at: datetime, by: Actor | None = None) -> None:
    """End the running run, in which nobody is any more. Does nothing if none is running."""
    if here.run is None:
        return
    here.run.ended_at = at
    record_event(
        "room.ended",
        here.run,
        by=by,
        room=here.room.uuid,
        webhooks=here.room.customer.webhooks,
        most=here.run.most,
    )
    here.run = None


def end_run_here(here: LockedRoom, *, ending: Ending, at: datetime, by: Actor | None = None) -> list[Participation]:
    """Close all participations of the running run and end it. Returns them. Does not write the status."""
    gone = list(here.people)
    close_people(here, gone, ending=ending, by=by)
    session.flush()
    close_run(here, at=at, by=by)
    session.flush()
    return gone


def close_people(here: LockedRoom, gone: list[Participation], *, ending: Ending, by: Actor | None) -> None:
    """Close these participations. They are written at once, because a device may have one open participation only."""
    if not gone:
        return
    session.execute(
        sa.update(Participation)
        .where(Participation.uuid.in_([person.uuid for person in gone]))
        .values(left_at=now(), ending=ending)
    )
    leavers = [(person, by or _leaver(person, ending)) for person in gone]
    webhooks = here.room.customer.webhooks
    record_events("participant.left", leavers, room=here.room.uuid, webhooks=webhooks, ending=ending.value)
    here.people = [person for person in here.people if person not in gone]


def _leaver(person: Participation, ending: Ending) -> AuditedUser | None:
    """Whoever leaves by himself does it himself, if he is a user."""
    return AuditedUser(person.user_uuid) if ending is Ending.LEFT and person.user_uuid is not None else None
