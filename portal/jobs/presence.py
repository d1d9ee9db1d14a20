"""Who gave no sign of life is out, and rooms that ran their time are closed. A loop in every web process.

Each lapsed participant is claimed by one process only, so any number of them may sweep.
"""

import time
from datetime import timedelta

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal.channels import channels
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.status.models import RoomSession
from portal.status.operations import close_abandoned, close_lapsed, end_session

log = structlog.get_logger()

EVERY_SECONDS = 1.0
OVERDUE_EVERY = 10
AGAIN_SECONDS = 1.0


def start(app: Flask) -> None:
    """At a start: nobody is in whom nobody keeps alive."""
    with app.app_context(), transaction():
        closed = close_abandoned()
    if closed:
        log.info("closed participations that a crash left open", count=closed)


def run(app: Flask) -> None:
    """Sweep until the process ends."""
    turn = 0
    while True:
        time.sleep(EVERY_SECONDS)
        turn += 1
        try:
            sweep(app)
            if turn % OVERDUE_EVERY == 0:
                close_overdue(app)
        except (SQLAlchemyError, OSError, ConnectionError) as error:
            log.warning("sweeping failed, trying again", error=type(error).__name__)


def sweep(app: Flask) -> int:
    """Close what lapsed; if the database cannot take it now, it lapses again in a moment."""
    gone = channels().lapsed()
    if not gone:
        return 0
    try:
        with app.app_context(), transaction():
            return close_lapsed(gone)
    except SQLAlchemyError:
        for group, member in gone:
            channels().attend(group, member, {}, AGAIN_SECONDS)
        raise


def close_overdue(app: Flask) -> int:
    """Close rooms that have run for as long as their plan or their owner allows."""
    closed = 0
    with app.app_context(), transaction():
        running = session.execute(
            sa.select(Room, RoomSession.started_at)
            .join(RoomSession, RoomSession.room_uuid == Room.uuid)
            .where(RoomSession.ended_at.is_(None), RoomSession.started_at < now() - timedelta(minutes=1))
            .order_by(Room.uuid)  # the order in which rooms are locked
        ).unique()
        for room, started_at in running.all():
            minutes = used_limit(room.subscription.values, room.room_features, "max_duration")
            if minutes is not None and minutes > 0 and now() >= started_at + timedelta(minutes=minutes):
                closed += end_session(room)
    return closed
