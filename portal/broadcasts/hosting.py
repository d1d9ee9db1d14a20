"""Opening a broadcast: with the first moderator who comes in, and with what is chosen for the whole of it."""

from uuid import UUID

from portal.broadcasts.models import Broadcast
from portal.channels import channels
from portal.db import on_commit, session
from portal.people.actor import Actor
from portal.providers.base import IngestPlan, TakesIngest
from portal.rooms.models import Room
from portal.status.service_calls import settings_for, start_room
from portal.status.services import provider_of
from portal.subscriptions.services import bound_service

BROADCASTS_TOPIC = "broadcasts"
"""The channels' topic that is nudged when a broadcast has no worker."""


def open_broadcast(session_uuid: UUID, plan: IngestPlan) -> None:
    """Have a worker make segments of what will be sent in this run. Does nothing if one does already.

    The caller has locked the room.
    """
    if session.get(Broadcast, session_uuid) is not None:
        return
    session.add(
        Broadcast(
            session_uuid=session_uuid,
            segment_milliseconds=plan.segment_milliseconds,
            dvr_minutes=plan.dvr_minutes,
            grace_seconds=plan.grace_seconds,
        )
    )
    session.flush()
    on_commit(lambda: channels().nudge(BROADCASTS_TOPIC))


def start(room: Room, *, by: Actor | None, has_place: bool) -> None:
    """Start a run of this room, of whatever type, as `start_room` does: a live one with its broadcast."""
    run = start_room(room, by=by, has_place=has_place)
    provider = provider_of(room, run.provider_uuid)
    service = bound_service(provider)
    if isinstance(service, TakesIngest):
        open_broadcast(run.uuid, service.ingest_plan(settings_for(room, provider)))


def topic_of(session_uuid: UUID) -> str:
    """The channels' topic that is nudged when something changes for the worker of this run."""
    return f"broadcast:{session_uuid}"
