"""Videos whose file is stored, and what tests look at of them."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.tasks import operations
from portal.tasks.models import Task
from portal.videos import leftovers
from portal.videos.models import RoomVideo

Stored = Callable[..., UUID]


def files(app: Flask) -> Path:
    path: Path = app.config["SETTINGS"].files
    return path


def found(app: Flask, video_uuid: UUID) -> RoomVideo:
    with app.app_context(), transaction():
        video = session.get_one(RoomVideo, video_uuid)
        assert video.task is not None
        return video


def names(app: Flask, video: RoomVideo) -> set[str]:
    return {one.name for one in (files(app) / video.key).iterdir()}


def noted(app: Flask, video_uuid: UUID) -> list[str]:
    with app.app_context():
        of_video = sa.select(AuditEvent.action).where(AuditEvent.thing_uuid == video_uuid)
        return list(session.scalars(of_video.order_by(AuditEvent.at)))


def clean(app: Flask, video_uuid: UUID) -> None:
    with app.app_context():
        leftovers.clean(video_uuid)


def expire(app: Flask, video_uuid: UUID) -> None:
    """Let the lease run out of whoever works on the video."""
    with app.app_context(), transaction():
        session.execute(
            sa.update(Task).where(Task.subject_uuid == video_uuid).values(lease_until=now() - operations.LEASE)
        )
