"""Ending runs that the last moderator has left, in rooms that are set to end then."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.column_types import constant
from portal.db import session
from portal.rooms.models import Role, Room
from portal.rooms.settings import END_WHEN_NO_MODERATOR, end_without_moderator_minutes
from portal.status.locking import lock_room
from portal.status.models import Driver, Ending, Participation, RoomSession
from portal.status.runs import end_run


def runs_without_moderator(run_uuid: UUID | None = None) -> list[UUID]:
    """The runs of the portal's own pages that are to end for want of a moderator; with `run_uuid`, of this run only.

    One statement, however many are running. A run that no moderator has been in yet goes on: people wait there for one.
    """
    of_moderators = (Participation.session_uuid == RoomSession.uuid, Participation.role == constant(Role.MODERATOR))
    last_left = sa.select(sa.func.max(Participation.left_at)).where(*of_moderators).scalar_subquery()
    query = (
        sa.select(RoomSession.uuid, Room.room_settings, last_left)
        .join(RoomSession.room)
        .where(
            RoomSession.ended_at.is_(None),
            RoomSession.driver == Driver.PRESENCE,
            ~sa.exists().where(*of_moderators, Participation.left_at.is_(None)),
        )
        .order_by(RoomSession.room_uuid)  # the order in which rooms are locked
    )
    if run_uuid is not None:
        query = query.where(RoomSession.uuid == run_uuid)
    at = now()
    return [
        uuid
        for uuid, settings, left_at in session.execute(query)
        if settings.get(END_WHEN_NO_MODERATOR) is True
        and left_at is not None
        and left_at + timedelta(minutes=end_without_moderator_minutes(settings)) <= at
    ]


def end_without_moderator(run_uuid: UUID) -> int:
    """End this run, unless a moderator has come in meanwhile. Returns how many people were in."""
    room_uuid = session.scalar(sa.select(RoomSession.room_uuid).where(RoomSession.uuid == run_uuid))
    if room_uuid is None or lock_room(room_uuid) is None or not runs_without_moderator(run_uuid):
        return 0
    return end_run(run_uuid, ending=Ending.NO_MODERATOR)
