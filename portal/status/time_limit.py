"""How long a run may last: as long as the plan allows, or the room if that is less."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.db import session
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.rooms.protocols import RoomLike
from portal.status.models import RoomSession
from portal.subscriptions.models import plan_column


def longest_minutes(room: RoomLike) -> int | None:
    """How many minutes a run of this room may last; None for any number.

    A plan that says nothing about duration does not limit it; 0 minutes are 0, not "unlimited".
    """
    plan = room.subscription.values
    return used_limit(plan, room.room_features, "max_duration") if "max_duration" in plan else None


def end_of_run(room: RoomLike, started_at: datetime) -> datetime | None:
    """When a run of this room that began at `started_at` is ended by its time limit; None: by none."""
    minutes = longest_minutes(room)
    return None if minutes is None else started_at + timedelta(minutes=minutes)


def find_end_of_run(run: RoomSession) -> datetime | None:
    """When this run is ended by its time limit, by the room and plan that the database has now: one statement."""
    room, plan = session.execute(
        sa.select(Room, plan_column(Room.subscription_uuid))
        .join(Room.subscription)
        .options(contains_eager(Room.subscription).lazyload("*"))
        .where(Room.uuid == run.room_uuid)
        .execution_options(populate_existing=True)
    ).one()
    room.subscription.set_plan(plan)
    return end_of_run(room, run.started_at)
