"""Maintenance of runs and statuses: participants without heartbeats, ages of statuses, runs that last too long.

The job that calls this reads first, asks the channels outside any transaction, and writes in short transactions.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.channels import channels
from portal.clock import now
from portal.db import session
from portal.providers.base import LiveState
from portal.rooms.models import Room
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus, Source
from portal.status.operations import ALIVE_SECONDS
from portal.status.runs import end_run
from portal.status.time_limit import end_of_run
from portal.subscriptions.models import Subscription

UNUSED_RUN_TIME = timedelta(minutes=5)
LONGEST_UNTOLD = timedelta(days=1)
CHECK_AGE = timedelta(seconds=10)  # how old the status of a live room may become

GroupMember = tuple[str, str]
"""A participant in the channels: the group of his room, and his name in it."""


def open_participations() -> list[GroupMember]:
    """The open participations of all runs that the portal's own pages drive, as the database has them."""
    found = session.execute(
        sa.select(Participation.room_uuid, Participation.id)
        .join(Participation.run)
        .where(Participation.left_at.is_(None), RoomSession.driver == Driver.PRESENCE)
    )
    return [(str(room_uuid), member) for room_uuid, member in found]


def unattended(places: Collection[GroupMember]) -> list[GroupMember]:
    """The participants among `places` who are not present in the channels: no page sends heartbeats for them."""
    present = {group: channels().presence(group) for group in {group for group, _ in places}}
    return [(group, member) for group, member in places if member not in present[group]]


def expect_heartbeat(places: Iterable[GroupMember]) -> None:
    """Make these participants present for a while. Those whose page sends no heartbeat in that time lapse.

    This repairs what was lost with the channels' memory, or with a process that claimed somebody and died. It changes
    nothing for participants who are present.
    """
    for group, member in places:
        channels().expect_present(group, member, ALIVE_SECONDS)


def live_rooms_to_check() -> list[UUID]:
    """Live rooms of embedded conferences whose status was checked longer ago than `CHECK_AGE`."""
    return list(session.scalars(sa.select(RoomStatus.room_uuid).where(_is_due())))


def mark_checked(rooms: Collection[UUID]) -> None:
    """Set `checked_at` of these live rooms to now. Nothing else changed, so `version` stays and nobody is nudged."""
    session.execute(sa.update(RoomStatus).where(RoomStatus.room_uuid.in_(rooms), _is_due()).values(checked_at=now()))


def overdue(run: RoomSession, at: datetime) -> bool:
    """Whether this run has lasted as long at `at` as the plan or the room allows."""
    end = end_of_run(run.room, run.started_at)
    return end is not None and at >= end


def overdue_runs() -> list[UUID]:
    """The uuids of the runs that have lasted too long, oldest first: one statement, however many are running."""
    at = now()
    running = session.scalars(
        sa.select(RoomSession)
        .where(RoomSession.ended_at.is_(None), RoomSession.started_at < at - timedelta(minutes=1))
        .join(RoomSession.room)
        .join(Room.subscription)
        .outerjoin(Subscription.features)
        .options(
            contains_eager(RoomSession.room).contains_eager(Room.subscription).contains_eager(Subscription.features)
        )
        .order_by(RoomSession.started_at)
    ).unique()
    return [run.uuid for run in running if overdue(run, at)]


def close_overdue(run_uuid: UUID) -> int:
    """End this run. Returns how many people were in; 0 if it has ended, or another process was first."""
    return end_run(run_uuid, ending=Ending.TIME_LIMIT)


def end_unused_runs() -> int:
    """End the runs of the portal's own pages that nobody came to for five minutes. Returns how many."""
    somebody = sa.exists().where(Participation.session_uuid == RoomSession.uuid)
    forsaken = session.scalars(
        sa.select(RoomSession.uuid)
        .where(
            RoomSession.ended_at.is_(None),
            RoomSession.driver == Driver.PRESENCE,
            RoomSession.started_at <= now() - UNUSED_RUN_TIME,
            ~somebody,
        )
        .order_by(RoomSession.room_uuid)  # the order in which rooms are locked
    ).all()
    for run_uuid in forsaken:
        end_run(run_uuid, if_empty=True)  # the first guest may have come in the meantime
    return len(forsaken)


def end_silent_runs() -> int:
    """End the runs whose provider is gone, or whose service can only tell by itself and has not for a day.

    Returns how many. A service that can be asked is, and its silence has a bound of its own (`record_missed`).
    """
    silent = session.scalars(
        sa.select(RoomSession.uuid)
        .join(RoomStatus, RoomStatus.room_uuid == RoomSession.room_uuid)
        .where(
            RoomSession.ended_at.is_(None),
            RoomSession.driver == Driver.PROVIDER,
            sa.or_(
                RoomSession.provider_uuid.is_(None),
                sa.and_(RoomStatus.next_look_at.is_(None), RoomStatus.checked_at <= now() - LONGEST_UNTOLD),
            ),
        )
        .order_by(RoomSession.room_uuid)
    ).all()
    for run_uuid in silent:
        end_run(run_uuid)
    return len(silent)


def _is_due() -> sa.ColumnElement[bool]:
    return sa.and_(
        RoomStatus.state == LiveState.LIVE,
        RoomStatus.source == Source.ENGINE,
        RoomStatus.checked_at < now() - CHECK_AGE,
    )
